import table from "./close.json";

/** Whether to reconnect: with the usual back-off, with a longer first wait, or not at all. */
export type ReconnectAdvice = "soon" | "later" | "never";

/** How a session ended. */
export interface Close {
  /** The server's name of this close in logs and metrics; undefined if it does not come from the server. */
  readonly name: string | undefined;
  readonly code: number;
  /** The reason in the Close frame; empty for a normal close. */
  readonly reason: string;
  readonly reconnect: ReconnectAdvice;
}

/**
 * Every close (docs/PROTOCOL.md, "Close codes"), from `close.json`, which the server's table is tested against.
 *
 * A row with a name is a close that the server sends; several may share a code and differ in their reason. A row without
 * a name comes from the browser (1005, 1006, 1015: RFC 6455 section 7.4.1) or a proxy, or is the default of its code.
 */
export const CLOSES: readonly Close[] = table.map((row) => ({
  name: undefined,
  ...row,
  // A test checks that the file has no other advice.
  reconnect: row.reconnect as ReconnectAdvice,
}));

/** Interprets a close: by code and reason, else by code. An unknown code is no reason not to reconnect. */
export function closeOf(code: number, reason = ""): Close {
  const rows = CLOSES.filter((close) => close.code === code);
  const row = rows.find((close) => close.reason === reason) ?? rows.find(({ name }) => name === undefined) ?? rows[0];
  return row ?? { name: undefined, code, reason: `closed with code ${code}`, reconnect: "soon" };
}
