/** The alerts of the user: kept, told and judged to be seen. Pure: no DOM, no network, no clock. */
export { AlertBook, type FiredAlert, type KeptAlert } from "./alert-book";
export { directionTo, levelPrice, MAX_ALERTS, readLevel } from "./level";
