import { getJson, storage, streamUrl, world } from "./browser";
import { Client } from "./client";
import { Board, Charts, findInstruments, Meter, Watchlist, type IntervalSeconds } from "./market";
import { asSymbol, type Instrument, type StockSymbol } from "./model";
import { Chart, Headline, listenToIntervals, listenToKeys, oncePerFrame, Search, Status, Table } from "./view";
import { readAssets } from "./wire";

const WATCHLIST_KEY = "tapecast.watchlist";
/** As many as fit under the search box without scrolling. */
const MAX_HITS = 8;
/** Often enough that a countdown in seconds never skips one. */
const CLOCK_MS = 250;
const SESSION_CHANNELS = ["trades", "quotes", "bars", "dailyBars"] as const;

/** The one place that knows every room: events go right into the market, marks go to the view, commands go back. */
export class App {
  private readonly client = new Client(world, { url: streamUrl() });
  private readonly watchlist = Watchlist.fromText(storage.load(WATCHLIST_KEY));
  private readonly board = new Board();
  private readonly charts = new Charts();
  private readonly meter = new Meter();
  private instruments: readonly Instrument[] = [];
  private interval: IntervalSeconds = 1;

  private readonly table = new Table({
    select: (symbol) => {
      this.select(symbol);
    },
    remove: (symbol) => {
      this.remove(symbol);
    },
  });
  private readonly headline = new Headline();
  private readonly chart = new Chart();
  private readonly status = new Status(() => {
    this.client.connect();
  });
  private readonly search = new Search({
    find: (typed) => this.find(typed),
    isWatched: (symbol) => this.watchlist.has(symbol),
    choose: (symbol) => {
      this.add(symbol);
    },
  });
  private readonly mark = oncePerFrame(() => {
    this.draw();
  });

  start(): void {
    for (const symbol of this.watchlist.symbols) this.watch(symbol);
    this.chooseSeries();
    this.listen();
    setInterval(this.mark, CLOCK_MS);
    this.client.connect();
  }

  private listen(): void {
    this.client.on("state", ({ phase }) => {
      if (phase === "live") {
        this.status.tell("");
        void this.loadInstruments();
      }
      this.mark();
    });
    this.client.on("market", ({ events, receivedAt }) => {
      for (const event of events) {
        this.board.apply(event);
        this.charts.apply(event);
        this.meter.count(event, receivedAt);
      }
      this.mark();
    });
    this.client.on("gap", (gap) => {
      this.status.addGap(gap);
    });
    this.client.on("refused", ({ code, message }) => {
      this.status.tell(`The server refused a command: ${message} (${code})`);
    });
    this.client.on("fault", (sentence) => {
      this.status.tell(`Ignored: ${sentence}`);
    });
    listenToIntervals((interval) => {
      this.interval = interval;
      this.chooseSeries();
    });
    listenToKeys({
      search: () => {
        this.search.focus();
      },
      move: (rows) => {
        const symbol = this.watchlist.neighbour(rows);
        if (symbol !== undefined) this.select(symbol);
      },
      remove: () => {
        if (this.watchlist.selected !== undefined) this.remove(this.watchlist.selected);
      },
    });
    // The network came back: no need to sit the wait out.
    addEventListener("online", () => {
      if (this.client.state.phase === "waiting") this.client.connect();
    });
  }

  private draw(): void {
    const now = world.now();
    for (const symbol of this.board.takeChanged()) {
      const figures = this.board.of(symbol);
      if (figures === undefined) continue;
      this.table.draw(symbol, figures);
      if (symbol === this.watchlist.selected) this.headline.draw(symbol, figures);
    }
    this.chart.draw();
    this.status.drawState(this.client.state, now);
    this.status.drawReading(this.meter.read(now));
  }

  /** Asked at each connection until it was answered once: without it names are missing, and search takes what is typed. */
  private async loadInstruments(): Promise<void> {
    if (this.instruments.length > 0) return;
    const instruments = readAssets(await getJson("/v2/assets"));
    if (instruments === undefined) {
      this.status.tell("The list of symbols did not load: type a whole symbol to add it");
      return;
    }
    this.instruments = instruments;
    for (const { symbol, name } of instruments) this.table.setName(symbol, name);
    this.chooseSeries();
  }

  private find(typed: string): readonly Instrument[] {
    if (this.instruments.length > 0) return findInstruments(this.instruments, typed, MAX_HITS);
    const symbol = asSymbol(typed.toUpperCase());
    return symbol === undefined ? [] : [{ symbol, name: "", exchange: "" }];
  }

  private add(symbol: StockSymbol): void {
    if (this.watchlist.add(symbol)) {
      this.watch(symbol);
      storage.save(WATCHLIST_KEY, this.watchlist.toText());
      this.status.tell("");
    } else if (!this.watchlist.has(symbol)) {
      this.status.tell("The watchlist is full: remove a symbol first");
    }
    this.watchlist.select(symbol);
    this.chooseSeries();
  }

  private watch(symbol: StockSymbol): void {
    this.board.watch(symbol);
    this.charts.watch(symbol);
    this.table.add(symbol);
    this.table.setName(symbol, this.nameOf(symbol));
    this.client.subscribe(wants(symbol));
  }

  private remove(symbol: StockSymbol): void {
    const { selected } = this.watchlist;
    if (!this.watchlist.remove(symbol)) return;
    this.client.unsubscribe(wants(symbol));
    this.board.unwatch(symbol);
    this.charts.unwatch(symbol);
    this.table.remove(symbol);
    storage.save(WATCHLIST_KEY, this.watchlist.toText());
    if (this.watchlist.selected !== selected) this.chooseSeries();
  }

  /** Another symbol; the one that is selected keeps its chart as the reader has placed it. */
  private select(symbol: StockSymbol): void {
    if (symbol === this.watchlist.selected) return;
    this.watchlist.select(symbol);
    this.chooseSeries();
  }

  /** Headline and chart follow what is selected. */
  private chooseSeries(): void {
    const symbol = this.watchlist.selected;
    const figures = symbol === undefined ? undefined : this.board.of(symbol);
    this.table.select(symbol);
    this.headline.choose(symbol, symbol === undefined ? "" : this.nameOf(symbol));
    if (symbol !== undefined && figures !== undefined) this.headline.draw(symbol, figures);
    const series = symbol === undefined ? undefined : this.charts.of(symbol, this.interval);
    this.chart.choose(series, `Candles of ${symbol ?? "no symbol"}, ${this.interval} s each`);
    this.mark();
  }

  private nameOf(symbol: StockSymbol): string {
    return this.instruments.find((instrument) => instrument.symbol === symbol)?.name ?? "";
  }
}

function wants(symbol: StockSymbol) {
  return Object.fromEntries(SESSION_CHANNELS.map((channel) => [channel, [symbol]]));
}
