/** Rates of counters that only grow, from two answers. */
export class Rates {
  private before: Sample | undefined;
  private latest: Sample | undefined;

  /** Takes the counters of an answer by their names. */
  add(time: number, counters: ReadonlyMap<string, number>): void {
    this.before = this.latest;
    this.latest = { time, counters };
  }

  /** Per second; undefined until two answers have the counter, and if it began anew. */
  of(name: string): number | undefined {
    const [before, latest] = [this.before, this.latest];
    const [from, to] = [before?.counters.get(name), latest?.counters.get(name)];
    if (before === undefined || latest === undefined || from === undefined || to === undefined) return undefined;
    const seconds = (latest.time - before.time) / 1_000;
    return to < from || seconds <= 0 ? undefined : (to - from) / seconds;
  }
}

interface Sample {
  readonly time: number;
  readonly counters: ReadonlyMap<string, number>;
}
