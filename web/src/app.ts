import { Access } from "./access";
import { address, getJson, storage, streamUrl, runtime } from "./browser";
import { Client, HistoryClient } from "./client";
import { MarketStore } from "./market-store";
import { findInstruments, INTERVALS, Watchlists, type IntervalSeconds } from "./market";
import { asSymbol, type Instrument, type StockSymbol } from "./model";
import { HistoryLoader } from "./history-loader";
import { Dashboard } from "./dashboard";
import { languageOf, readSettings, readView, riseOf, writeSettings, writeView, type Settings } from "./settings";
import * as view from "./view";
import { STRINGS, type Strings } from "./strings";

const LISTS_KEY = "tapecast.lists";
const SETTINGS_KEY = "tapecast.settings";
/** As many as fit under the search box without scrolling. */
const MAX_HITS = 8;
/** How often the board looks at its clock. */
const CLOCK_MS = 250;
/** Below this width the board shows other columns. */
const NARROW_PX = 640;

/** The one place that knows every room: events go right into the market, marks go to the view, commands go back. */
export class App {
  private settings: Settings = readSettings(storage.load(SETTINGS_KEY));
  private strings: Strings = STRINGS[languageOf(this.settings, navigator.languages)];
  private readonly lists = Watchlists.fromText(storage.load(LISTS_KEY), this.strings.lists.first);
  /** The socket is opened first: it shakes hands while the page is built. */
  private readonly client = connected(new Client(runtime, { url: streamUrl(), conflateMs: this.settings.conflateMs, key: Access.kept() }));
  private readonly history = new HistoryClient(async (path) => {
    await this.dashboard.stands;
    return this.access.isAsked ? undefined : await getJson(path, this.access.key);
  });
  private readonly loader = new HistoryLoader(this.history, runtime.now, () => {
    this.dashboard.moved();
  });
  private readonly store = new MarketStore(this.client, this.loader, runtime.now);
  private instruments: ReadonlyMap<StockSymbol, Instrument> = new Map();
  private interval: IntervalSeconds = this.settings.interval;
  private isPaused = false;

  private readonly width = innerWidth < NARROW_PX ? "narrow" : "wide";
  private readonly getStrings = (): Strings => this.strings;
  private readonly access = new Access(this.client, this.getStrings);
  /** Whether the names of the instruments are on their way. */
  private isNaming = false;
  private readonly dashboard: Dashboard = new Dashboard(
    { client: this.client, store: this.store, now: runtime.now, strings: this.getStrings },
    {
      select: (symbol) => {
        this.select(symbol);
      },
      remove: (symbol) => {
        this.remove(symbol);
      },
      arranged: (columns) => {
        this.set({ columns: { ...this.settings.columns, [this.width]: columns } });
      },
      older: () => void this.loader.loadOlder(),
      connect: () => {
        this.client.connect();
      },
    },
    this.width,
    this.settings.columns[this.width],
  );
  private readonly intervals = new view.Intervals((interval) => {
    this.setInterval(interval);
  });
  private readonly controls = new view.Controls(
    (conflateMs) => {
      this.client.setConflation(conflateMs);
      this.set({ conflateMs });
      this.controls.drawPace(conflateMs, this.strings);
    },
    () => {
      this.togglePause();
    },
  );
  private readonly choices = new view.Choices(
    (chosen) => {
      this.set(chosen);
      this.dress();
    },
    () => void this.share(),
  );
  private readonly search = new view.Search({
    find: (typed) => this.find(typed),
    isWatched: (symbol) => this.lists.has(symbol),
    choose: (symbol) => {
      this.add(symbol);
    },
    strings: this.getStrings,
  });
  private readonly listChoice = new view.ListChoice({
    show: (place) => {
      this.change(() => {
        this.lists.show(place);
      });
    },
    create: (name) => {
      this.change(() => this.lists.create(name));
      this.search.focus();
    },
    rename: (name) => {
      this.change(() => {
        this.lists.rename(name);
      });
    },
    delete: () => {
      this.change(() => {
        this.lists.delete();
      });
    },
    freshName: () => this.strings.lists.numbered(this.lists.all.length + 1),
    strings: this.getStrings,
  });

