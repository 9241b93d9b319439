import { millis, type Channel, type Epoch, type MarketEvent, type Millis } from "../model";
import * as wire from "../wire";
import type { Control, Extensions, Acknowledgement, Key, StreamSelection } from "../wire";
import { DEFAULT_BACKOFF, waitMs, type Backoff } from "./backoff";
import { Connection } from "./connection";
import { noCounts, type Counts } from "./counts";
import { Listeners } from "./listeners";
import { Pulse } from "./pulse";
import { SequenceCheck, type Gap } from "./sequence";
import type { ClientState } from "./state";
import { Subscription } from "./subscription";
import type { World } from "./world";

/** What a client tells its listeners. */
export interface ClientEvents {
  /** The state changed. */
  state: ClientState;
  /** What one frame said of the market, in order, nothing twice. */
  market: { readonly events: readonly MarketEvent[]; readonly receivedAt: Millis };
  /** Something is missing from a stream. */
  gap: Gap;
  /** The server took a command and says what it grants; `is` tells a new life of it from the one we knew. */
  granted: Acknowledgement & { readonly is: "the same" | "another" };
  /** Nothing else was sent for a while: the newest event of the whole market was so old at that time. */
  heartbeat: { readonly ageMs: number; readonly receivedAt: Millis };
  /** From a question to its answer, in milliseconds. */
  roundTrip: number;
  /** The server is about to stop and asks to come back after so many milliseconds. */
  drain: number;
  /** The server refused something. The connection may live on. */
  refused: { readonly code: number; readonly message: string };
  /** Something came that cannot be read; in one sentence. */
  fault: string;
}

export interface ClientOptions {
  readonly url: string;
  readonly backoff?: Backoff;
  /** How long a server may take from the first call to its greeting. Default 10 s, the time it gives us to log in. */
  readonly greetingMs?: number;
  /** At most one frame in so many milliseconds; default 0, every one. Changed live by `pace`. */
  readonly conflateMs?: number;
  /** A sign of life is asked for after so much silence; default 2 s. A server silent for 2.5 of them is given up. */
  readonly heartbeatMs?: number;
  /** Shown to each server that greets us; default none. Changed by `present`. */
  readonly key?: Key | undefined;
  /** How often the round trip is measured; default 5 s. */
  readonly roundTripMs?: number;
  /** The channels without holes: after a reconnect they go on where they ended. Default: trades. */
  readonly resume?: readonly Channel[];
}

/**
 * Keeps one conversation with a server alive.
 *
 * Connects, waits to be greeted, subscribes to all that is wanted; after a close it waits and does
 * it again, unless the server said not to come back. Subscribing is possible at any time: what is
 * wanted outlives the connection, and so do the numbers from which a stream is resumed.
 */
export class Client {
  readonly counts: Counts = noCounts();
  private readonly world: World;
  private readonly options: Required<Omit<ClientOptions, "key">>;
  private readonly listeners = new Listeners<ClientEvents>();
  private readonly subscription = new Subscription();
  private readonly sequence = new SequenceCheck();
  private connection: Connection | undefined;
  private pulse: Pulse;
  private epoch: Epoch | undefined;
  private conflateMs: number;
  private key: Key | undefined;
  private commands = 0;
  /** Whether this connection has been acknowledged: from then on the epoch is known. */
  private isAcknowledged = false;
  private reconnectMs: number | undefined;
  private cancelTimer: () => void = () => undefined;
  private cancelBeat: () => void = () => undefined;
  /** Closes in a row without a session that lived. */
  private failures = 0;
  private current: ClientState = { phase: "idle" };

  constructor(world: World, options: ClientOptions) {
    const defaults = { backoff: DEFAULT_BACKOFF, greetingMs: 10_000, conflateMs: 0, heartbeatMs: 2_000, roundTripMs: 5_000 };
    this.world = world;
    this.options = { ...defaults, resume: ["trades"], ...options };
    this.conflateMs = this.options.conflateMs;
    this.key = options.key;
    this.pulse = new Pulse(world.now());
  }

  get state(): ClientState {
    return this.current;
  }

  /** Whether the server has taken a command of this connection: from then on it gives signs of life. */
  get isServed(): boolean {
    return this.isLive && this.isAcknowledged;
  }

