import { millis, type Epoch, type MarketEvent, type Millis, type ObjectChannel } from "../model";
import * as wire from "../wire";
import type { Acknowledgement, Control, Extensions, Key, ServerError } from "../wire";
import { DEFAULT_BACKOFF, waitMs } from "./backoff";
import { Connection, type Negotiated } from "./connection";
import { zeroCounters, type Counters } from "./counters";
import type { ClientEvents } from "./events";
import { Listeners } from "./listeners";
import { Liveness } from "./liveness";
import type { ClientOptions } from "./options";
import { RequestError } from "./requests";
import type { Runtime } from "./runtime";
import { SequenceChecker, type Gap } from "./sequence";
import type { CommandPort, SessionPart } from "./session-part";
import type { ClientState } from "./state";
import { selectionOf, Subscriptions, type Streams } from "./subscriptions";

/**
 * A stream client that reconnects and resumes.
 *
 * It connects, waits for the greeting and subscribes. After a close it waits and connects again, unless the close code
 * advises against it. Streams can be subscribed to at any time: subscriptions and sequence numbers outlive the
 * connection.
 */
export class Client {
  readonly counters: Counters = zeroCounters();
  private readonly runtime: Runtime;
  private readonly options: Required<Omit<ClientOptions, "key" | "url">>;
  private readonly listeners = new Listeners<ClientEvents>();
  private readonly subscriptions = new Subscriptions();
  private readonly sequence = new SequenceChecker();
  private readonly parts: SessionPart[] = [];
  private connection: Connection | undefined;
  private liveness: Liveness;
  private epoch: Epoch | undefined;
  private conflateMs: number;
  /** The conflation interval in effect: another one than asked for if `sendText` changed it. */
  private grantedMs: number;
  private key: Key | undefined;
  private url: string;
  /** Streams that this connection asked to resume and the server has not answered for, as `channel symbol`. */
  private readonly resuming = new Set<string>();
  private commands = 0;
  /** The command that last changed the conflation interval. */
  private conflationCommand = 0;
  /** True once a command of this connection is acknowledged: the epoch is known from then on. */
  private hasAcknowledgement = false;
  /** True once this connection sent a command that is acknowledged. */
  private hasSubscribed = false;
  private reconnectMs: number | undefined;
  private cancelTimer: () => void = () => undefined;
  private cancelHeartbeat: () => void = () => undefined;
  /** Consecutive closes without a session that lived for `resetAfterMs`. */
  private failures = 0;
  private current: ClientState = { phase: "idle" };

  constructor(runtime: Runtime, options: ClientOptions) {
    const defaults = { backoff: DEFAULT_BACKOFF, greetingMs: 10_000, conflateMs: 0, heartbeatMs: 2_000, roundTripMs: 5_000 };
    this.runtime = runtime;
    this.options = { ...defaults, resume: ["trades"], ...options };
    this.conflateMs = this.options.conflateMs;
    this.grantedMs = this.conflateMs;
    this.key = options.key;
    this.url = options.url;
    this.liveness = new Liveness(runtime.now());
  }

  /** Adds a part to the session. The constructors of `Topics` and `Alerts` call it. */
  attach(part: SessionPart): CommandPort {
    this.parts.push(part);
    return {
      runtime: this.runtime,
      isLive: () => this.isLive,
      isAcknowledged: () => this.isAcknowledged,
      requestAcknowledgement: () => {
        if (this.isLive && !this.hasSubscribed) this.subscribeSession();
      },
      epoch: () => this.epoch,
      lastTrade: (symbol) => this.sequence.lastOf("trades", symbol),
      streams: () => this.subscriptions.all(),
      nextId: () => this.nextId(),
      send: (command) => {
        this.send(command);
      },
    };
  }

  get state(): ClientState {
    return this.current;
  }

  /** True once a command of the live connection is acknowledged. The server sends heartbeats from then on. */
  get isAcknowledged(): boolean {
    return this.isLive && this.hasAcknowledgement;
  }

  /** When data last arrived. */
  get lastReceived(): Millis {
    return this.liveness.lastReceived;
  }

  /** The URL that this connection, or the next one, is opened with. */
  get address(): string {
    return this.url;
  }

  /** Undefined without a connection. */
  get negotiated(): Negotiated | undefined {
    return this.connection?.negotiated;
  }

