import { millis, type MarketEvent, type Millis } from "../model";
import * as wire from "../wire";
import type { Control, Wants } from "../wire";
import { DEFAULT_BACKOFF, waitMs, type Backoff } from "./backoff";
import { Connection } from "./connection";
import { Listeners } from "./listeners";
import { SequenceCheck, type Gap } from "./sequence";
import type { ClientState } from "./state";
import { Subscription } from "./subscription";
import type { World } from "./world";

/** What a client tells its listeners. */
export interface ClientEvents {
  /** The state changed. */
  state: ClientState;
  /** What one frame said of the market, in order. */
  market: { readonly events: readonly MarketEvent[]; readonly receivedAt: Millis };
  /** Something is missing from a stream. */
  gap: Gap;
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
}

/**
 * Keeps one conversation with a server alive.
 *
 * Connects, waits to be greeted, subscribes to all that is wanted; after a close it waits and does
 * it again, unless the server said not to come back. Subscribing is possible at any time: what is
 * wanted outlives the connection.
 */
export class Client {
  private readonly world: World;
  private readonly url: string;
  private readonly backoff: Backoff;
  private readonly greetingMs: number;

  private readonly listeners = new Listeners<ClientEvents>();
  private readonly subscription = new Subscription();
  private readonly sequence = new SequenceCheck();
  private connection: Connection | undefined;
  private cancelTimer: () => void = () => undefined;
  /** Closes in a row without a session that lived. */
  private failures = 0;
  private current: ClientState = { phase: "idle" };

  constructor(world: World, options: ClientOptions) {
    this.world = world;
    this.url = options.url;
    this.backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.greetingMs = options.greetingMs ?? 10_000;
  }

  get state(): ClientState {
    return this.current;
  }

  /** Listens; the answer stops listening. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** Connects now, cutting a wait short. Does nothing while a connection is there. */
  connect(): void {
    if (this.connection !== undefined) return;
    this.cancelTimer();
    this.sequence.reset();
    this.connection = new Connection(this.world, this.url, {
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
    this.cancelTimer = this.world.after(this.greetingMs, () => {
      this.giveUpOnGreeting();
    });
    this.enter({ phase: "connecting" });
  }

  /** Closes and stays closed. */
  close(): void {
    this.cancelTimer();
    if (this.connection === undefined) {
      this.enter({ phase: "ended", close: wire.closeOf(1000) });
    } else {
      this.enter({ phase: "closing" });
      this.connection.close();
    }
  }

  subscribe(wants: Wants): void {
    this.tellServer(wire.subscribe, this.subscription.add(wants));
  }

  unsubscribe(wants: Wants): void {
    this.tellServer(wire.unsubscribe, this.subscription.remove(wants));
  }

  /** While nobody listens there is no need: the greeting is answered with all that is wanted. */
  private tellServer(command: (wants: Wants) => string, wants: Wants): void {
    if (this.current.phase === "live" && !wire.isEmpty(wants)) this.connection?.send(command(wants));
  }

  private receive(data: unknown): void {
    const receivedAt = this.world.now();
    const frame = wire.readFrame(data);
    for (const control of frame.controls) this.obey(control);
    for (const fault of frame.faults) this.listeners.tell("fault", fault);
    for (const event of frame.events) {
      const gap = this.sequence.check(event);
      if (gap !== undefined) this.listeners.tell("gap", gap);
    }
    if (frame.events.length > 0) this.listeners.tell("market", { events: frame.events, receivedAt });
  }

  private obey(control: Control): void {
    switch (control.control) {
      case "connected":
        this.greeted();
        break;
      case "authenticated":
        break;
      case "subscription":
        this.sequence.keepOnly(control.channels);
        break;
      case "error":
        this.listeners.tell("refused", { code: control.code, message: control.message });
        break;
    }
  }

  private greeted(): void {
    if (this.current.phase !== "greeting") return;
    this.cancelTimer();
    this.enter({ phase: "live", since: this.world.now() });
    this.tellServer(wire.subscribe, this.subscription.all());
  }

  private giveUpOnGreeting(): void {
    this.connection?.abandon();
    this.ended(1006);
  }

  private ended(code: number): void {
    const was = this.current;
    const close = wire.closeOf(code);
    this.connection = undefined;
    this.cancelTimer();
    if (was.phase === "closing" || close.comeBack === "never") {
      this.enter({ phase: "ended", close });
      return;
    }

    const now = this.world.now();
    const forgiven = was.phase === "live" && now - was.since >= this.backoff.forgiveMs;
    this.failures = forgiven ? 1 : this.failures + 1;
    const wait = waitMs(this.failures, close.comeBack, this.world.random(), this.backoff);
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
