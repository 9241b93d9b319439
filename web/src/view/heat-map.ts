import { formatPercent, formatPrice, MINUS } from "../format";
import { countThatFits, heatOf, misplacedShare, neighbourOf, squarify, type Direction, type Mover, type Rect } from "../market";
import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { tileLabel, type TileText } from "./tile-label";

export interface HeatMapActions {
  readonly select: (symbol: StockSymbol) => void;
  readonly nameOf: (symbol: StockSymbol) => string;
  /** The focus or the pointer is on another tile. */
  readonly pointed: () => void;
}

/** The least area of a tile in square px: what a pointer hits. */
const LEAST_TILE_PX2 = 22 * 22;

/** Tiles keep their places until this share of the area is in the wrong one: a map that is laid out anew cannot be found again. */
const MAX_MISPLACED = 0.05;

/** The longest text of a change, so that tiles of one size have figures of one size. */
const WIDEST_FIGURE = "−00.00%";

const ARROWS: Readonly<Partial<Record<string, Direction>>> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

interface Tile {
  readonly node: HTMLButtonElement;
  readonly symbol: HTMLElement;
  readonly figure: HTMLElement;
  /** The name of the company and a halt, for screen readers. */
  readonly more: HTMLElement;
  mover: Mover;
}

/**
 * A treemap of the symbols with the highest traded value: area by value, colour by the day's change.
 *
 * Tiles are buttons and not a drawing on a canvas: they are at most 300, for only those are shown that are large enough to
 * hit, and a report changes their texts and colours once in two seconds, which takes under a millisecond. In return focus, names for
 * screen readers, forced colours, themes and sharp text are the browser's.
 */
export class HeatMap {
  readonly node = make("div", "heat-tiles");
  private readonly actions: HeatMapActions;
  private readonly tiles = new Map<StockSymbol, Tile>();
  /** The symbols in the order of their area, their rectangles and the values that these were laid out by. */
  private order: readonly StockSymbol[] = [];
  private rects: readonly Rect[] = [];
  private laid: ReadonlyMap<StockSymbol, number> = new Map();
  private size = { width: 0, height: 0 };
  private isResized = false;
  private drawn: readonly unknown[] = [];
  /** The tile that the Tab key leads to. */
  private current: StockSymbol | undefined;
  private hovered: StockSymbol | undefined;
  private readonly measure = new TextMeasure();

