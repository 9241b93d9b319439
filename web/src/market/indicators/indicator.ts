import type { Ohlc } from "@tapecast/client";

/**
 * An indicator after some bars: a fold over them, oldest first.
 *
 * It is immutable. The last bar changes with each trade, and is then folded again into the indicator before it: O(1).
 */
export interface Indicator {
  /** Undefined while there are too few bars. */
  readonly value: number | undefined;
  /** The indicator after one more bar. */
  readonly next: (bar: Ohlc) => Indicator;
}