  /** The epoch of the server's latest acknowledgement. */
  get serverEpoch(): Epoch | undefined {
    return this.epoch;
  }

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Connects now, cancelling a wait. Does nothing if a connection exists. */
  connect(): void {
    if (this.connection !== undefined) return;
    this.cancelTimer();
    this.sequence.reset(this.options.resume);
    this.liveness = new Liveness(this.runtime.now());
    this.hasAcknowledgement = false;
    this.hasSubscribed = false;
    this.resuming.clear();
    this.reconnectMs = undefined;
    this.connection = new Connection(this.runtime, this.url, {
      opened: () => {
        this.enter({ phase: "greeting" });
      },
      received: (data) => {
        this.receive(data);
      },
      closed: (code, reason) => {
        this.closed(code, reason);
      },
    });
    this.cancelTimer = this.runtime.after(this.options.greetingMs, () => {
      this.abort();
    });
    this.enter({ phase: "connecting" });
  }

  /** Closes and stays closed. */
  close(): void {
    this.cancelTimer();
    this.cancelHeartbeat();
    if (this.connection === undefined) {
      this.enter({ phase: "ended", close: wire.closeOf(1000) });
    } else {
      this.enter({ phase: "closing" });
      this.connection.close();
    }
  }

  /** Subscribes to further streams. A snapshot of each new stream follows. Throws a `TypeError` for what is no symbol or no channel. */
  subscribe(streams: Streams): void {
    const added = this.subscriptions.add(selectionOf(streams));
    if (!this.isLive || wire.isEmpty(added)) return;
    if (this.hasSubscribed) this.send(wire.subscribe(added, { id: this.nextId(), snapshot: true }));
    else this.subscribeSession();
  }

  unsubscribe(streams: Streams): void {
    const removed = this.subscriptions.remove(selectionOf(streams));
    if (this.isLive && !wire.isEmpty(removed)) this.send(wire.unsubscribe(removed));
  }

  /** Changes the conflation interval of this connection and later ones. */
  setConflation(conflateMs: number): void {
    if (conflateMs === this.conflateMs && conflateMs === this.grantedMs) return;
    this.conflateMs = conflateMs;
    this.grantedMs = conflateMs;
    if (!this.isLive) return;
    this.ping({ conflateMs });
    this.conflationCommand = this.commands;
  }

  /** Changes the credentials and opens a new connection with them at once. */
  authenticate(key: Key): void {
    this.key = key;
    this.reopen();
  }

  /** Changes the URL, such as the `userId` in it, and opens a new connection there at once. Streams resume. */
  moveTo(url: string): void {
    this.url = url;
    this.reopen();
  }

  /**
   * Sends a message as it is, for tools; false if the connection is not live. The client does not read it: a subscription
   * made this way ends with the connection.
   */
  sendText(text: string): boolean {
    if (this.isLive) this.send(text);
    return this.isLive;
  }

  private reopen(): void {
    this.connection?.abort();
    this.connection = undefined;
    this.cancelHeartbeat();
    this.endCommands();
    this.connect();
  }

  /** Commands are only sent in this state: the subscribe command after the greeting carries everything else. */
  private get isLive(): boolean {
    return this.current.phase === "live";
  }

  /** The connection ended: nothing more is answered on it. */
  private endCommands(): void {
    for (const part of this.parts) part.disconnected();
  }

  private send(command: string): void {
    if (this.connection === undefined) return;
    this.connection.send(command);
    if (this.listeners.has("frame")) this.listeners.emit("frame", { direction: "out", data: command, at: this.runtime.now() });
  }

  /** Sends a subscribe command without streams. Its acknowledgement measures the round trip. */
  private ping(extensions: Extensions): void {
    const id = this.nextId();
    this.liveness.commandSent(id, this.runtime.now());
    this.send(wire.subscribe({}, { id, ...extensions }));
  }

  private nextId(): number {
    return (this.commands += 1);
  }

  private receive(data: unknown): void {
    const receivedAt = this.runtime.now();
    if (this.listeners.has("frame")) this.listeners.emit("frame", { direction: "in", data, at: receivedAt });
    const frame = wire.readFrame(data, this.parts.map(({ read }) => read));
    this.liveness.received(receivedAt);
    this.counters.frames += 1;
    this.counters.bytes += typeof data === "string" ? data.length : 0;
    for (const control of frame.controls) this.handleControl(control, receivedAt);
    for (const error of frame.errors) this.listeners.emit("unreadable", error);
    const events = frame.events.flatMap((event) => this.accept(event) ?? []);
    if (events.length > 0) this.listeners.emit("market", { events, receivedAt });
  }

