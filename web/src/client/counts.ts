/** What a client has counted since it was made, over all of its connections. */
export interface Counts {
  frames: number;
  /** Characters of text, which are bytes: the stream is ASCII, but for what compression saved. */
  bytes: number;
  objects: number;
  /** Objects that the server conflated into newer ones before they were sent (`cf`). */
  conflated: number;
  /** Places where something is missing, and how many objects in all. */
  gaps: number;
  missed: number;
  /** Objects of the time without a connection that resuming brought after all. */
  healed: number;
  /** Objects that came a second time and were left out. */
  repeated: number;
  /** Times that a server greeted us. */
  connections: number;
}

export const noCounts = (): Counts => ({
  frames: 0,
  bytes: 0,
  objects: 0,
  conflated: 0,
  gaps: 0,
  missed: 0,
  healed: 0,
  repeated: 0,
  connections: 0,
});