  /** When anything was last heard of the server. */
  get lastHeard(): Millis {
    return this.pulse.lastHeard;
  }

  /** Listens; the answer stops listening. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Connects now, cutting a wait short. Does nothing while a connection is there. */
  connect(): void {
    if (this.connection !== undefined) return;
    this.cancelTimer();
    this.sequence.reset(this.options.resume);
    this.pulse = new Pulse(this.world.now());
    this.isAcknowledged = false;
    this.reconnectMs = undefined;
    this.connection = new Connection(this.world, this.options.url, {
      opened: () => {
        this.enter({ phase: "greeting" });
      },
      received: (data) => {
        this.receive(data);
      },
      ended: (code) => {
        this.ended(code);
      },
    });
    this.cancelTimer = this.world.after(this.options.greetingMs, () => {
      this.giveUp();
    });
    this.enter({ phase: "connecting" });
  }

  /** Closes and stays closed. */
  close(): void {
    this.cancelTimer();
    this.cancelBeat();
    if (this.connection === undefined) {
      this.enter({ phase: "ended", close: wire.closeOf(1000) });
    } else {
      this.enter({ phase: "closing" });
      this.connection.close();
    }
  }

  /** StreamSelection these as well; the newest of each comes at once, marked as a snapshot. */
  subscribe(wants: StreamSelection): void {
    const added = this.subscription.add(wants);
    if (this.isLive && !wire.isEmpty(added)) this.send(wire.subscribe(added, { id: this.nextId(), snapshot: true }));
  }

  unsubscribe(wants: StreamSelection): void {
    const removed = this.subscription.remove(wants);
    if (this.isLive && !wire.isEmpty(removed)) this.send(wire.unsubscribe(removed));
  }

  /** At most one frame in so many milliseconds from now on, on this connection and those after it. */
  pace(conflateMs: number): void {
    if (conflateMs === this.conflateMs) return;
    this.conflateMs = conflateMs;
    if (this.isLive) this.ask({ conflateMs });
  }

  /** Shows this key instead, on a new connection at once and on those after it. */
  present(key: Key): void {
    this.key = key;
    this.connection?.abandon();
    this.connection = undefined;
    this.cancelBeat();
    this.connect();
  }

  /** While nobody listens nothing need be sent: the greeting is answered with all that is wanted. */
  private get isLive(): boolean {
    return this.current.phase === "live";
  }

  private send(command: string): void {
    this.connection?.send(command);
  }

  /** A command that wants no data: its acknowledgement measures the round trip. */
  private ask(extensions: Extensions): void {
    const id = this.nextId();
    this.pulse.asks(id, this.world.now());
    this.send(wire.subscribe({}, { id, ...extensions }));
  }

  private nextId(): number {
    this.commands += 1;
    return this.commands;
  }

  private receive(data: unknown): void {
    const receivedAt = this.world.now();
    const frame = wire.readFrame(data);
    this.pulse.heard(receivedAt);
    this.counts.frames += 1;
    this.counts.bytes += typeof data === "string" ? data.length : 0;
    for (const control of frame.controls) this.obey(control, receivedAt);
    for (const fault of frame.errors) this.listeners.tell("fault", fault);
    const events = frame.events.filter((event) => this.isNews(event));
    if (events.length > 0) this.listeners.tell("market", { events, receivedAt });
  }

  /** Whether an event is wanted and new; counts it and tells of a gap before it. */
  private isNews(event: MarketEvent): boolean {
    const order = this.sequence.check(event);
    this.counts.objects += 1;
    this.counts.conflated += event.conflated;
    if (order === "again") {
      this.counts.repeated += event.origin === "live" ? 1 : 0;
      return false;
    }
    if (order !== "follows") this.tellGap(order);
    const isReplayed = this.current.phase === "live" && event.time < this.current.since && event.origin === "live";
    if (isReplayed && this.isResumed(event.channel)) this.counts.healed += 1;
    return true;
  }

  private isResumed(channel: Channel): boolean {
    return this.counts.connections > 1 && this.options.resume.includes(channel);
  }

  private tellGap(gap: Gap): void {
    this.counts.gaps += 1;
    this.counts.missed += gap.to - gap.from + 1;
    this.listeners.tell("gap", gap);
  }

