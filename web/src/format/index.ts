/** Formats numbers and times for display. Pure: no DOM, no clock. */
export * from "./number";
export * from "./time";
export * from "./time-marks";
export * from "./time-zone";
