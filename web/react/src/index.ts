/** React hooks for a client of Tapecast. See README.md. */
export { useConnection, type Connection } from "./connection";
export { useTickers, useTrades, type TradesOptions } from "./streams";
