/** One-line starts with the globals of the runtime: `connect`, `historyOf`. */
export { connect, type ConnectOptions } from "./connect";
export { historyOf } from "./history";
