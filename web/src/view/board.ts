import { cssOf, pixelsOf, type Box, type Placement, type Separator } from "../layout";
import { byId, make } from "./dom";

/** A resize of two neighbours: the distance is that since `grab`. */
export interface Resize {
  readonly separator: Separator;
  readonly pixels: number;
  /** The length of their split in pixels. */
  readonly extent: number;
  /** The text size in pixels. */
  readonly rem: number;
}

export interface BoardActions {
  /** A resize begins. */
  readonly grab: () => void;
  readonly resize: (resize: Resize) => void;
  /** The resize is over. */
  readonly drop: () => void;
  /** The accessible name of the separator between two panels. */
  readonly labelOf: (between: readonly [string, string]) => string;
}

/** Pixels that an arrow key moves a separator, alone and with Shift. */
const STEP_PX = 16;
const LONG_STEP_PX = 96;

/**
 * The board: puts the panels where the layout says, with separators between them.
 *
 * Positions are CSS lengths, so the browser alone follows the window's size. A separator is a window splitter of the ARIA
 * guide: focusable, moved by the arrow keys.
 */
export class Board {
  readonly node = byId("board", HTMLElement);
  private readonly separators: { readonly node: HTMLElement; separator: Separator }[] = [];
  private readonly actions: BoardActions;

  constructor(actions: BoardActions) {
    this.actions = actions;
  }

  /** Places panels side by side. */
  place({ panels, separators, minRem }: Placement, nodeOf: (id: string) => HTMLElement | undefined): void {
    this.node.dataset["form"] = "tiled";
    this.node.style.minHeight = `calc(${minRem}rem + 2 * var(--gap))`;
    for (const [id, box] of panels) {
      const node = nodeOf(id);
      if (node !== undefined) setBox(node, box);
    }
    this.showSeparators(separators);
  }

  /** Leaves the panels to the style sheet, which puts them below each other. */
  stack(nodes: readonly HTMLElement[]): void {
    this.node.dataset["form"] = "stacked";
    this.node.style.minHeight = "";
    for (const node of nodes) clearBox(node);
    this.showSeparators([]);
  }

  /** Names the separators. */
  translate(): void {
    for (const { node, separator } of this.separators) node.ariaLabel = this.actions.labelOf(separator.between);
  }

  private showSeparators(wanted: readonly Separator[]): void {
    while (this.separators.length > wanted.length) this.separators.pop()?.node.remove();
    wanted.forEach((separator, at) => {
      const known = this.separators[at] ?? this.makeSeparator(separator);
      this.separators[at] = known;
      known.separator = separator;
      const { node } = known;
      setBox(node, separator.box);
      node.ariaOrientation = separator.axis === "row" ? "vertical" : "horizontal";
      if (!node.isConnected) this.node.append(node);
    });
    this.translate();
    const { clientWidth, clientHeight } = this.node;
    for (const { node, separator: { axis } } of this.separators) {
      const place = axis === "row" ? node.offsetLeft / clientWidth : node.offsetTop / clientHeight;
      node.ariaValueNow = String(Math.round(place * 100));
    }
  }

  private makeSeparator(first: Separator): { readonly node: HTMLElement; separator: Separator } {
    const node = make("div", "separator");
    const entry = { node, separator: first };
    Object.assign(node, { role: "separator", tabIndex: 0, ariaValueMin: "0", ariaValueMax: "100" });
    node.addEventListener("keydown", (press) => {
      const [less, more] = entry.separator.axis === "row" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
      if (press.key !== less && press.key !== more) return;
      press.preventDefault();
      this.actions.grab();
      this.resize(entry.separator, (press.key === less ? -1 : 1) * (press.shiftKey ? LONG_STEP_PX : STEP_PX));
      this.actions.drop();
    });
    let start: number | undefined;
    const along = (event: PointerEvent) => (entry.separator.axis === "row" ? event.clientX : event.clientY);
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      start = along(event);
      this.actions.grab();
    });
    node.addEventListener("pointermove", (event) => {
      if (start !== undefined) this.resize(entry.separator, along(event) - start);
    });
    const end = () => {
      if (start !== undefined) this.actions.drop();
      start = undefined;
    };
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
    return entry;
  }

  private resize(separator: Separator, pixels: number): void {
    const style = getComputedStyle(this.node);
    const [rem, gap] = [Number.parseFloat(getComputedStyle(document.documentElement).fontSize), Number.parseFloat(style.paddingTop)];
    const size = separator.axis === "row" ? this.node.clientWidth : this.node.clientHeight;
    this.actions.resize({ separator, pixels, rem, extent: pixelsOf(separator.extent, size - 2 * gap, rem, gap) });
  }
}

/** The board has a padding of one gap, which absolute positions do not know. */
function setBox(node: HTMLElement, { left, top, width, height }: Box): void {
  const inner = (length: Box["left"], gaps: number) => cssOf({ ...length, gaps: length.gaps + gaps - length.percent / 50 });
  node.style.left = inner(left, 1);
  node.style.top = inner(top, 1);
  node.style.width = inner(width, 0);
  node.style.height = inner(height, 0);
}

/** Removes the place on the board, for a node that is put elsewhere. */
export function clearBox({ style }: HTMLElement): void {
  for (const property of ["left", "top", "width", "height"] as const) style[property] = "";
}