  private obey(control: Control, now: Millis): void {
    switch (control.control) {
      case "connected":
        this.greeted();
        break;
      case "authenticated":
        break;
      case "subscription":
        this.acknowledged(control.acknowledgement, now);
        this.sequence.keepOnly(control.channels);
        break;
      case "gap": {
        const gap: Gap = { ...control, known: "told" };
        this.sequence.skip(gap);
        this.tellGap(gap);
        break;
      }
      case "heartbeat":
        this.listeners.tell("heartbeat", { ageMs: control.ageMs, receivedAt: now });
        break;
      case "drain":
        this.reconnectMs = control.reconnectMs;
        this.listeners.tell("drain", control.reconnectMs);
        break;
      case "error":
        this.listeners.tell("refused", { code: control.code, message: control.message });
        break;
    }
  }

  private greeted(): void {
    if (this.current.phase !== "greeting") return;
    this.cancelTimer();
    this.counts.connections += 1;
    this.enter({ phase: "live", since: this.world.now() });
    if (this.key !== undefined) this.send(wire.auth(this.key));
    const wants = this.subscription.all();
    if (!wire.isEmpty(wants)) this.send(wire.subscribe(wants, this.opening()));
    this.beat();
  }

  /** What a new session is asked for, beside its streams. */
  private opening(): Extensions {
    const id = this.nextId();
    this.pulse.asks(id, this.world.now());
    const asked = { id, conflateMs: this.conflateMs, heartbeatMs: this.options.heartbeatMs, snapshot: true };
    const wanted = Object.entries(this.subscription.all()).filter(([channel]) => this.options.resume.includes(channel as Channel));
    const last = this.sequence.lastOf(Object.fromEntries(wanted));
    if (this.epoch === undefined || Object.keys(last).length === 0) return asked;
    return { ...asked, resume: { epoch: this.epoch, last } };
  }

  private acknowledged(granted: Acknowledgement | undefined, now: Millis): void {
    const is = granted?.epoch === this.epoch ? "the same" : "another";
    // Numbers of another life prove nothing.
    if (!this.isAcknowledged && (granted === undefined || is === "another")) this.sequence.reset();
    this.isAcknowledged = true;
    this.epoch = granted?.epoch;
    if (granted === undefined) return;
    this.pulse.promised(granted.heartbeatMs);
    const took = this.pulse.answered(granted.id, now);
    if (took !== undefined) this.listeners.tell("roundTrip", took);
    this.listeners.tell("granted", { ...granted, is });
  }

  /** Each time asks the server for an answer; leaves one that has nothing to say any more. */
  private beat(): void {
    const { roundTripMs, heartbeatMs } = this.options;
    const turns = Math.max(1, Math.round(roundTripMs / heartbeatMs));
    const turn = (number: number) => {
      if (this.pulse.isGone(this.world.now())) {
        this.giveUp();
        return;
      }
      if (number % turns === 0 && this.epoch !== undefined) this.ask({});
      this.cancelBeat = this.world.after(heartbeatMs, () => {
        turn(number + 1);
      });
    };
    this.cancelBeat = this.world.after(heartbeatMs, () => {
      turn(1);
    });
  }

  /** Leaves a socket that is open, or opening, and says nothing. */
  private giveUp(): void {
    this.connection?.abandon();
    this.ended(1006);
  }

  private ended(code: number): void {
    const was = this.current;
    const close = wire.closeOf(code);
    this.connection = undefined;
    this.cancelTimer();
    this.cancelBeat();
    if (was.phase === "closing" || close.reconnect === "never") {
      this.enter({ phase: "ended", close });
      return;
    }

    const now = this.world.now();
    const forgiven = was.phase === "live" && now - was.since >= this.options.backoff.forgiveMs;
    this.failures = forgiven ? 1 : this.failures + 1;
    // A server that names the time has spread its clients already.
    const wait = this.reconnectMs ?? waitMs(this.failures, close.reconnect, this.world.random(), this.options.backoff);
    this.cancelTimer = this.world.after(wait, () => {
      this.connect();
    });
    this.enter({ phase: "waiting", until: millis(now + wait), close });
  }

  private enter(state: ClientState): void {
    this.current = state;
    this.listeners.tell("state", state);
  }
}