  start(): void {
    const looked = readView(address.query());
    if (looked.symbols !== undefined) this.lists.openShared(looked.symbols, this.strings.lists.shared);
    if (looked.symbol !== undefined && this.lists.add(looked.symbol)) this.lists.select(looked.symbol);
    if (looked.interval !== undefined) this.interval = looked.interval;
    this.listenToClient();
    this.listenToViewer();
    this.dress();
    this.change(() => undefined);
    setInterval(() => {
      this.loader.tick();
      this.dashboard.ticked();
    }, CLOCK_MS);
  }

  private listenToClient(): void {
    const { client, store } = this;
    const { status, moved, ticked } = this.dashboard;
    client.on("state", ({ phase }) => {
      if (phase === "live") {
        status.tell("");
        void this.loadInstruments();
      }
      ticked();
    });
    client.on("market", ({ events, receivedAt }) => {
      store.apply(events, receivedAt);
      moved();
    });
    client.on("gap", (gap) => {
      store.recordGap(gap);
      moved();
    });
    client.on("heartbeat", ({ ageMs, receivedAt }) => {
      store.freshness.heartbeat(ageMs, receivedAt);
    });
    client.on("acknowledged", ({ epochIs, rejected, conflateMs }) => {
      // Where a key was asked for REST could not be asked before.
      void this.loadInstruments();
      if (epochIs === "new" && client.counters.connections > 1) store.reload(this.interval);
      if (rejected.length > 0) status.tell(this.strings.notice.unknownSymbols(rejected.join(", ")));
      this.controls.drawPace(conflateMs, this.strings);
    });
    client.on("roundTrip", (ms) => {
      this.dashboard.answered(ms);
    });
    client.on("drain", (ms) => {
      status.tell(this.strings.notice.drain(`${Math.ceil(ms / 1000)} s`));
    });
    client.on("serverError", ({ code, message }) => {
      if (!this.access.refused(code)) status.tell(this.strings.notice.serverError(message, code));
    });
    client.on("unreadable", (sentence) => {
      status.tell(this.strings.notice.unreadable(sentence));
    });
  }

  private listenToViewer(): void {
    view.listenToKeys({
      search: () => {
        this.search.focus();
      },
      move: (rows) => {
        const symbol = this.dashboard.grid.now?.neighbour(this.lists.selected, rows);
        if (symbol !== undefined) this.select(symbol);
      },
      remove: () => {
        if (this.lists.selected !== undefined) this.remove(this.lists.selected);
      },
      interval: (place) => {
        this.setInterval(INTERVALS[place] ?? this.interval);
      },
      pause: () => {
        this.togglePause();
      },
      strip: () => {
        this.set({ strip: this.settings.strip === "shown" ? "hidden" : "shown" });
        this.dress();
      },
      list: (places) => {
        this.change(() => {
          this.lists.show(this.lists.index + places);
        });
      },
    });
    view.makeColumnMenu({
      columns: () => this.dashboard.grid.now?.columns() ?? [],
      setShown: (id, shown) => {
        this.dashboard.grid.now?.setShown(id, shown);
      },
      reset: () => {
        this.dashboard.grid.now?.reset();
      },
      strings: this.getStrings,
    });
    view.onSystemTheme(() => {
      this.dress();
    });
    // The network came back, or the reader: no need to sit the wait out.
    const hurry = () => {
      if (this.client.state.phase === "waiting" && document.visibilityState === "visible") this.client.connect();
    };
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
  }

  /** Asked at each connection until it was answered once: without it names are missing, and search takes what is typed. */
  private async loadInstruments(): Promise<void> {
    if (this.instruments.size > 0 || this.isNaming) return;
    this.isNaming = true;
    const instruments = await this.history.instruments();
    this.isNaming = false;
    if (instruments === undefined) {
      if (this.access.isAsked) return;
      this.dashboard.status.tell(this.strings.notice.noInstruments);
      return;
    }
    this.instruments = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
    this.dashboard.setNames(this.nameOf);
  }

