import type { Language } from "../../strings";
import type { Pace, SessionSort, Symptom } from "../model";

/** Texts of elements with a `data-text`, `data-label` or `data-hint` attribute in admin.html. */
export type PageText =
  | "skip" | "admin" | "sessions" | "slow" | "outbox" | "memory" | "descriptors" | "uptime"
  | "token" | "useToken" | "forgetToken" | "theme" | "language"
  | "source" | "nodes" | "node" | "role" | "late" | "heard" | "thisNode"
  | "drainOver" | "seconds" | "drain" | "stopDraining" | "logLevel" | "set"
  | "filterAddress" | "filterKey" | "filterFeed" | "mutedOnly" | "showMore"
  | "keys" | "newKey" | "newKeyTitle" | "keyId" | "mayUse" | "actions" | "keyName" | "keyNameHint" | "feeds" | "allFeeds" | "symbols" | "allSymbols"
  | "maxSessions" | "maxSymbols" | "serverLimit" | "mayControl" | "makeKey" | "cancel" | "secret" | "secretOnce" | "copy" | "stored"
  | "refusals" | "time" | "refused" | "why" | "address" | "times" | "close" | "disconnect";

/** The columns of the sessions, in their order. */
export const SESSION_COLUMNS = ["address", "key", "client", "symbols", "age", "bytes", "rate", "backlog", "stalled", "gaps", "why"] as const;

export type SessionColumn = (typeof SESSION_COLUMNS)[number];

/** What the state of the server is. */
export type ServerState = "waiting" | "ready" | "notReady" | "draining" | "stale" | "locked";

/** The rows of a session's details, in their order. */
export const DETAIL_ROWS = ["id", "feed", "key", "opened", "client", "transport", "backlog", "stalled", "idle", "sent", "rate", "conflated", "gaps", "muted", "alerts"] as const;

export type DetailRow = (typeof DETAIL_ROWS)[number];

/** The rows of a feed, in their order. */
export const FEED_ROWS = ["age", "objects", "epoch", "upstream", "losses", "missed"] as const;

export type FeedRow = (typeof FEED_ROWS)[number];

/** A question with its answer on the button. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
}

/** All texts of the admin page in one language. */
export interface AdminTexts {
  readonly language: Language;
  /** The BCP 47 tag for the `lang` attribute of the page. */
  readonly tag: string;
  readonly page: Readonly<Record<PageText, string>>;
  readonly short: (count: number) => string;
  readonly states: Readonly<Record<ServerState, string>>;
  /** The figures are those of this time. */
  readonly asOf: (time: string) => string;
  readonly silent: (age: string) => string;
  readonly noAnswer: string;
  readonly failed: (status: number, message: string) => string;
  /** A number of things out of those that there may be. */
  readonly outOf: (open: string, limit: string) => string;
  readonly perSecond: (amount: string) => string;
  readonly ago: (age: string) => string;

  readonly columns: Readonly<Record<SessionColumn, string>>;
  readonly sortBy: (column: string) => string;
  readonly sorts: Readonly<Record<SessionSort, string>>;
  readonly paces: Readonly<Record<Pace, string>>;
  /** Why a session is slow, in a sentence; what it says of one that keeps up. */
  readonly reason: (symptoms: readonly Symptom[]) => string;
  /** What a stalled session points to. */
  readonly stallCauses: Readonly<Record<"gone" | "notReading", string>>;
  readonly muted: string;
  /** How many sessions are shown of those that match, and of all. */
  readonly listed: (shown: number, matching: number, open: number) => string;
  /** At least so many. */
  readonly orMore: (count: string) => string;
  readonly held: string;
  readonly noSessions: string;
  readonly noMatch: string;
  readonly loading: string;
  readonly allFeeds: string;

  readonly detail: Readonly<Record<DetailRow, string>>;
  readonly options: string;
  readonly topics: string;
  readonly subscriptions: string;
  /** A channel, or another list, with how many are in it. */
  readonly channel: (name: string, count: string) => string;
  readonly more: (count: string) => string;
  readonly nothingSubscribed: string;
  readonly gone: string;
  readonly sent: (bytes: string, frames: string, objects: string) => string;
  readonly gapsOf: (gaps: string, missed: string) => string;
  readonly yes: string;
  readonly no: string;
  readonly never: string;
  readonly mute: string;
  readonly unmute: string;
  readonly askDisconnect: (address: string) => Question;
  readonly disconnected: (address: string) => string;
  readonly isGone: string;

  readonly feedRows: Readonly<Record<FeedRow, string>>;
  readonly kinds: Readonly<Partial<Record<string, string>>>;
  readonly ready: string;
  readonly notReady: string;
  readonly link: Readonly<Record<"up" | "down", string>>;
  readonly missed: (objects: string, gapTime: string) => string;
  readonly alone: string;
  readonly self: string;
  readonly leads: string;
  readonly roles: Readonly<Partial<Record<string, string>>>;
  readonly onTime: string;
  readonly nats: (isConnected: boolean) => string;
  readonly hops: (hops: string) => string;
  readonly hopNames: Readonly<Partial<Record<string, string>>>;

  readonly askDrain: (sessions: string, seconds: number) => Question;
  readonly drained: (left: string, start: string) => string;
  readonly drainNote: Readonly<Record<"accepting" | "draining", string>>;
  readonly drainStarted: string;
  readonly drainStopped: string;
  readonly logSet: (level: string) => string;

  readonly anything: string;
  readonly scope: (feeds: readonly string[] | undefined, symbols: readonly string[] | undefined) => string;
  readonly limits: (sessions: string | undefined, symbols: string | undefined) => string;
  readonly control: string;
  readonly rotate: string;
  readonly revoke: string;
  readonly askRotate: (id: string) => Question;
  readonly askRevoke: (id: string, sessions: string) => Question;
  readonly revoked: (id: string) => string;
  readonly madeTitle: string;
  readonly rotatedTitle: string;
  readonly copied: string;
  readonly notCopied: string;
  readonly noKeys: string;
  readonly noKeyFile: string;

  readonly refusalKinds: Readonly<Partial<Record<string, string>>>;
  readonly noRefusals: string;

  readonly tokenRequired: string;
  readonly tokenInvalid: string;
  readonly dismiss: string;
  readonly themes: Readonly<Record<"system" | "dark" | "light", string>>;
  readonly byBrowser: string;
}