  /** Counts an event and reports a gap before it; undefined for a duplicate. */
  private accept(event: MarketEvent): MarketEvent | undefined {
    const order = this.sequence.check(event);
    this.counters.objects += 1;
    this.counters.conflated += event.conflated;
    if (order === "duplicate") {
      this.counters.duplicates += event.origin === "live" ? 1 : 0;
      return undefined;
    }
    if (order !== "next") this.reportGap(order);
    const isReplayed = this.current.phase === "live" && event.time < this.current.since && event.origin === "live";
    if (!isReplayed || !this.isResumed(event.channel)) return event;
    this.counters.recovered += 1;
    return { ...event, origin: "replay" };
  }

  private isResumed(channel: ObjectChannel): boolean {
    return this.counters.connections > 1 && this.options.resume.some((resumed) => resumed === channel);
  }

  /**
   * Handles a gap that the server reported. The answer to a resume is a gap from number 1 if the server does not know the
   * epoch or the number: the stream began anew. That is no loss, because no number of the new stream was ever due.
   */
  private skip(gap: Gap): void {
    this.sequence.skip(gap);
    const isFirst = this.resuming.delete(`${gap.channel} ${gap.symbol}`);
    if (!isFirst || gap.from > 1) this.reportGap(gap);
  }

  private reportGap(gap: Gap): void {
    this.counters.gaps += 1;
    this.counters.missed += gap.to - gap.from + 1;
    this.listeners.emit("gap", gap);
  }

  private handleControl(control: Control, now: Millis): void {
    if (control.control === "connected") this.greeted();
    else if (control.control === "subscription") {
      this.acknowledged(control.acknowledgement, now);
      this.sequence.retainOnly(control.channels);
    } else if (control.control === "gap") this.skip({ ...control.missing, detectedBy: "server" });
    else if (control.control === "heartbeat") this.listeners.emit("heartbeat", { ageMs: control.ageMs, receivedAt: now });
    else if (control.control === "feed") this.listeners.emit("feed", control.notice);
    else if (control.control === "epoch") {
      this.epoch = control.epoch;
      if (control.numbers === "restart") this.restart();
    } else if (control.control === "drain") {
      this.reconnectMs = control.reconnectMs;
      this.listeners.emit("drain", control.reconnectMs);
    } else if (control.control === "error") this.failed(control);
    for (const part of this.parts) part.handle(control);
  }

  /** The numbers of all streams begin again. */
  private restart(): void {
    this.sequence.reset();
    for (const part of this.parts) part.restart();
  }

  /** An error belongs to the command that it names, else to the session. */
  private failed({ code, message, why, id, retryMs }: ServerError): void {
    const error = new RequestError(code, why === undefined ? message : `${message}: ${why}`, retryMs);
    if (!this.parts.some((part) => part.failed(id, error))) this.listeners.emit("serverError", { code, message, why });
  }

  private greeted(): void {
    if (this.current.phase !== "greeting") return;
    this.cancelTimer();
    this.counters.connections += 1;
    this.enter({ phase: "live", since: this.runtime.now() });
    if (this.key !== undefined) this.send(wire.auth(this.key));
    if (!wire.isEmpty(this.subscriptions.all()) || this.parts.some(({ isEmpty }) => !isEmpty)) this.subscribeSession();
    this.startHeartbeat();
  }

  /** Sends a connection's first subscribe command. */
  private subscribeSession(): void {
    this.hasSubscribed = true;
    this.send(wire.subscribe(this.subscriptions.all(), this.sessionExtensions()));
  }

  /** The extensions of a session's first subscribe command. */
  private sessionExtensions(): Extensions {
    const id = this.nextId();
    this.liveness.commandSent(id, this.runtime.now());
    const other = Object.assign({}, ...this.parts.map(({ extensions }) => extensions?.())) as Readonly<Record<string, unknown>>;
    const extensions = { id, conflateMs: this.conflateMs, heartbeatMs: this.options.heartbeatMs, snapshot: true, other };
    const last = this.sequence.lastNumbers(this.subscriptions.all(), this.options.resume);
    if (this.epoch === undefined || Object.keys(last).length === 0) return extensions;
    for (const [channel, streams] of Object.entries(last)) {
      for (const symbol of Object.keys(streams)) this.resuming.add(`${channel} ${symbol}`);
    }
    return { ...extensions, resume: { epoch: this.epoch, last } };
  }

