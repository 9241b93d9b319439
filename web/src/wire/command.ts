import { CHANNELS, type Channel, type Epoch, type Seq, type StockSymbol } from "../model";

/** What lets a client in, where the server asks for it. */
export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** Symbols per channel, as a command carries them. */
export type Wants = Readonly<Partial<Record<Channel, readonly StockSymbol[]>>>;

/** The last numbers that a client has, and the epoch in which they were given. */
export interface Resume {
  readonly epoch: Epoch;
  readonly last: Readonly<Partial<Record<Channel, Readonly<Record<StockSymbol, Seq>>>>>;
}

/** What a client opts into, or asks to change; what is left out stays as it is. */
export interface Extensions {
  /** Comes back in the acknowledgement. */
  readonly id?: number;
  /** At most one frame in so many milliseconds; 0 is every one. */
  readonly conflateMs?: number;
  readonly heartbeatMs?: number;
  /** Whether the newest object of each new stream comes first. */
  readonly snapshot?: boolean;
  readonly resume?: Resume;
}

export const auth = ({ id, secret }: Key): string => JSON.stringify({ action: "auth", key: id, secret });

export function subscribe(wants: Wants, { id, conflateMs, heartbeatMs, snapshot, resume }: Extensions = {}): string {
  const x = {
    ...{ id, conflate_ms: conflateMs, heartbeat_ms: heartbeatMs, snapshot },
    resume: resume && { epoch: resume.epoch, sq: resume.last },
  };
  const asks = Object.values(x).some((value) => value !== undefined);
  return JSON.stringify({ action: "subscribe", ...named(wants), ...(asks ? { x } : {}) });
}

export const unsubscribe = (wants: Wants): string => JSON.stringify({ action: "unsubscribe", ...named(wants) });

export function isEmpty(wants: Wants): boolean {
  return CHANNELS.every((channel) => (wants[channel] ?? []).length === 0);
}

/** Channels in the protocol's order; those without symbols are left out. */
function named(wants: Wants): Record<string, unknown> {
  const channels = CHANNELS.filter((channel) => (wants[channel] ?? []).length > 0);
  return Object.fromEntries(channels.map((channel) => [channel, wants[channel]]));
}
