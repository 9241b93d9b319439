/** Commands to begin with. */
export const TEMPLATES = ["subscribe", "unsubscribe", "pace", "resume", "auth", "malformed"] as const;

export type Template = (typeof TEMPLATES)[number];

/** What the templates are filled in with. */
export interface TemplateContext {
  /** A symbol that the page itself subscribes to as little as possible, so that the command changes something. */
  readonly symbol: string;
  /** The server's epoch, if it is known. */
  readonly epoch: string | undefined;
  /** The id of the key that the page uses, if any. */
  readonly keyId: string | undefined;
  /** Becomes the id of the command. A text: the numbers are those of the page's own commands. */
  readonly id: string;
}

/** In place of a secret: to be replaced by the user. */
export const SECRET_PLACEHOLDER = "YOUR_SECRET";

/** The text of a template. */
export function fillIn(template: Template, { symbol, epoch, keyId, id }: TemplateContext): string {
  switch (template) {
    case "subscribe":
      return JSON.stringify({ action: "subscribe", quotes: [symbol], x: { id, snapshot: true } });
    case "unsubscribe":
      return JSON.stringify({ action: "unsubscribe", quotes: [symbol], x: { id } });
    case "pace":
      return JSON.stringify({ action: "subscribe", x: { id, conflate_ms: 1_000 } });
    case "resume":
      return JSON.stringify({ action: "subscribe", quotes: [symbol], x: { id, resume: { epoch: epoch ?? "", sq: { quotes: { [symbol]: 1 } } } } });
    case "auth":
      return JSON.stringify({ action: "auth", key: keyId ?? "YOUR_KEY", secret: SECRET_PLACEHOLDER });
    case "malformed":
      return `{"action":"subscribe","quotes":["${symbol}"`;
  }
}
