/** Plain values of the market domain. Imports no other module. */
export * from "./alert";
export * from "./event";
export * from "./instrument";
export * from "./message";
export * from "./numbers";
export * from "./symbol";
