/** One-line starts with the globals of the runtime: `connect`, `connectWithToken`, `historyOf`. */
export { connect, type ConnectOptions } from "./connect";
export { historyOf } from "./history";
export { connectWithToken } from "./token";
