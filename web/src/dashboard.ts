import type { Client } from "./client";
import type { MarketStore } from "./market-store";
import type { BarSeries } from "./market";
import type { Millis, StockSymbol } from "./model";
import * as view from "./view";
import type { Strings } from "./strings";

/** What the screen shows, and asks for what it does not have. */
export interface Source {
  readonly client: Client;
  readonly store: MarketStore;
  readonly now: () => Millis;
  readonly strings: () => Strings;
}

/** What the viewer did with what is on the screen. */
export interface DashboardActions {
  readonly select: (symbol: StockSymbol) => void;
  readonly remove: (symbol: StockSymbol) => void;
  /** The columns were moved, sized, hidden or sorted; as text to be kept. */
  readonly arranged: (columns: string) => void;
  /** The reader of the chart nears its first bar. */
  readonly older: () => void;
  readonly connect: () => void;
}

/** Each part is drawn once in so many beats of a tenth of a second. SymbolState of the stream can be read, and a countdown skips none. */
const BEATS = { prices: 1, fade: 1, tape: 1, sparks: 1, chart: 2, stream: 3, strip: 5 } as const;

/** Prices that are so late do not keep the rest of the page waiting. */
const FIRST_PRICE_MS = 400;

/** Everything that shows the market, and when it is drawn: the list first, at once; the chart when the first prices stand. */
export class Dashboard {
  /** Resolves when the first prices are painted, or too late: what else the page needs is fetched then. */
  readonly stands: Promise<void>;
  readonly grid: view.Later<view.Grid>;
  readonly chart: view.Later<view.Chart>;
  readonly status: view.Status;
  private readonly source: Source;
  private readonly rhythm = new view.Rhythm();
  private readonly prices = this.rhythm.part(BEATS.prices, () => {
    this.drawPrices();
  });
  private readonly fade = this.rhythm.part(BEATS.fade, () => {
    this.flashes.fade();
  });
  private readonly bars = this.rhythm.part(BEATS.chart, () => {
    this.chart.now?.draw(this.source.strings());
  });
  private readonly lines = this.rhythm.part(BEATS.tape, () => {
    this.tape.draw(this.source.strings());
  });
  private readonly figures = this.rhythm.part(BEATS.stream, () => {
    this.drawStream();
  });
  private readonly passing = this.rhythm.part(BEATS.strip, () => {
    if (!this.isHeld) this.strip.draw((symbol) => this.source.store.board.get(symbol));
  });
  private readonly sparkLines = this.rhythm.part(BEATS.sparks, () => {
    if (!this.isHeld) this.sparks.drawSome();
  });
  private readonly flashes: view.Flashes;
  private readonly sparks: view.Sparks;
  private readonly headline: view.Headline;
  private readonly tape = new view.TapeView(this.lines.hurry);
  private readonly strip = new view.Strip();
  private readonly stream = new view.Stream();
  private rows: readonly view.Row[] = [];
  private selected: StockSymbol | undefined;
  private isHeld = false;
  private isPriced = false;
  private roundTrip: number | undefined;
  private painted: () => void = () => undefined;

  constructor(source: Source, actions: DashboardActions, width: "wide" | "narrow", columns: string | undefined) {
    this.source = source;
    this.flashes = new view.Flashes(source.now, this.fade.mark);
    this.sparks = new view.Sparks(source.now, this.sparkLines.mark);
    this.headline = new view.Headline(this.flashes);
    this.status = new view.Status(actions.connect);
    const missing = () => {
      this.status.tell(source.strings().notice.loadFailed);
    };
    const { flashes, sparks } = this;
    const gridActions = { ...actions, strings: source.strings, flashes, sparks };
    this.grid = new view.Later(view.fetchGrid().then((Grid) => new Grid(gridActions, columns, width, this.rows)), missing);
    this.grid.do(() => {
      this.prices.hurry();
    });
    this.stands = new Promise((stands) => {
      this.painted = () => {
        // The frame after the one in which they were written: they are on the screen then.
        requestAnimationFrame(() => {
          setTimeout(stands);
        });
      };
      this.grid.do(() => setTimeout(stands, FIRST_PRICE_MS));
    });
    this.chart = new view.Later(this.stands.then(view.fetchChart).then((Chart) => new Chart(actions.older, this.bars.hurry)), missing);
    this.chart.do(this.bars.hurry);
  }

