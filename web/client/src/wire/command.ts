import { CHANNELS, type Channel, type Epoch, type Seq, type StockSymbol } from "../model";

/** An API key: the credentials of the `auth` command. */
export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** Symbols per channel, as in a subscribe or unsubscribe command. */
export type StreamSelection = Readonly<Partial<Record<Channel, readonly StockSymbol[]>>>;

/** The last sequence number received on each stream, and the epoch they belong to. */
export interface Resume {
  readonly epoch: Epoch;
  readonly last: Readonly<Partial<Record<Channel, Readonly<Record<StockSymbol, Seq>>>>>;
}

/** Protocol extensions (`x`) of a command. An omitted option keeps its current value. */
export interface Extensions {
  /** Echoed in the acknowledgement. */
  readonly id?: number;
  /** Conflation interval in ms: at most one frame per interval; 0 disables conflation. */
  readonly conflateMs?: number;
  readonly heartbeatMs?: number;
  /** Whether the latest object of each newly subscribed stream is sent at once. */
  readonly snapshot?: boolean;
  readonly resume?: Resume;
  /** Further options, as on the wire. */
  readonly other?: Readonly<Record<string, unknown>>;
}

export const auth = ({ id, secret }: Key): string => JSON.stringify({ action: "auth", key: id, secret });

export function subscribe(streams: StreamSelection, { id, conflateMs, heartbeatMs, snapshot, resume, other }: Extensions = {}): string {
  const x = {
    ...{ id, conflate_ms: conflateMs, heartbeat_ms: heartbeatMs, snapshot },
    resume: resume && { epoch: resume.epoch, sq: resume.last },
    ...other,
  };
  const isExtended = Object.values(x).some((value) => value !== undefined);
  return JSON.stringify({ action: "subscribe", ...nonEmpty(streams), ...(isExtended ? { x } : {}) });
}

export const unsubscribe = (streams: StreamSelection): string => JSON.stringify({ action: "unsubscribe", ...nonEmpty(streams) });

export function isEmpty(streams: StreamSelection): boolean {
  return CHANNELS.every((channel) => (streams[channel] ?? []).length === 0);
}

/** The channels that have symbols, in the protocol's order. */
function nonEmpty(streams: StreamSelection): Record<string, unknown> {
  const channels = CHANNELS.filter((channel) => (streams[channel] ?? []).length > 0);
  return Object.fromEntries(channels.map((channel) => [channel, streams[channel]]));
}
