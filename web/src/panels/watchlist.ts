import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";

/** Search results that fit below the search box without scrolling. */
const MAX_RESULTS = 8;

/** Slots of 100 ms between two batches of sparklines. */
const SPARKLINE_SLOTS = 1;

/** The current watchlist: its grid, the choice of the list, the search for further symbols. */
export class WatchlistPanel implements view.Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly grid: view.Lazy<view.Grid>;
  private readonly search: view.SymbolSearch;
  private readonly picker: view.WatchlistPicker;
  private readonly sparklines: view.SparklineQueue;
  private readonly sparklineBatch: view.Invalidation;
  /** Many alerts change at once when a connection begins. */
  private readonly marks: view.Invalidation;
  private readonly site: PanelSite;
  private rows: readonly view.GridRow[] = [];
  private isOpen = false;

  constructor(site: PanelSite) {
    this.site = site;
    const { editor, instruments, scheduler, redraw } = site;
    this.sparklineBatch = scheduler.add(SPARKLINE_SLOTS, () => {
      if (!site.isPaused()) this.sparklines.drawBatch();
    });
    this.marks = scheduler.add(1, () => {
      this.drawRows();
    });
    this.sparklines = new view.SparklineQueue(site.now, this.sparklineBatch.invalidate);
    this.search = new view.SymbolSearch({
      find: (typed) => instruments.find(typed, MAX_RESULTS),
      isWatched: (symbol) => editor.lists.has(symbol),
      choose: (symbol) => {
        editor.add(symbol);
      },
      addText: (text) => editor.addText(text),
      strings: site.strings,
    });
    this.picker = this.makePicker();
    const [columnsButton, columnsMenu] = view.makeColumnMenu({
      columns: () => this.grid.loaded?.columns() ?? [],
      setShown: (id, shown) => {
        this.grid.loaded?.setShown(id, shown);
      },
      reset: () => {
        this.grid.loaded?.reset();
      },
      strings: site.strings,
    });
    const { node, head } = view.panelSection("watchlist-panel", "watchlist", ...this.picker.nodes, columnsButton, this.search.node);
    head.classList.add("watchlist-head");
    const box = view.make("div", "watchlist ag-theme-tapecast");
    Object.assign(box, { id: "watchlist", tabIndex: -1 });
    node.append(view.make("div", "watchlist-box", box), columnsMenu);
    this.node = node;
    this.head = head;
    this.grid = this.loadGrid(box);
    this.grid.whenLoaded(redraw.invalidateNow);
    view.listenToClipboard({ copy: () => this.grid.loaded?.copy(), paste: (text) => this.isOpen && editor.addText(text) });
    for (const source of [instruments, site.alerts]) {
      source.onChange(() => {
        this.marks.invalidateNow();
      });
    }
  }

  open(): void {
    this.isOpen = true;
    this.showList();
  }

  close(): void {
    this.isOpen = false;
  }

  select(symbol: StockSymbol | undefined): void {
    if (this.grid.loaded === undefined) this.grid.whenLoaded((grid) => { grid.select(this.site.selected()); });
    else this.grid.loaded.select(symbol);
  }

  translate(strings: Strings): void {
    this.picker.draw(this.site.editor.lists, strings);
    this.grid.whenLoaded((grid) => {
      grid.translate();
    });
  }

  restyle(): void {
    this.grid.whenLoaded((grid) => {
      grid.resize();
    });
  }

  setUpdates(): void {
    this.sparklineBatch.invalidate();
  }

  draw(): void {
    const grid = this.grid.loaded;
    if (grid === undefined || this.site.isPaused()) return;
    const { store, now } = this.site;
    let hasPrice = false;
    for (const symbol of store.board.takeChanged()) {
      grid.draw(symbol);
      hasPrice ||= store.board.get(symbol)?.ticker !== undefined;
    }
    grid.keepSorted(now());
    if (hasPrice) this.site.firstPricesDrawn();
  }

  press(key: string): boolean {
    const grid = this.grid.loaded;
    switch (key) {
      case "/":
        this.search.focus();
        return true;
      case "ArrowDown":
      case "ArrowUp": {
        const symbol = grid?.neighbour(this.site.selected(), key === "ArrowDown" ? 1 : -1);
        if (symbol !== undefined) this.site.select(symbol);
        return true;
      }
      case "Delete": {
        const selected = this.site.selected();
        if (selected !== undefined && grid?.hasFocus === true) this.remove([selected]);
        return true;
      }
      default:
        return false;
    }
  }

  focus(): void {
    this.search.focus();
  }

  showList(): void {
    if (!this.isOpen) return;
    const { store, instruments, editor: { lists }, strings } = this.site;
    this.rows = lists.symbols.flatMap((symbol) => {
      const state = store.board.get(symbol);
      return state === undefined ? [] : [{ symbol, name: instruments.nameOf(symbol), state }];
    });
    this.grid.loaded?.show(this.rows);
    this.picker.draw(lists, strings());
  }

  /** The names were loaded, or alerts changed. */
  private drawRows(): void {
    for (const row of this.rows) row.name = this.site.instruments.nameOf(row.symbol);
    this.grid.loaded?.drawAll();
  }

  /** Removes symbols. If the selected one is among them, its neighbour on the screen is selected. */
  private remove(symbols: readonly StockSymbol[]): void {
    const grid = this.grid.loaded;
    const [symbol] = symbols;
    const below = grid?.neighbour(symbol, 1);
    const neighbour = below === symbol ? grid?.neighbour(symbol, -1) : below;
    const hadFocus = grid?.hasFocus ?? false;
    this.site.editor.remove(symbols, neighbour !== undefined && symbols.includes(neighbour) ? undefined : neighbour);
    if (hadFocus) grid?.focus(this.site.selected());
  }

  private loadGrid(box: HTMLElement): view.Lazy<view.Grid> {
    const { site, sparklines } = this;
    const actions: view.GridActions = {
      ...{ strings: site.strings, flashes: site.flashes, sparklines, alertMark: site.alerts.markOf, tapped: site.showSelected },
      select: site.select,
      remove: (symbol) => {
        this.remove([symbol]);
      },
      columns: site.columns.load,
      columnsChanged: site.columns.save,
    };
    const loading = view.loadGrid().then((Grid) => new Grid(box, actions, this.rows));
    return new view.Lazy(loading, () => {
      site.notify(site.strings().notice.loadFailed, { kind: "error" });
    });
  }

  private makePicker(): view.WatchlistPicker {
    const { editor, strings } = this.site;
    return new view.WatchlistPicker({
      show: (index) => {
        editor.show(index);
      },
      create: (name) => {
        editor.create(name);
        this.search.focus();
      },
      rename: (name) => {
        editor.rename(name);
      },
      delete: () => {
        editor.delete();
      },
      keep: () => {
        editor.keep();
      },
      defaultName: () => strings().lists.numbered(editor.lists.all.length + 1),
      strings,
    });
  }
}
