/** The part of a chart's width that may be empty on the right. */
const EMPTY_SHARE = 0.25;

/** The bars that a chart leaves empty on the right when it follows the newest one. */
export const RIGHT_MARGIN = 4;

/** What a chart shows: bars `from` to `to` by their index, of bars 0 to `last`. */
export interface Shown {
  readonly from: number;
  readonly to: number;
  readonly last: number;
}

/**
 * How far the right end of a chart has to be from the last bar, in bars, so that it is not dragged into nothing: beyond
 * the first bar, or further beyond the last than a part of its width. Bars that do not fill it stay on the right.
 */
export function boundedPosition({ from, to, last }: Shown): number {
  const width = to - from;
  const position = to - last;
  // Where the first bar is at the left end.
  const least = width - last;
  if (least >= RIGHT_MARGIN) return RIGHT_MARGIN;
  return Math.max(least, Math.min(position, Math.max(RIGHT_MARGIN, width * EMPTY_SHARE)));
}
