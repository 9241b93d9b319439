/** Totals of a client since it was created, over all of its connections. */
export interface Counters {
  frames: number;
  /** Characters of text, before compression. The stream is ASCII, so a character is a byte. */
  bytes: number;
  objects: number;
  /** Objects that the server conflated into newer ones (`cf`). */
  conflated: number;
  /** Number of gaps. */
  gaps: number;
  /** Objects lost in all gaps. */
  missed: number;
  /** Objects sent while disconnected and replayed after a resume. */
  recovered: number;
  /** Objects received twice and dropped. */
  duplicates: number;
  /** Connections on which the server sent its greeting. */
  connections: number;
}

export const zeroCounters = (): Counters => ({
  frames: 0,
  bytes: 0,
  objects: 0,
  conflated: 0,
  gaps: 0,
  missed: 0,
  recovered: 0,
  duplicates: 0,
  connections: 0,
});
