/** Values to text, for people. Pure: no DOM, no clock. */
export * from "./number";
export * from "./time";
