import type { Session } from "./session";

/**
 * How a session keeps up, from the worst.
 *
 * - `closing`: it is being closed.
 * - `stalled`: something waits, and its socket takes nothing. After 20 s the server disconnects it.
 * - `behind`: its socket takes less than comes, so that much waits.
 * - `lossy`: it keeps up now, and was told of gaps before.
 * - `level`: it keeps up.
 */
export type Pace = "closing" | "stalled" | "behind" | "lossy" | "level";

/** A cause, or a consequence, of a slow session, with the figures that show it. */
export type Symptom =
  | { readonly kind: "closing" }
  | { readonly kind: "stalled"; readonly forMs: number }
  | { readonly kind: "backlog"; readonly bytes: number }
  | { readonly kind: "gaps"; readonly gaps: number; readonly missed: number }
  | { readonly kind: "conflated"; readonly objects: number };

export interface Slowness {
  readonly pace: Pace;
  /** What to tell of it, the cause first; empty for a session that keeps up. */
  readonly symptoms: readonly Symptom[];
}

/** A socket that takes nothing for less than this is only full between two rounds of the client. */
const STALLED_MS = 1_000;

/** Below this, what waits is what was written since the socket last took something. */
const BEHIND_BYTES = 64 * 1_024;

/** Why a session is slow. Conflation alone is no sign of it: a client may ask for it. */
export function slownessOf({ isClosing, stalledMs, backlogBytes, gaps, missed, conflated }: SlownessFigures): Slowness {
  const isStalled = stalledMs >= STALLED_MS;
  const isBehind = backlogBytes >= BEHIND_BYTES;
  const pace = isClosing ? "closing" : isStalled ? "stalled" : isBehind ? "behind" : gaps > 0 ? "lossy" : "level";
  if (pace === "level") return { pace, symptoms: [] };
  const symptoms: readonly (Symptom | false)[] = [
    isClosing && { kind: "closing" },
    isStalled && { kind: "stalled", forMs: stalledMs },
    (isStalled || isBehind) && backlogBytes > 0 && { kind: "backlog", bytes: backlogBytes },
    gaps > 0 && { kind: "gaps", gaps, missed },
    conflated > 0 && { kind: "conflated", objects: conflated },
  ];
  return { pace, symptoms: symptoms.filter((symptom) => symptom !== false) };
}

type SlownessFigures = Pick<Session, "isClosing" | "stalledMs" | "backlogBytes" | "gaps" | "missed" | "conflated">;

/** What a stalled session points to: a client that sends and does not read, or one that may be gone; undefined for other sessions. */
export function stallCause(session: SlownessFigures & Pick<Session, "idleMs">): "gone" | "notReading" | undefined {
  if (slownessOf(session).pace !== "stalled") return undefined;
  return session.idleMs < session.stalledMs ? "notReading" : "gone";
}

/** The sessions that are slow now, among these. */
export const slowCount = (sessions: readonly SlownessFigures[]): number =>
  sessions.filter((session) => ["stalled", "behind"].includes(slownessOf(session).pace)).length;
