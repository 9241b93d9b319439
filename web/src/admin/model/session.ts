import { isJsonObject, numberOf, textOf, timeOf, type JsonObject } from "../../source";

/** A session, as `GET /admin/api/sessions` lists it (docs/ADMIN.md). */
export interface Session {
  readonly id: string;
  readonly feed: string;
  readonly address: string;
  readonly key: string | undefined;
  readonly opened: number | undefined;
  readonly ageMs: number;
  readonly codec: string;
  readonly hasDeflate: boolean;
  readonly hasTls: boolean;
  readonly userAgent: string | undefined;
  /** Subscribed, over all channels. */
  readonly symbols: number;
  readonly backlogBytes: number;
  /** For how long the socket has taken nothing although something waits; 0 if it takes. */
  readonly stalledMs: number;
  /** Since anything came from the client. */
  readonly idleMs: number;
  /** What was sent to it. */
  readonly bytes: number;
  readonly frames: number;
  readonly objects: number;
  readonly conflated: number;
  readonly gaps: number;
  /** Objects that it was told are missing. */
  readonly missed: number;
  readonly isMuted: boolean;
  readonly isClosing: boolean;
}

/** The sessions that match a query, at most as many as it asked for. */
export interface SessionList {
  readonly sessions: readonly Session[];
  readonly matching: number;
  readonly open: number;
}

/** A channel of a session: how many symbols it has there, and the first of them. */
export interface ChannelSubscription {
  readonly channel: string;
  readonly count: number;
  readonly symbols: readonly string[];
}

export interface SessionDetail extends Session {
  readonly subscriptions: readonly ChannelSubscription[];
  readonly topics: readonly string[];
  readonly alerts: number;
  readonly options: readonly (readonly [name: string, value: string])[];
}

export function readSessions(body: unknown): SessionList | undefined {
  if (!isJsonObject(body) || !Array.isArray(body["sessions"])) return undefined;
  const sessions = body["sessions"].flatMap((session) => readSession(session) ?? []);
  const matching = numberOf(body["matching"]) ?? sessions.length;
  return { sessions, matching, open: numberOf(body["open"]) ?? matching };
}

export function readSession(session: unknown): Session | undefined {
  if (!isJsonObject(session)) return undefined;
  const id = textOf(session["id"]);
  if (id === undefined) return undefined;
  const count = (name: string): number => numberOf(session[name]) ?? 0;
  return {
    id,
    feed: textOf(session["feed"]) ?? "",
    address: textOf(session["address"]) ?? "",
    key: textOf(session["key"]),
    opened: timeOf(session["opened"]),
    ageMs: count("age_seconds") * 1_000,
    codec: textOf(session["codec"]) ?? "",
    hasDeflate: session["deflate"] === true,
    hasTls: session["tls"] === true,
    userAgent: textOf(session["user_agent"]),
    symbols: count("symbols"),
    backlogBytes: count("backlog_bytes"),
    stalledMs: count("stalled_ms"),
    idleMs: count("idle_ms"),
    bytes: count("bytes"),
    frames: count("frames"),
    objects: count("objects"),
    conflated: count("conflated"),
    gaps: count("gaps"),
    missed: count("missed"),
    isMuted: session["muted"] === true,
    isClosing: session["closing"] === true,
  };
}

export function readSessionDetail(body: unknown): SessionDetail | undefined {
  const session = readSession(body);
  if (session === undefined || !isJsonObject(body)) return undefined;
  const object = (name: string): JsonObject => (isJsonObject(body[name]) ? body[name] : {});
  const [symbols, counts] = [object("subscriptions"), object("subscribed")];
  const channels = [...new Set([...Object.keys(symbols), ...Object.keys(counts)])];
  return {
    ...session,
    subscriptions: channels
      .map((channel) => {
        const listed = textsOf(symbols[channel]) ?? [];
        return { channel, symbols: listed, count: numberOf(counts[channel]) ?? listed.length };
      })
      .filter(({ count }) => count > 0),
    topics: textsOf(body["topics"]) ?? [],
    alerts: numberOf(body["alerts"]) ?? 0,
    options: Object.entries(object("options")).flatMap(([name, value]) => (isPlain(value) ? [[name, String(value)] as const] : [])),
  };
}

/** The texts of an array; undefined if it is none. */
export const textsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === "string") : undefined;

const isPlain = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);
