import type { FullClient, Key, Millis, StockSymbol } from "@tapecast/client";
import type { Rows } from "../layout";
import type { Freshness, IntervalSeconds } from "../market";
import type { InstrumentDirectory, MarketStore } from "../store";
import type { PageText, Strings } from "../strings";
import type * as view from "../view";
import type { ListEditor } from "./list-editor";
import type { PriceAlerts } from "./price-alerts";
import type { WholeMarketSource } from "./whole-market";

/** What every panel may use of the page. */
export interface PanelHost {
  readonly client: FullClient;
  readonly store: MarketStore;
  readonly instruments: InstrumentDirectory;
  /** The watchlists and their changes by the user. */
  readonly editor: ListEditor;
  readonly alerts: PriceAlerts;
  /** Every symbol of the market, while a panel that shows it is open. */
  readonly wholeMarket: WholeMarketSource;
  readonly scheduler: view.FrameScheduler;
  /** The changed figures of the whole page. */
  readonly flashes: view.Flashes;
  /** The credentials of requests, if there are any. */
  readonly key: () => Key | undefined;
  readonly now: () => Millis;
  readonly strings: () => Strings;
  /** The freshness of what arrives: the one place that decides what is stale. */
  readonly feedFreshness: () => Freshness;
  /** The freshness of what is shown, which a pause keeps. */
  readonly freshness: () => view.ShownFreshness;
  readonly isPaused: () => boolean;
  readonly selected: () => StockSymbol | undefined;
  readonly select: (symbol: StockSymbol) => void;
  /** Selects a symbol and adds it to the list if it is not in it. */
  readonly selectOrAdd: (symbol: StockSymbol) => void;
  /** Selects a symbol without adding it to the list, which is offered. */
  readonly visit: (symbol: StockSymbol) => void;
  /** Brings the panel of the selected symbol into view on a small screen. */
  readonly showSelected: () => void;
  readonly notify: (sentence: string, options: view.NoticeOptions) => void;
  /** Resolves when the first prices are painted, or after a delay. What is large is loaded then. */
  readonly firstPaint: Promise<void>;
  readonly firstPricesDrawn: () => void;
  /** The candle length in the page's address. */
  readonly chart: {
    readonly interval: () => IntervalSeconds;
    readonly setInterval: (interval: IntervalSeconds) => void;
  };
  readonly columns: {
    /** The serialised layout of the watchlist's columns. */
    readonly load: (mode: view.GridMode) => string | undefined;
    readonly save: (mode: view.GridMode, columns: string) => void;
  };
  readonly rows: () => Rows;
  /** Handles a key that was pressed in a window of a panel. */
  readonly keydown: (press: KeyboardEvent) => void;
  readonly panels: PanelControl;
}

/** Opens and closes panels. */
export interface PanelControl {
  readonly open: (id: string) => void;
  readonly close: (id: string) => void;
  readonly isOpen: (id: string) => boolean;
}

/** What one panel gets: the page, its own id and its own drawing. */
export interface PanelSite extends PanelHost {
  readonly id: string;
  readonly redraw: view.Invalidation;
}

/** A line of the list of all panels. */
export interface PanelKind {
  /** Stable: it is stored, and the id of the panel's node is `panel-<id>`. */
  readonly id: string;
  readonly title: PageText;
  /** Tells panels of one title apart. */
  readonly number?: number;
  /** Where it is at first: on the board; over it, opened by a button in the footer; or closed, to be opened by the menu. */
  readonly place: "board" | "over" | "closed";
  /** The drawing of its button in the footer. */
  readonly icon?: view.IconName;
  /** The key that opens and closes it, and what the help on shortcuts calls it. */
  readonly key?: view.PanelKey;
  /** Minimum time between two drawings, in slots of 100 ms. */
  readonly slots: number;
  /** Default: at once, so that its button can have a badge. */
  readonly made?: "whenOpened";
  /** May load code first. */
  readonly make: (site: PanelSite) => view.Panel | Promise<view.Panel>;
}
