import { millis, type Millis } from "@tapecast/client";

/** What the page reads of `GET /metrics`. */
export interface ServerMetrics {
  readonly startedAt: Millis | undefined;
  /** The open sessions of each worker, by its number. */
  readonly sessions: readonly number[];
}

const SAMPLE = /^(\w+)(?:\{([^}]*)\})? (\S+)/;

/** Reads Prometheus' text format. */
export function readMetrics(text: string): ServerMetrics {
  let startedAt: Millis | undefined;
  const sessions = new Map<number, number>();
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = SAMPLE.exec(line) ?? [];
    if (name === "process_start_time_seconds") startedAt = millis(Number(value) * 1_000);
    const worker = name === "tapecast_sessions" ? /worker="(\d+)"/.exec(labels)?.[1] : undefined;
    if (worker !== undefined) sessions.set(Number(worker), Number(value));
  }
  return { startedAt, sessions: [...sessions].sort(([a], [b]) => a - b).map(([, count]) => count) };
}