  private acknowledged(acknowledgement: Acknowledgement | undefined, now: Millis): void {
    const isKnown = acknowledgement !== undefined && acknowledgement.epoch === this.epoch;
    const epochIs = isKnown ? "known" : this.epoch === undefined ? "first" : "new";
    // Sequence numbers of another epoch are not comparable.
    const isFirst = !this.hasAcknowledgement;
    if (isFirst && !isKnown) this.sequence.reset();
    this.hasAcknowledgement = true;
    // Without options a command is acknowledged without an epoch, which then is the same as before.
    if (isFirst || acknowledgement !== undefined) this.epoch = acknowledgement?.epoch;
    if (isFirst) {
      for (const part of this.parts) part.begin(epochIs);
    }
    if (acknowledgement === undefined) return;
    this.liveness.setHeartbeat(acknowledgement.heartbeatMs);
    const roundTrip = this.liveness.acknowledged(acknowledgement.id, now);
    if (roundTrip !== undefined) this.listeners.emit("roundTrip", roundTrip);
    // The acknowledgement of an earlier command tells the interval of before the change.
    const isOutdated = (acknowledgement.id ?? this.conflationCommand) < this.conflationCommand;
    const conflateMs = isOutdated ? this.conflateMs : acknowledgement.conflateMs;
    this.grantedMs = conflateMs;
    this.listeners.emit("acknowledged", { ...acknowledgement, conflateMs, epochIs });
  }

  /** Once per heartbeat interval: drops a dead connection, and measures the round trip every `roundTripMs`. */
  private startHeartbeat(): void {
    const { roundTripMs, heartbeatMs } = this.options;
    const ticksPerPing = Math.max(1, Math.round(roundTripMs / heartbeatMs));
    const tick = (number: number) => {
      if (this.liveness.isDead(this.runtime.now())) {
        this.abort();
        return;
      }
      if (number % ticksPerPing === 0 && this.epoch !== undefined) this.ping({});
      this.cancelHeartbeat = this.runtime.after(heartbeatMs, () => {
        tick(number + 1);
      });
    };
    this.cancelHeartbeat = this.runtime.after(heartbeatMs, () => {
      tick(1);
    });
  }

  /** Drops a connection that does not open, does not greet or is dead. */
  private abort(): void {
    this.connection?.abort();
    this.closed(1006, "");
  }

  private closed(code: number, reason: string): void {
    const before = this.current;
    const close = wire.closeOf(code, reason);
    this.connection = undefined;
    this.cancelTimer();
    this.cancelHeartbeat();
    this.endCommands();
    if (before.phase === "closing" || close.reconnect === "never") {
      this.enter({ phase: "ended", close });
      return;
    }

    const now = this.runtime.now();
    const hasLived = before.phase === "live" && now - before.since >= this.options.backoff.resetAfterMs;
    this.failures = hasLived ? 1 : this.failures + 1;
    // A delay from a drain message already contains the server's jitter.
    const wait = this.reconnectMs ?? waitMs(this.failures, close.reconnect, this.runtime.random(), this.options.backoff);
    this.cancelTimer = this.runtime.after(wait, () => {
      this.connect();
    });
    this.enter({ phase: "waiting", until: millis(now + wait), close });
    if (before.phase === "connecting") this.diagnose();
  }

  /**
   * Finds out why connections do not open. Only until the first one does, which shows that there is a way: if a server goes
   * down, those who were connected do not ask it for more. And ever more rarely.
   */
  private diagnose(): void {
    const isPowerOfTwo = (this.failures & (this.failures - 1)) === 0;
    if (this.counters.connections > 0 || !isPowerOfTwo) return;
    void this.runtime.diagnose?.(this.url).then((error) => {
      if (this.counters.connections === 0 && this.current.phase !== "ended") this.listeners.emit("connectError", error);
    });
  }

  private enter(state: ClientState): void {
    this.current = state;
    this.listeners.emit("state", state);
  }
}
