/** Font sizes in px; 0 for a line that is left out. */
export interface TileLabel {
  readonly symbol: number;
  readonly figure: number;
}

/** The widths of the two lines of a tile, in units of their font size. */
export interface TileText {
  readonly symbol: number;
  readonly figure: number;
}

const LINE_HEIGHT = 1.2;
/** The second line is smaller than the first by this factor. */
const FIGURE_SIZE = 0.8;
/** Space between text and edge, on both sides together. */
const PADDING_PX = 6;
const PADDING_Y_PX = 2;

/** The font sizes of the two lines of a tile, the largest that fit: of both lines, else of the first alone, else none. */
export function tileLabel(
  { width, height }: { readonly width: number; readonly height: number },
  text: TileText,
  { least, most }: { readonly least: number; readonly most: number },
): TileLabel {
  const [w, h] = [width - PADDING_PX, height - PADDING_Y_PX];
  const one = Math.min(most, w / text.symbol, h / LINE_HEIGHT);
  if (one < least) return { symbol: 0, figure: 0 };
  const both = Math.min(one, w / (text.figure * FIGURE_SIZE), h / (LINE_HEIGHT * (1 + FIGURE_SIZE)));
  const figure = Math.floor(both * FIGURE_SIZE);
  // Alone a symbol is as small as those that have a figure at this size of tile: the largest letters are of the largest tiles.
  return figure < least ? { symbol: Math.floor(Math.min(one, (least * 1.2) / FIGURE_SIZE)), figure: 0 } : { symbol: Math.floor(both), figure };
}