  private find(typed: string): readonly Instrument[] {
    if (this.instruments.size > 0) return findInstruments([...this.instruments.values()], typed, MAX_HITS);
    const symbol = asSymbol(typed.toUpperCase());
    return symbol === undefined ? [] : [{ symbol, name: "", exchange: "" }];
  }

  private add(symbol: StockSymbol): void {
    const isThere = this.lists.add(symbol);
    this.dashboard.status.tell(isThere ? "" : this.strings.notice.full);
    this.change(() => {
      this.lists.select(symbol);
    });
  }

  private remove(symbol: StockSymbol): void {
    const grid = this.dashboard.grid.now;
    const below = grid?.neighbour(symbol, 1);
    const neighbour = below === symbol ? grid?.neighbour(symbol, -1) : below;
    const hadFocus = grid?.hasFocus ?? false;
    this.change(() => {
      this.lists.remove(symbol, neighbour === symbol ? undefined : neighbour);
    });
    if (hadFocus) grid?.focus(this.lists.selected);
  }

  /** Something about the lists changes: what is watched, shown and kept follows. */
  private change(act: () => unknown): void {
    act();
    const { lists, store } = this;
    store.watch(lists);
    this.dashboard.showList(lists.symbols, this.nameOf);
    this.listChoice.draw(lists.all, lists.index);
    storage.save(LISTS_KEY, lists.toText());
    this.focus();
  }

  private select(symbol: StockSymbol): void {
    if (symbol === this.lists.selected) return;
    this.lists.select(symbol);
    this.focus();
  }

  /** Headline, chart and tape follow what is selected. */
  private focus(): void {
    const symbol = this.lists.selected;
    this.dashboard.select(symbol);
    this.writeAddress();
    if (!this.store.select(symbol, this.interval)) return;
    this.dashboard.showSymbol(symbol === undefined ? "" : this.nameOf(symbol));
    this.showSeries();
  }

  private setInterval(interval: IntervalSeconds): void {
    this.interval = interval;
    this.set({ interval });
    this.loader.follow(this.store.bars, interval);
    this.writeAddress();
    this.showSeries();
  }

  private showSeries(): void {
    const { strings, interval, store } = this;
    const label = strings.chartOf(store.bars?.symbol ?? "–", strings.interval(interval));
    this.dashboard.showSeries(store.bars?.get(interval), label);
    this.intervals.show(interval, strings);
  }

  private togglePause(): void {
    this.isPaused = !this.isPaused;
    this.dashboard.hold(this.isPaused ? "held" : "let go");
    this.controls.drawPause(this.isPaused, this.strings);
  }

  private set(chosen: Partial<Settings>): void {
    this.settings = { ...this.settings, ...chosen };
    storage.save(SETTINGS_KEY, writeSettings(this.settings));
  }

  /** The page puts on the theme, the colours and the language that were chosen. */
  private dress(): void {
    const { settings } = this;
    const { dataset } = document.documentElement;
    dataset["theme"] = settings.theme;
    dataset["rise"] = riseOf(settings, navigator.languages);
    const strings = STRINGS[languageOf(settings, navigator.languages)];
    const isOther = strings !== this.strings;
    this.strings = strings;
    view.translatePage(strings);
    view.writeKeys(strings);
    if (isOther) {
      this.dashboard.grid.do((grid) => {
        grid.translate();
      });
    }
    this.dashboard.showStrip(settings.strip);
    this.choices.draw(settings, strings);
    this.controls.drawPace(settings.conflateMs, strings);
    this.controls.drawPause(this.isPaused, strings);
    this.intervals.show(this.interval, strings);
    this.dashboard.chart.do((chart) => {
      chart.paint();
    });
    this.dashboard.looked();
  }

  private async share(): Promise<void> {
    const isCopied = await address.copy();
    this.dashboard.status.tell(isCopied ? this.strings.notice.copied : this.strings.notice.notCopied);
  }

  private writeAddress(): void {
    address.write(writeView({ symbol: this.lists.selected, interval: this.interval, symbols: this.lists.symbols }));
  }

  private readonly nameOf = (symbol: StockSymbol): string => this.instruments.get(symbol)?.name ?? "";
}

function connected(client: Client): Client {
  client.connect();
  return client;
}
