/** Why there is no answer: the server refused, or nothing came. */
export interface Failure {
  /** Of HTTP; undefined if no answer came. */
  readonly status: number | undefined;
  /** Of the server; empty if it told none. */
  readonly message: string;
}

export type Result<Value> = { readonly value: Value } | { readonly failure: Failure };

/** Answers arrive every 2 s; one that is older than this is stale. */
const STALE_AFTER_MS = 5_000;

/** The latest answer to one question, which is asked again and again. */
export class Answer<Value> {
  private latest: { readonly value: Value; readonly at: number } | undefined;
  private latestFailure: Failure | undefined;

  get value(): Value | undefined {
    return this.latest?.value;
  }

  /** When the latest answer came. */
  get at(): number | undefined {
    return this.latest?.at;
  }

  /** Why the last question has no answer; undefined if it has one. */
  get failure(): Failure | undefined {
    return this.latestFailure;
  }

  take(result: Result<Value>, at: number): void {
    if ("value" in result) {
      this.latest = { value: result.value, at };
      this.latestFailure = undefined;
    } else {
      this.latestFailure = result.failure;
    }
  }

  forget(): void {
    this.latest = undefined;
    this.latestFailure = undefined;
  }

  /** Whether what is known is old: a refusal shows that at once, silence after a while. */
  isStale(now: number): boolean {
    if (this.latest === undefined) return true;
    return this.latestFailure?.status !== undefined || now - this.latest.at > STALE_AFTER_MS;
  }
}
