import { isJsonObject, numberOf, textOf } from "../../source";
import { textsOf } from "./session";

/** A key of the key file. A limit that is undefined is the server's. */
export interface ApiKey {
  readonly id: string;
  /** All if undefined. */
  readonly feeds: readonly string[] | undefined;
  readonly symbols: readonly string[] | undefined;
  readonly maxSessions: number | undefined;
  readonly maxSymbols: number | undefined;
  /** Whether it may control a replay and moderate topics. */
  readonly mayControl: boolean;
  readonly sessions: number;
}

/** A key that was made or rotated just now. The server tells the secret only here. */
export interface NewKey {
  readonly id: string;
  readonly secret: string;
}

/** What a new key shall have. The server chooses an id if it is empty. */
export interface KeyRequest {
  readonly id?: string;
  readonly feeds?: readonly string[];
  readonly symbols?: readonly string[];
  readonly max_sessions?: number;
  readonly max_symbols?: number;
  readonly control?: boolean;
}

/** The fields of the form for a new key, as they were typed. */
export interface KeyForm {
  readonly id: string;
  readonly feeds: string;
  readonly symbols: string;
  readonly maxSessions: string;
  readonly maxSymbols: string;
  readonly mayControl: boolean;
}

export function readKeys(body: unknown): readonly ApiKey[] | undefined {
  return isJsonObject(body) && Array.isArray(body["keys"]) ? body["keys"].flatMap((key) => readKey(key) ?? []) : undefined;
}

function readKey(key: unknown): ApiKey | undefined {
  if (!isJsonObject(key)) return undefined;
  const id = textOf(key["id"]);
  if (id === undefined) return undefined;
  return {
    id,
    feeds: textsOf(key["feeds"]),
    symbols: textsOf(key["symbols"]),
    maxSessions: numberOf(key["max_sessions"]),
    maxSymbols: numberOf(key["max_symbols"]),
    mayControl: key["control"] === true,
    sessions: numberOf(key["sessions"]) ?? 0,
  };
}

export function readNewKey(body: unknown): NewKey | undefined {
  if (!isJsonObject(body) || !isJsonObject(body["key"])) return undefined;
  const [id, secret] = [textOf(body["key"]["id"]), textOf(body["secret"])];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** The request of a form. Empty fields are left out: the server's defaults hold. */
export function keyRequest(form: KeyForm): KeyRequest {
  const id = form.id.trim();
  const [feeds, symbols] = [words(form.feeds.toLowerCase()), words(form.symbols.toUpperCase())];
  return {
    ...(id === "" ? {} : { id }),
    ...(feeds.length === 0 ? {} : { feeds }),
    ...(symbols.length === 0 ? {} : { symbols }),
    ...(form.maxSessions === "" ? {} : { max_sessions: Number(form.maxSessions) }),
    ...(form.maxSymbols === "" ? {} : { max_symbols: Number(form.maxSymbols) }),
    ...(form.mayControl ? { control: true } : {}),
  };
}

/** The words between commas and spaces, each once. */
const words = (text: string): readonly string[] => [...new Set(text.split(/[\s,]+/).filter((word) => word !== ""))];
