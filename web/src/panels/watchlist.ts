import { isSection, itemId, MAX_NAME, sectionAt, shownItems, symbolsOf, totalOf, type Flag, type ListItem, type ListFormat } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { saveFile } from "../platform";
import { COLUMNS, type ColumnId, type Strings } from "../strings";
import * as view from "../view";
import type { PanelSite } from "./host";
import { RowCommands } from "./row-commands";
import { TradeLook } from "./trade-look";

/** Search results that fit below the search box without scrolling. */
const MAX_RESULTS = 8;

/** Slots of 100 ms between two batches of sparklines. */
const SPARKLINE_SLOTS = 1;

/** The names and kinds of exported files. */
const FILES: Readonly<Record<ListFormat, readonly [ending: string, type: string]>> = { tradingview: ["txt", "text/plain"], csv: ["csv", "text/csv"] };

/** The current watchlist: its grid, the choice of the list, the search for further symbols. */
export class WatchlistPanel implements view.Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly grid: view.Lazy<view.Grid>;
  private readonly search: view.SymbolSearch;
  private readonly dialog = new view.NameDialog(MAX_NAME);
  private readonly picker: view.WatchlistPicker;
  private readonly menu: view.ListMenu;
  private readonly commands: RowCommands;
  private readonly trade: TradeLook;
  private readonly sparklines: view.SparklineQueue;
  private readonly sparklineBatch: view.Invalidation;
  /** Many alerts change at once when a connection begins. */
  private readonly marks: view.Invalidation;
  private readonly site: PanelSite;
  private rows: readonly (view.GridRow | view.SectionRow)[] = [];
  /** The row of the total, while the list has positions. */
  private total: view.TotalRow | undefined;
  /** Only symbols with this flag are shown. */
  private filter: Flag | undefined;
  private isOpen = false;
  /** The columns that are shown: perhaps all, until the grid is there. */
  private columns: readonly ColumnId[] = COLUMNS;
  private releaseFields: () => void = () => undefined;

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
      onChange: (listener) => {
        instruments.onChange(listener);
      },
      isWatched: (symbol) => editor.lists.has(symbol),
      choose: (symbol) => {
        editor.add(symbol);
      },
      addText: (text) => editor.addText(text),
      strings: site.strings,
    });
    this.picker = this.makePicker();
    this.menu = this.makeMenu();
    this.trade = new TradeLook(site);
    this.commands = new RowCommands(site, {
      grid: () => this.grid.loaded,
      remove: (symbols) => {
        this.remove(symbols);
      },
      trade: this.trade,
      dialog: this.dialog,
    });
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
    const { filterButton, button, menu, fileInput } = this.menu;
    const { node, head } = view.panelSection("watchlist-panel", "watchlist", ...this.picker.nodes, filterButton, button, columnsButton, this.search.node);
    head.classList.add("watchlist-head");
    const box = view.make("div", "watchlist ag-theme-tapecast");
    Object.assign(box, { id: "watchlist", tabIndex: -1 });
    node.append(view.make("div", "watchlist-box", box), columnsMenu, menu, fileInput, this.dialog.node, this.trade.node, ...this.commands.nodes, view.translated("p", "drop-hint", "dropFile"));
    view.listenToFileDrops(node, (file) => void this.menu.importFile(file));
    node.addEventListener("keydown", (press) => {
      if (press.key !== "Escape" || !this.trade.isOpen) return;
      press.stopPropagation();
      this.trade.close();
    });
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
    editor.notes.onChange(() => {
      this.showList();
      this.marks.invalidateNow();
    });
  }

  open(): void {
    this.isOpen = true;
    this.useFields();
    this.showList();
  }

  close(): void {
    this.isOpen = false;
    this.useFields();
    this.trade.close();
  }

  select(symbol: StockSymbol | undefined): void {
    this.trade.close();
    if (this.grid.loaded === undefined) this.grid.whenLoaded((grid) => { grid.select(this.site.selected()); });
    else this.grid.loaded.select(symbol);
  }

  translate(strings: Strings): void {
    this.picker.draw(this.site.editor.lists, strings);
    this.menu.draw(strings);
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
    this.sumUp();
    this.trade.draw();
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
    const { editor: { lists, notes }, strings } = this.site;
    const { filter } = this;
    const shown = shownItems(lists.items, filter === undefined ? undefined : (symbol) => notes.flagOf(symbol) === filter);
    this.rows = shown.flatMap((item) => this.rowOf(item) ?? []);
    const hasPositions = lists.symbols.some((symbol) => notes.positionOf(symbol) !== undefined);
    this.total = hasPositions ? (this.total ?? { kind: "total", figures: undefined }) : undefined;
    this.sumUp();
    this.grid.loaded?.show(this.rows, this.total);
    this.picker.draw(lists, strings());
    this.menu.draw(strings());
  }

  private rowOf(item: ListItem): view.GridRow | view.SectionRow | undefined {
    const { store, instruments, editor: { lists: { items }, notes } } = this.site;
    const section = sectionAt(items, itemId(item));
    if (isSection(item)) {
      const start = items.indexOf(item);
      const end = items.findIndex((other, at) => at > start && isSection(other));
      const count = symbolsOf(items.slice(start, end < 0 ? undefined : end)).length;
      return { kind: "section", id: itemId(item), name: item.name, isFolded: item.isFolded, count };
    }
    const state = store.board.get(item);
    if (state === undefined) return undefined;
    return { kind: "symbol", symbol: item, name: instruments.nameOf(item), flag: notes.flagOf(item), position: notes.positionOf(item), section: section && itemId(section), state };
  }

  /** The total of the positions of the list, shown or not. */
  private sumUp(): void {
    if (this.total === undefined) return;
    const { store, editor: { lists, notes } } = this.site;
    const held = lists.symbols.flatMap((symbol) => {
      const position = notes.positionOf(symbol);
      return position === undefined ? [] : [[position, store.board.get(symbol)?.ticker] as const];
    });
    this.total.figures = totalOf(held);
    this.grid.loaded?.drawTotal();
  }

  /** The names were loaded, or alerts changed. */
  private drawRows(): void {
    for (const row of this.rows) {
      if (row.kind === "symbol") row.name = this.site.instruments.nameOf(row.symbol);
    }
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
      columnsShown: (columns) => {
        this.columns = columns;
        this.useFields();
      },
      command: (command, id, at) => {
        this.commands.run(command, id, at);
      },
      canMove: () => this.commands.canMove(),
      move: (id, place) => {
        this.commands.move(id, place);
      },
      hover: (symbol, at) => {
        if (symbol === undefined || at === undefined) this.trade.close();
        else this.trade.open(symbol, at);
      },
    };
    const loading = view.loadGrid().then((Grid) => new Grid(box, actions, this.rows, this.total));
    return new view.Lazy(loading, () => {
      site.notify(site.strings().notice.loadFailed, { kind: "error" });
    });
  }

  /** Uses the fields of tickers that are shown. */
  private useFields(): void {
    const release = this.releaseFields;
    this.releaseFields = this.site.store.tickerFields.use(this.isOpen ? view.tickerFieldsOf(this.columns) : []);
    release();
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
    }, this.dialog);
  }

  private makeMenu(): view.ListMenu {
    const { editor, strings, notify } = this.site;
    return new view.ListMenu({
      importText: (text) => {
        if (!editor.addText(text)) notify(strings().notice.noSymbols, { kind: "error" });
      },
      exportAs: (format) => {
        const [ending, type] = FILES[format];
        saveFile(`${editor.lists.current.name}.${ending}`, editor.exported(format), type);
      },
      addSection: () => {
        this.commands.addSection(undefined);
      },
      isSorted: () => this.grid.loaded?.isSorted ?? false,
      endSort: () => this.grid.loaded?.endSort(),
      filter: () => this.filter,
      setFilter: (flag) => {
        this.filter = flag;
        this.showList();
      },
      strings,
    });
  }
}
