import { asSymbol, type Client, type MarketEvent, type Ticker, type Trade } from "@tapecast/client";
import { latestTickers, latestTrades, type Collector, type View } from "./view";

type ViewedChannel = "tickers" | "trades";

/** A view that at least one component shows. */
interface ShownView {
  readonly channel: ViewedChannel;
  readonly symbols: ReadonlySet<string>;
  readonly listeners: Set<() => void>;
  hasNews: boolean;
  collector: Collector<unknown>;
  /** Makes what is collected visible. */
  readonly publish: () => void;
}

/**
 * The market's streams of one client, shared by all components that use it.
 *
 * Views are told of news once per frame, all in one go, which React renders together. A stream is subscribed to while a view
 * shows it. It is given up a frame after the last view is gone: a component that is mounted again at once, as in strict
 * mode, causes no commands.
 */
export class MarketFeed {
  private readonly client: Client;
  private readonly nextFrame: (run: () => void) => void;
  private readonly shown = new Set<ShownView>();
  private subscribed: Readonly<Record<ViewedChannel, ReadonlySet<string>>> = { tickers: new Set(), trades: new Set() };
  private isFrameDue = false;
  private stopListening: (() => void) | undefined;

  constructor(client: Client, nextFrame: (run: () => void) => void) {
    this.client = client;
    this.nextFrame = nextFrame;
  }

  /** The latest ticker of each of these symbols. What is no symbol is passed over. */
  tickers(symbols: readonly string[]): View<ReadonlyMap<string, Ticker>> {
    return this.view("tickers", symbols, latestTickers);
  }

  /** The latest trades of these symbols. What is no symbol is passed over. */
  trades(symbols: readonly string[], limit: number): View<readonly Trade[]> {
    return this.view("trades", symbols, () => latestTrades(limit));
  }

  private view<Value>(channel: ViewedChannel, symbols: readonly string[], create: () => Collector<Value>): View<Value> {
    let collector = create();
    let value = collector.value();
    const view: ShownView = {
      ...{ channel, symbols: new Set(symbols.filter((symbol) => asSymbol(symbol) !== undefined)), listeners: new Set(), hasNews: false },
      collector,
      publish: () => {
        value = collector.value();
      },
    };
    return {
      snapshot: () => value,
      subscribe: (changed) => {
        if (!this.shown.has(view)) {
          // What it collected when it was last shown is old.
          collector = view.collector = create();
          this.show(view);
          value = collector.value();
        }
        view.listeners.add(changed);
        return () => {
          view.listeners.delete(changed);
          this.atNextFrame();
        };
      },
    };
  }

  /** Begins with what other views know, because a stream that is subscribed to gives no snapshot again. */
  private show(view: ShownView): void {
    const others = [...this.shown].filter(({ channel }) => channel === view.channel);
    const known = [...view.symbols].flatMap((symbol) => {
      const other = others.find(({ symbols }) => symbols.has(symbol) || symbols.has("*"));
      return other?.collector.events().filter((event) => symbol === "*" || event.symbol === symbol) ?? [];
    });
    for (const event of known.sort((a, b) => a.time - b.time)) view.collector.collect(event);
    this.shown.add(view);
    this.stopListening ??= this.client.on("market", ({ events }) => {
      this.receive(events);
    });
    // Components are mounted one after the other in one go: one command for all of them.
    void Promise.resolve().then(() => {
      this.synchronize();
    });
  }

  private receive(events: readonly MarketEvent[]): void {
    for (const view of this.shown) {
      for (const event of events) {
        if (!view.symbols.has(event.symbol) && !view.symbols.has("*")) continue;
        if (view.collector.collect(event)) view.hasNews = true;
      }
      if (view.hasNews) this.atNextFrame();
    }
  }

  private atNextFrame(): void {
    if (this.isFrameDue) return;
    this.isFrameDue = true;
    this.nextFrame(() => {
      this.isFrameDue = false;
      this.giveUpUnused();
      this.publish();
    });
  }

  private publish(): void {
    const changed = [...this.shown].filter(({ hasNews }) => hasNews);
    for (const view of changed) {
      view.hasNews = false;
      view.publish();
    }
    for (const { listeners } of changed) for (const listener of [...listeners]) listener();
  }

  private giveUpUnused(): void {
    const unused = [...this.shown].filter(({ listeners }) => listeners.size === 0);
    for (const view of unused) this.shown.delete(view);
    if (unused.length > 0) this.synchronize();
    if (this.shown.size > 0) return;
    this.stopListening?.();
    this.stopListening = undefined;
  }

  /** Makes the client's subscriptions those of the shown views. */
  private synchronize(): void {
    const before = this.subscribed;
    const now = { tickers: this.wanted("tickers"), trades: this.wanted("trades") };
    this.subscribed = now;
    this.client.subscribe({ tickers: without(now.tickers, before.tickers), trades: without(now.trades, before.trades) });
    this.client.unsubscribe({ tickers: without(before.tickers, now.tickers), trades: without(before.trades, now.trades) });
  }

  private wanted(channel: ViewedChannel): ReadonlySet<string> {
    return new Set([...this.shown].filter((view) => view.channel === channel).flatMap(({ symbols }) => [...symbols]));
  }
}

const without = (all: ReadonlySet<string>, other: ReadonlySet<string>): readonly string[] => [...all].filter((symbol) => !other.has(symbol));