  /** `resized` is called when the map needs to be drawn again. */
  constructor(actions: HeatMapActions, resized: () => void) {
    this.actions = actions;
    this.node.role = "group";
    this.node.dataset["label"] = "heatMap";
    new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      this.size = { width, height };
      this.isResized = true;
      resized();
    }).observe(this.node);
    this.node.addEventListener("click", ({ target }) => {
      const symbol = this.symbolOf(target);
      if (symbol !== undefined) actions.select(symbol);
    });
    this.node.addEventListener("keydown", (press) => {
      if (!press.ctrlKey && !press.metaKey && !press.altKey && this.move(press.key)) press.preventDefault();
    });
    this.node.addEventListener("focusin", ({ target }) => {
      this.makeCurrent(this.symbolOf(target));
      actions.pointed();
    });
    this.node.addEventListener("focusout", actions.pointed);
    this.node.addEventListener("pointerover", ({ target }) => {
      this.hovered = this.symbolOf(target);
      actions.pointed();
    });
    this.node.addEventListener("pointerleave", () => {
      this.hovered = undefined;
      actions.pointed();
    });
  }

  /** The symbol under the pointer, or else the one with the focus. */
  get pointed(): Mover | undefined {
    const symbol = this.hovered ?? this.symbolOf(this.node.ownerDocument.activeElement);
    return symbol === undefined ? undefined : this.tiles.get(symbol)?.mover;
  }

  focus(): void {
    if (this.current !== undefined) this.tiles.get(this.current)?.node.focus();
    else this.node.focus();
  }

  /** Names of symbols are known now that were not before. */
  namesChanged(): void {
    this.drawn = [];
  }

  /** Shows these symbols, given with the highest value first. The same ones are drawn once. */
  draw(largest: readonly Mover[], selected: StockSymbol | undefined, strings: Strings): void {
    const { width, height } = this.size;
    if (width === 0 || height === 0) return;
    const state = [largest, selected, strings];
    if (!this.isResized && state.every((one, at) => one === this.drawn[at])) return;
    this.drawn = state;
    const fitting = largest.slice(0, countThatFits(largest.map(({ value }) => value), width * height, LEAST_TILE_PX2));
    const values = new Map(fitting.map(({ symbol, value }) => [symbol, value]));
    const known = new Map(largest.map((mover) => [mover.symbol, mover]));
    const isOutdated = misplacedShare(this.laid, values) > MAX_MISPLACED || this.order.some((symbol) => !known.has(symbol));
    if (this.isResized || isOutdated) this.lay(fitting, values);
    this.isResized = false;
    for (const [symbol, tile] of this.tiles) {
      tile.mover = known.get(symbol) ?? tile.mover;
      this.drawTile(tile, symbol === selected, strings);
    }
  }

  private lay(movers: readonly Mover[], values: ReadonlyMap<StockSymbol, number>): void {
    this.order = movers.map(({ symbol }) => symbol);
    this.rects = squarify([...values.values()], { x: 0, y: 0, ...this.size });
    this.laid = values;
    const focused = this.symbolOf(this.node.ownerDocument.activeElement);
    for (const [symbol, { node }] of this.tiles) {
      if (values.has(symbol)) continue;
      node.remove();
      this.tiles.delete(symbol);
    }
    const rootPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    movers.forEach((mover, at) => {
      const rect = this.rects[at];
      if (rect !== undefined) this.place(this.tileOf(mover), rect, rootPx);
    });
    // In the order of their area for screen readers. Moving a node takes its focus, so it is moved only where it must be.
    this.order.forEach((symbol, at) => {
      const node = this.tiles.get(symbol)?.node;
      if (node !== undefined && this.node.children[at] !== node) this.node.insertBefore(node, this.node.children[at] ?? null);
    });
    if (this.current === undefined || !this.tiles.has(this.current)) this.makeCurrent(this.order[0]);
    if (focused !== undefined && this.symbolOf(this.node.ownerDocument.activeElement) === undefined) this.focus();
  }

  private tileOf(mover: Mover): Tile {
    const known = this.tiles.get(mover.symbol);
    if (known !== undefined) return known;
    const [symbol, figure, more] = [make("b", "tile-symbol", mover.symbol), make("span", "tile-figure"), make("span", "visually-hidden")];
    const node = make("button", "tile", symbol, " ", figure, " ", more);
    node.dataset["price"] = "";
    node.type = "button";
    node.tabIndex = -1;
    node.dataset["symbol"] = mover.symbol;
    const tile: Tile = { node, symbol, figure, more, mover };
    this.tiles.set(mover.symbol, tile);
    return tile;
  }

  private place({ node, symbol, figure, mover }: Tile, { x, y, width, height }: Rect, rootPx: number): void {
    Object.assign(node.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    const text: TileText = { symbol: this.measure.widthOf(mover.symbol, 700), figure: this.measure.widthOf(WIDEST_FIGURE, 400) };
    // A pixel on each side is the gap between tiles.
    const label = tileLabel({ width: width - 2, height: height - 2 }, text, { least: rootPx * 0.7, most: rootPx * 2.2 });
    for (const [line, px] of [[symbol, label.symbol], [figure, label.figure]] as const) {
      // A line without room is still a part of the tile's name.
      line.classList.toggle("visually-hidden", px === 0);
      line.style.fontSize = px === 0 ? "" : `${px}px`;
    }
  }

  private drawTile({ node, figure, more, mover }: Tile, isSelected: boolean, strings: Strings): void {
    const { symbol, ratio, trading } = mover;
    setText(figure, formatPercent(ratio ?? 0));
    setText(more, strings.market.tile(this.actions.nameOf(symbol), trading));
    setData(node, "heat", String(heatOf(ratio ?? 0)));
    setData(node, "trading", trading);
    const current = isSelected ? "true" : null;
    if (node.ariaCurrent !== current) node.ariaCurrent = current;
  }

  /** Moves the focus by a key; false if the key has no meaning here. */
  private move(key: string): boolean {
    const at = this.current === undefined ? -1 : this.order.indexOf(this.current);
    const direction = ARROWS[key];
    const to = key === "Home" ? 0 : key === "End" ? this.order.length - 1 : direction === undefined ? -1 : neighbourOf(this.rects, at, direction);
    if (to < 0) return false;
    this.makeCurrent(this.order[to]);
    this.focus();
    return true;
  }

  private makeCurrent(symbol: StockSymbol | undefined): void {
    if (symbol === this.current || symbol === undefined) return;
    const before = this.current === undefined ? undefined : this.tiles.get(this.current);
    if (before !== undefined) before.node.tabIndex = -1;
    this.current = symbol;
    const tile = this.tiles.get(symbol);
    if (tile !== undefined) tile.node.tabIndex = 0;
  }

  private symbolOf(target: EventTarget | null): StockSymbol | undefined {
    const node = target instanceof Element && this.node.contains(target) ? target.closest<HTMLElement>(".tile") : null;
    return this.order.find((symbol) => symbol === node?.dataset["symbol"]);
  }
}

/** Widths of texts of tiles, each of one weight, measured once on a canvas, which costs no layout. */
class TextMeasure {
  private readonly context = document.createElement("canvas").getContext("2d");
  private readonly widths = new Map<string, number>();

  /** The width of a text in units of its font size. */
  widthOf(text: string, weight: number): number {
    const known = this.widths.get(text);
    if (known !== undefined) return known;
    const width = this.measured(text, weight);
    this.widths.set(text, width);
    return width;
  }

  private measured(text: string, weight: number): number {
    // Without a canvas, the width of capitals in wide fonts.
    if (this.context === null) return text.length * 0.8;
    this.context.font = `${weight} 100px ${getComputedStyle(document.body).fontFamily}`;
    return this.context.measureText(text).width / 100;
  }
}

/** A text about one symbol: what a tile has no room for. */
export function moverText({ symbol, last, ratio, value, trading, reason }: Mover, name: string, strings: Strings): string {
  const parts = [
    symbol,
    ...(name === "" ? [] : [name]),
    ...(last === undefined ? [] : [formatPrice(last)]),
    ...(ratio === undefined ? [] : [formatPercent(ratio)]),
    strings.market.value(value),
    ...(trading === "halted" ? [strings.halted(reason)] : []),
  ];
  return parts.join(" · ");
}

/** The colours of the map and what they stand for. */
export function heatLegend(): HTMLElement {
  const swatches = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((heat) => {
    const swatch = make("span", "tile");
    swatch.dataset["heat"] = String(heat);
    return swatch;
  });
  const legend = make("div", "heat-legend", make("span", "", `${MINUS}3%`), ...swatches, make("span", "", "+3%"));
  legend.ariaHidden = "true";
  return legend;
}
