import type { SocketLike, World } from "../src/client";
import { millis } from "../src/model";
import { START } from "./make";

/** A socket whose other end is the test. */
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

  end(code: number): void {
    this.onclose?.({ code } as never);
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A world in which time passes when the test says so, and chance is what the test says it is. */
export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: World["WebSocket"];
  chance = 1;
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
  readonly random = () => this.chance;
  readonly after = (ms: number, run: () => void) => {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  };

  /** Lets time pass, running what is due in order. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (let due = this.nextDue(end); due !== undefined; due = this.nextDue(end)) {
      const timer = due;
      this.timers = this.timers.filter((other) => other !== timer);
      this.time = timer.at;
      timer.run();
    }
    this.time = end;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const newest = this.sockets.at(-1);
    if (newest === undefined) throw new Error("no socket was opened");
    return newest;
  }

  get timersPending(): number {
    return this.timers.length;
  }

  private nextDue(end: number): Timer | undefined {
    return this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
