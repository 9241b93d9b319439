import { countField, type JsonObject } from "./fields";
import type { Key } from "./command";

/** The id of a key whose secret is a token. */
const TOKEN_KEY = "jwt";

/** Credentials with a token. The token may be replaced: the client reads it when it connects. */
export type TokenKey = Key & { secret: string };

/** Credentials with this token. */
export const keyOf = (token: string): TokenKey => ({ id: TOKEN_KEY, secret: token });

/** The control messages about tokens. */
export interface TokenControl {
  /** The token ends soon, and the session with it unless a newer one comes before. */
  readonly control: "expiry";
  readonly inMs: number;
}

/** Decodes a control message about tokens; undefined if it is of another kind. */
export function readTokenControl(kind: string, item: JsonObject): TokenControl | undefined {
  return kind === "expiry" ? { control: "expiry", inMs: countField(item, "in_ms") } : undefined;
}
