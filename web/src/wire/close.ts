/** What to do after a close: try again, try again but not at once, or stay away. */
export type ComeBack = "soon" | "later" | "never";

/** One way for a session to end. */
export interface Close {
  readonly code: number;
  /** For people: the reason in a few words. */
  readonly sentence: string;
  readonly comeBack: ComeBack;
}

/**
 * Every close code that the protocol uses (section 4), and those that the browser makes up itself.
 * The server holds the same table.
 */
const CLOSES: readonly Close[] = [
  { code: 1000, sentence: "closed normally", comeBack: "soon" },
  { code: 1001, sentence: "server going away", comeBack: "soon" },
  { code: 1002, sentence: "protocol fault", comeBack: "later" },
  { code: 1003, sentence: "unsupported data", comeBack: "later" },
  // RFC 6455, 7.1.5: never sent; the browser says it when no close frame came.
  { code: 1005, sentence: "closed without a code", comeBack: "soon" },
  { code: 1006, sentence: "connection lost", comeBack: "soon" },
  { code: 1007, sentence: "invalid text", comeBack: "later" },
  { code: 1008, sentence: "refused by the server", comeBack: "never" },
  { code: 1009, sentence: "message too big", comeBack: "later" },
  { code: 1011, sentence: "internal fault of the server", comeBack: "soon" },
  { code: 1012, sentence: "server restarting", comeBack: "soon" },
  { code: 1013, sentence: "server busy", comeBack: "later" },
  { code: 1015, sentence: "TLS handshake failed", comeBack: "later" },
];

/** What a close code means; one that is not in the table is no reason to stay away. */
export function closeOf(code: number): Close {
  return CLOSES.find((close) => close.code === code) ?? { code, sentence: `closed with code ${code}`, comeBack: "soon" };
}
