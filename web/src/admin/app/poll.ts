import { runtime } from "../../platform";
import { Answer, type Result } from "../model";

/** How often a question is asked while the page is visible. */
const EVERY_MS = 2_000;

/** What a server does not have it will not have in 2 s either: a refused question is repeated at leisure. */
const REFUSED_MS = 15_000;

/** A question that is asked again and again. */
export class Poll<Value> {
  readonly answer = new Answer<Value>();
  private readonly ask: (signal: AbortSignal) => Promise<Result<Value>>;
  private readonly answered: (result: Result<Value>) => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The question that waits for its answer; undefined if none does. */
  private asked: AbortController | undefined;
  private isOn = false;

  constructor(ask: (signal: AbortSignal) => Promise<Result<Value>>, answered: (result: Result<Value>) => void) {
    this.ask = ask;
    this.answered = answered;
  }

  start(): void {
    if (!this.isOn) this.again();
  }

  /** Asks now, as what was asked for or its answer has changed. An answer that is still to come is not taken. */
  again(): void {
    this.stop();
    this.isOn = true;
    const asked = new AbortController();
    this.asked = asked;
    const begin = runtime.now();
    void this.ask(asked.signal).then((result) => {
      if (this.asked !== asked) return;
      const now = runtime.now();
      this.answer.take(result, now);
      const status = "failure" in result ? result.failure.status : undefined;
      const isRefused = status !== undefined && status < 500;
      this.timer = setTimeout(() => {
        this.again();
      }, isRefused ? REFUSED_MS : Math.max(0, EVERY_MS - (now - begin)));
      this.answered(result);
    });
  }

  stop(): void {
    this.isOn = false;
    clearTimeout(this.timer);
    this.asked?.abort();
    this.asked = undefined;
  }
}
