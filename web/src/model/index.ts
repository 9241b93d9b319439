/** The market's words as plain values: the ground floor. Imports no other room. */
export * from "./event";
export * from "./instrument";
export * from "./numbers";
export * from "./symbol";
