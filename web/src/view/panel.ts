import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";

/** What a panel wants to be noticed for while it may be closed: its button shows it. */
export interface Badge {
  readonly count: number;
  /** What is counted, for screen readers. */
  readonly words: string;
}

/**
 * A panel of the board, such as the chart or the chat.
 *
 * It makes its own nodes and finds nothing by id. Its id, its title, its drawing interval and its first place are in its
 * line of the list of all panels (`panels/index.ts`). While it is closed it draws nothing and is subscribed to nothing
 * that only it shows.
 *
 * Stale prices: the page sets `data-stale` on the body of each of its windows, and style/stale.css turns every `.figure`,
 * every element with `data-price` and every `.price-drawing` (canvas, SVG) of a panel grey. A panel marks what shows a
 * price, or anything else that is true only of now, with one of these and has nothing else to do; for a decision in code
 * it asks the page's `freshness`. A panel with a feed of its own also sets `data-stale` on its section.
 */
export interface Panel {
  /** The whole panel: a `section` of class `panel`. */
  readonly node: HTMLElement;
  /** The row at the top with the panel's heading. The page puts the buttons of every panel at its end. */
  readonly head: HTMLElement;
  /** The panel is shown, with the selection and the list as they are now: it subscribes to what it shows. `draw` follows in the next frame. */
  open(): void;
  /** The panel is hidden: it unsubscribes. */
  close(): void;
  /** Draws what changed, at most once per drawing interval, only while the panel is open. */
  draw(strings: Strings): void;
  /** The selected symbol of the page changed. */
  select?(symbol: StockSymbol | undefined): void;
  /** Another watchlist is shown, or its symbols changed. */
  showList?(): void;
  /** The language changed. Elements with `data-text` and `data-label` are translated already. */
  translate?(strings: Strings): void;
  /** Colours or sizes changed: for what CSS does not reach, such as a canvas. */
  restyle?(): void;
  /** The page was paused or resumed. */
  setUpdates?(state: "paused" | "running"): void;
  /** Moves the focus to where the user begins. Without it the panel itself is focused. */
  focus?(): void;
  /** Acts on a key pressed where no control uses it, while the panel is open; false if the key has no meaning here. */
  press?(key: string): boolean;
  /** True if the error that the server just sent answers what the panel sent, and the panel shows it. */
  showsError?(): boolean;
  /** Read while the panel is closed too. */
  badge?(strings: Strings): Badge;
}