  /** The market moved: everything is drawn when its turn comes. */
  readonly moved = (): void => {
    for (const part of [this.prices, this.bars, this.lines, this.passing]) part.mark();
  };

  /** The viewer did something: everything is drawn in the next frame. */
  readonly looked = (): void => {
    for (const part of [this.prices, this.bars, this.lines, this.figures, this.passing]) part.hurry();
  };

  /** What the clock moves: ages, countdowns, figures of the last seconds. */
  readonly ticked = (): void => {
    this.figures.mark();
  };

  /** The list's symbols, and what they are called. */
  showList(symbols: readonly StockSymbol[], nameOf: (symbol: StockSymbol) => string): void {
    const { board } = this.source.store;
    this.rows = symbols.flatMap((symbol) => {
      const figures = board.get(symbol);
      return figures === undefined ? [] : [{ symbol, name: nameOf(symbol), figures }];
    });
    this.grid.now?.show(this.rows);
    this.strip.show(symbols);
    this.passing.hurry();
  }

  setNames(nameOf: (symbol: StockSymbol) => string): void {
    for (const row of this.rows) row.name = nameOf(row.symbol);
    this.grid.now?.drawAll();
    if (this.selected !== undefined) this.headline.setName(nameOf(this.selected));
  }

  /** Marks the row; headline and tape follow by `showSymbol` when it is another symbol. */
  select(symbol: StockSymbol | undefined): void {
    this.selected = symbol;
    if (this.grid.now === undefined) this.grid.do((grid) => { grid.select(this.selected); });
    else this.grid.now.select(symbol);
  }

  showSymbol(name: string): void {
    const { selected } = this;
    const { store, strings } = this.source;
    this.headline.choose(selected, name);
    const figures = selected === undefined ? undefined : store.board.get(selected);
    if (figures !== undefined) this.headline.draw(figures, strings());
    this.tape.choose(store.sales);
  }

  showSeries(series: BarSeries | undefined, label: string): void {
    this.chart.do((chart) => {
      chart.choose(series, label, this.source.strings());
    });
    this.looked();
  }

  showStrip(shown: "shown" | "hidden"): void {
    this.strip.set(shown);
  }

  /** Holds what is on the screen. What is chosen while it is held has no picture yet, and comes as it is. */
  hold(is: "held" | "let go"): void {
    // A price that the list has and the chart not yet would stand beside an older one for as long as it is held.
    if (is === "held") this.rhythm.settle();
    this.isHeld = is === "held";
    this.chart.do((chart) => {
      chart.hold(is);
    });
    this.tape.hold(is);
    this.sparkLines.mark();
    this.looked();
  }

  answered(roundTrip: number): void {
    this.roundTrip = roundTrip;
  }

  private drawPrices(): void {
    const grid = this.grid.now;
    if (this.isHeld || grid === undefined) return;
    const { store, strings, now } = this.source;
    let isPriced = false;
    for (const symbol of store.board.takeChanged()) {
      const figures = store.board.get(symbol);
      if (figures === undefined) continue;
      grid.draw(symbol);
      if (symbol === this.selected) this.headline.draw(figures, strings());
      isPriced ||= figures.ticker !== undefined;
    }
    grid.keepSorted(now());
    if (isPriced) this.priced();
  }

  /** For whoever waits for the first prices: those who measure them, and the rest of the page. */
  private priced(): void {
    if (this.isPriced) return;
    this.isPriced = true;
    performance.mark("first-price");
    this.painted();
  }

  private drawStream(): void {
    const { client, store, strings, now } = this.source;
    const [time, isLive] = [now(), client.state.phase === "live"];
    const reading = store.meter.read(time);
    this.status.drawState(client.state, store.freshness.read(time, { isLive: client.isAcknowledged, lastReceived: client.lastReceived }), time, strings());
    this.status.drawReading(reading, isLive ? this.roundTrip : undefined);
    this.status.drawGaps(client.counters.gaps, store.latestGap, strings());
    this.stream.draw(client.counters, store.rates.read(time, client.counters), reading);
    const figures = this.selected === undefined || this.isHeld ? undefined : store.board.get(this.selected);
    if (this.selected !== undefined && figures !== undefined) this.headline.drawTitle(this.selected, figures);
  }
}
