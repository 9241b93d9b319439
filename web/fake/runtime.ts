import { millis, type Runtime, type SocketLike } from "@tapecast/client";
import { START } from "./builders";

/** A socket whose remote end is the test. */
export class FakeSocket implements SocketLike {
  readonly url: string;
  readonly sent: unknown[] = [];
  closedWith: number | undefined;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code = 1005): void {
    this.closedWith = code;
  }

  open(): void {
    this.onopen?.({} as never);
  }

  receive(...objects: readonly object[]): void {
    this.onmessage?.({ data: JSON.stringify(objects) } as never);
  }

  greet(): void {
    this.open();
    this.receive({ T: "success", msg: "connected" });
  }

  remoteClose(code: number, reason = ""): void {
    this.onclose?.({ code, reason } as never);
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A runtime with manual time and fixed randomness. */
export class FakeRuntime implements Runtime {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: Runtime["WebSocket"];
  private time = START;
  private timers: Timer[] = [];

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
  }

  readonly now = () => millis(this.time);
  /** The longest wait: no jitter is subtracted. */
  readonly random = () => 1;
  readonly after = (ms: number, run: () => void) => {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** Advances the time and runs the timers that are due, in order. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (let due = this.nextDue(end); due !== undefined; due = this.nextDue(end)) {
      const timer = due;
      this.timers = this.timers.filter((other) => other !== timer);
      this.time = timer.at;
      timer.run();
    }
    this.time = end;
  }

  /** The socket opened last. */
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  get timersPending(): number {
    return this.timers.length;
  }

  private nextDue(end: number): Timer | undefined {
    return this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
