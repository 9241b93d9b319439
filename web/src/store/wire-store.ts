import { readyStateOf, type Client, type ClientState, type Millis } from "@tapecast/client";
import { Answers, errorOf, FrameLog, Timeline, writeMessagePack, type Outcome, type StateChange, type Target, type WireConnection } from "../wire-log";

/** The part of a trial connection that the store uses. */
export interface ProbeLike {
  readonly protocol: string;
  readonly extensions: string;
  send(data: string | Uint8Array): void;
  close(): void;
  drop(): void;
}

export interface WireHost {
  readonly client: Client;
  readonly now: () => Millis;
  readonly urlOf: (target: Exclude<Target, "live">) => string;
  readonly openProbe: (
    url: string,
    events: {
      readonly opened: () => void;
      readonly received: (data: string | Uint8Array) => void;
      readonly closed: (code: number, reason: string) => void;
    },
  ) => ProbeLike;
  /** Something that is shown changed. */
  readonly changed: () => void;
}

interface Channel {
  readonly log: FrameLog;
  readonly states: Timeline;
  readonly answers: Answers;
}

/**
 * What is on the wire: the messages and states of the page's connection, and of one that is opened to try things out.
 *
 * It listens from when it is made until `end`, and nothing is kept before and after. While it does not exist, the client
 * has no listener for messages.
 */
export class WireStore {
  private readonly host: WireHost;
  private readonly channels: Readonly<Record<Target, Channel>> = { live: channel("stream"), echo: channel("echo"), msgpack: channel("stream") };
  private readonly stops: readonly (() => void)[];
  private current: Target = "live";
  private probe: ProbeLike | undefined;
  private commands = 0;
  /** The command that is being sent on the page's connection, whose message the client reports. */
  private sending: number | undefined;
  private latest: Outcome | undefined;

  constructor(host: WireHost) {
    const { client, now } = host;
    this.host = host;
    const { state } = client;
    this.enterLive(state, state.phase === "live" ? state.since : now());
    this.stops = [
      client.on("frame", ({ direction, data, at }) => {
        // The client speaks JSON. A binary message would be an error of the server's, which the client reports.
        this.add("live", direction, typeof data === "string" ? data : "", at, this.sending);
      }),
      client.on("state", (state) => {
        this.enterLive(state, now());
        host.changed();
      }),
    ];
  }

  /** Stops listening and closes the trial connection. */
  end(): void {
    for (const stop of this.stops) stop();
    this.drop();
  }

  get target(): Target {
    return this.current;
  }

  get log(): FrameLog {
    return this.channels[this.current].log;
  }

  get outcome(): Outcome | undefined {
    return this.latest;
  }

  /** True if the newest message of the page's connection refuses a command of the send box. */
  get isRefused(): boolean {
    const { live } = this.channels;
    const newest = live.log.entries.at(-1);
    return newest?.mark?.roundTripMs !== undefined && errorOf(newest.tree) !== undefined;
  }

  /** The number that the next command gets. */
  get nextCommand(): number {
    return this.commands + 1;
  }

  get connection(): WireConnection {
    const { states } = this.channels[this.current];
    const [address, agreed] = this.current === "live" ? [this.host.client.address, this.host.client.negotiated] : [this.host.urlOf(this.current), this.probe];
    return { address, protocol: agreed?.protocol ?? "", extensions: agreed?.extensions ?? "", states: states.entries, state: states.current?.state ?? "CLOSED" };
  }

  /** Shows another connection. A trial connection is opened, and the one before closed. */
  choose(target: Target): void {
    if (target === this.current) return;
    this.drop();
    this.current = target;
    this.latest = undefined;
    this.connect();
    this.host.changed();
  }

  /** Opens the trial connection that is chosen, unless it is open. */
  connect(): void {
    const { current } = this;
    if (current === "live" || this.probe !== undefined) return;
    this.enter(current, { state: "CONNECTING", at: this.host.now() });
    this.probe = this.host.openProbe(this.host.urlOf(current), {
      opened: () => {
        this.enter(current, { state: "OPEN", at: this.host.now() });
      },
      received: (data) => {
        this.add(current, "in", data, this.host.now(), undefined);
      },
      closed: (code, reason) => {
        this.probe = undefined;
        this.enter(current, { state: "CLOSED", at: this.host.now(), close: { code, reason } });
        this.lose(current);
      },
    });
  }

  /** Starts the closing handshake of the trial connection. */
  disconnect(): void {
    if (this.probe === undefined) return;
    this.enter(this.current, { state: "CLOSING", at: this.host.now() });
    this.probe.close();
  }

  /** Sends a command on the connection that is shown. With MessagePack it is encoded, unless it is not JSON. */
  send(text: string): void {
    this.commands += 1;
    const command = this.commands;
    this.latest = { command, status: "waiting" };
    if (!(this.current === "live" ? this.sendLive(text, command) : this.sendProbe(text, command))) this.latest = { command, status: "unsent" };
    this.host.changed();
  }

  private sendLive(text: string, command: number): boolean {
    this.sending = command;
    try {
      return this.host.client.sendText(text);
    } finally {
      this.sending = undefined;
    }
  }

  private sendProbe(text: string, command: number): boolean {
    if (this.probe === undefined || this.channels[this.current].states.current?.state !== "OPEN") return false;
    const data = this.current === "msgpack" ? packed(text) : text;
    this.probe.send(data);
    this.add(this.current, "out", data, this.host.now(), command);
    return true;
  }

  private add(target: Target, direction: "in" | "out", data: string | Uint8Array, at: Millis, command: number | undefined): void {
    const { log, answers } = this.channels[target];
    const frame = log.add({ target, direction, at, data });
    if (direction === "out") {
      answers.sent(frame, command);
      if (command !== undefined) frame.mark = { command };
    } else {
      const mark = answers.received(frame);
      frame.mark = mark;
      if (mark !== undefined && mark.command === this.latest?.command) this.latest = { ...mark, status: "answered", answer: frame };
    }
    this.host.changed();
  }

  private enterLive(state: ClientState, at: Millis): void {
    const ready = readyStateOf(state);
    const close = state.phase === "waiting" || state.phase === "ended" ? { close: state.close } : {};
    this.enter("live", { state: ready, at, ...close });
    if (ready === "CLOSED" || ready === "CONNECTING") this.lose("live");
  }

  private enter(target: Target, change: StateChange): void {
    this.channels[target].states.enter(change);
    this.host.changed();
  }

  /** The connection ended: what was not answered never is. */
  private lose(target: Target): void {
    const lost = this.channels[target].answers.end();
    const { latest } = this;
    if (latest?.status === "waiting" && lost.includes(latest.command)) this.latest = { command: latest.command, status: "lost" };
  }

  /** Ends the trial connection without waiting for the server. */
  private drop(): void {
    if (this.probe === undefined) return;
    this.probe.drop();
    this.probe = undefined;
    const close = { code: 1000, reason: "" };
    this.channels[this.current].states.enter({ state: "CLOSED", at: this.host.now(), close });
    this.lose(this.current);
  }
}

const channel = (protocol: "stream" | "echo"): Channel => ({ log: new FrameLog(), states: new Timeline(), answers: new Answers(protocol) });

/** A malformed command goes as text, which the server reads on such a connection too. */
function packed(text: string): string | Uint8Array {
  try {
    return writeMessagePack(JSON.parse(text));
  } catch {
    return text;
  }
}
