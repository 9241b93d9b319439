/** What to do after a close: try again, try again but not at once, or stay away. */
export type ReconnectAdvice = "soon" | "later" | "never";

/** One way for a session to end. */
export interface Close {
  readonly code: number;
  /** For people: the reason in a few words. */
  readonly sentence: string;
  readonly reconnect: ReconnectAdvice;
}

/**
 * Every close code that the protocol uses (section 4), and those that the browser makes up itself.
 * The server holds the same table.
 */
const CLOSES: readonly Close[] = [
  { code: 1000, sentence: "closed normally", reconnect: "soon" },
  { code: 1001, sentence: "server going away", reconnect: "soon" },
  { code: 1002, sentence: "protocol fault", reconnect: "later" },
  { code: 1003, sentence: "unsupported data", reconnect: "later" },
  // RFC 6455, 7.1.5: never sent; the browser says it when no close frame came.
  { code: 1005, sentence: "closed without a code", reconnect: "soon" },
  { code: 1006, sentence: "connection lost", reconnect: "soon" },
  { code: 1007, sentence: "invalid text", reconnect: "later" },
  { code: 1008, sentence: "refused by the server", reconnect: "never" },
  { code: 1009, sentence: "message too big", reconnect: "later" },
  { code: 1011, sentence: "internal fault of the server", reconnect: "soon" },
  { code: 1012, sentence: "server restarting", reconnect: "soon" },
  { code: 1013, sentence: "server busy", reconnect: "later" },
  { code: 1015, sentence: "TLS handshake failed", reconnect: "later" },
];

/** What a close code means; one that is not in the table is no reason to stay away. */
export function closeOf(code: number): Close {
  return CLOSES.find((close) => close.code === code) ?? { code, sentence: `closed with code ${code}`, reconnect: "soon" };
}
