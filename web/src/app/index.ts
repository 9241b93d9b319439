/** The composition of all modules into the dashboard. */
export { App } from "./app";
