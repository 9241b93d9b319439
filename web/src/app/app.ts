import { FullClient, HistoryClient, type StockSymbol } from "@tapecast/client";
import type { IntervalSeconds } from "../market";
import { address, getJson, runtime, storage, streamUrl } from "../platform";
import { readSettings, readSharedView, riseOf, writeSettings, writeSharedView, type Settings } from "../settings";
import { HistoryLoader, InstrumentDirectory, MarketStore } from "../store";
import type { Strings } from "../strings";
import { ListEditor, PanelFrame, PANELS, PriceAlerts, userId, WholeMarketSource, type PanelHost } from "../panels";
import * as view from "../view";
import { chosenStrings } from "./chosen-strings";
import { Dashboard } from "./dashboard";
import { Login } from "./login";
import { MarketPlace } from "./market-place";

const SETTINGS_KEY = "tapecast.settings";
/** Interval of time-dependent updates. */
const TICK_MS = 250;

/** The composition root: connects client, store, settings and views. Events flow into the store, user input into commands. */
export class App {
  private settings: Settings = readSettings(storage.load(SETTINGS_KEY));
  private strings: Strings = chosenStrings(this.settings);
  /** Connects first: the handshake runs while the page is built. */
  private readonly client = connected(
    new FullClient(runtime, { url: streamUrl(userId()), conflateMs: this.settings.conflateMs, key: Login.storedKey() }),
  );
  private readonly history = new HistoryClient(async (path) => {
    await this.dashboard.firstPaint;
    return this.login.isOpen ? undefined : await getJson(path, this.login.key);
  });
  private readonly loader = new HistoryLoader(this.history, runtime.now, () => {
    this.dashboard.invalidate();
  });
  private readonly store = new MarketStore(this.client, this.loader, runtime.now);
  private readonly instruments = new InstrumentDirectory(this.history);
  private readonly editor: ListEditor = new ListEditor(this.instruments, {
    changed: () => {
      this.showLists();
    },
    notify: (sentence, options) => {
      this.dashboard.notice.show(sentence, options);
    },
    endAction: () => {
      this.dashboard.notice.endAction();
    },
    strings: () => this.strings,
  });
  private readonly lists = this.editor.lists;
  private interval: IntervalSeconds = this.settings.interval;
  /** The page is for an unattended display. */
  private isWall = false;
  private keydown: (press: KeyboardEvent) => void = () => undefined;
  /** Unknown symbols that the user was told about. */
  private readonly toldUnknown = new Set<string>();

  private readonly getStrings = (): Strings => this.strings;
  private readonly login = new Login(this.client, this.getStrings);
  private readonly dashboard: Dashboard = new Dashboard({
    ...{ client: this.client, store: this.store, now: runtime.now, strings: this.getStrings },
    firedAlerts: () => this.alerts.unseen,
    connect: () => {
      this.client.connect();
    },
  });
  private readonly notify = (sentence: string, options: view.NoticeOptions): void => {
    this.dashboard.notice.show(sentence, options);
  };
  private readonly alerts: PriceAlerts = new PriceAlerts({
    ...{ client: this.client, store: this.store, strings: this.getStrings, notify: this.notify },
    select: (symbol) => {
      this.selectOrAdd(symbol);
    },
    openPanel: () => {
      this.panels.open("alerts");
    },
  });
  private readonly wholeMarket = new WholeMarketSource({
    url: () => streamUrl(userId()),
    key: () => this.login.key,
    failed: () => {
      this.notify(this.strings.notice.loadFailed, { kind: "error" });
    },
  });
  private readonly panels: PanelFrame = new PanelFrame(PANELS, this.panelHost());
  private readonly place = new MarketPlace({
    client: this.client,
    scheduler: this.dashboard.scheduler,
    freshness: this.dashboard.feedFreshness,
    strings: this.getStrings,
  });
  private readonly clock = new view.WallClock();
  private readonly controls = new view.StreamControls(
    (conflateMs) => {
      this.client.setConflation(conflateMs);
      this.updateSettings({ conflateMs });
      this.controls.drawConflation(conflateMs, this.strings);
    },
    () => {
      this.togglePause();
    },
  );
  private readonly settingsForm = new view.SettingsForm(
    (chosen) => {
      this.updateSettings(chosen);
      this.applySettings();
    },
    () => void this.share(),
  );
  start(): void {
    this.openAddress();
    this.dashboard.setPanels(this.panels);
    this.alerts.onChange(this.dashboard.drawTitle);
    this.listenToClient();
    this.listenToUser();
    this.applySettings();
    this.showLists();
    setInterval(() => {
      this.store.tick();
      this.dashboard.tick();
      this.place.tick();
      if (this.isWall) this.clock.draw(runtime.now(), this.strings);
    }, TICK_MS);
  }

  /** Shows what the address names. A list that is not the user's own is shown and not kept. */
  private openAddress(): void {
    const { lists, strings } = this;
    const { view: kind, symbol, interval, list } = readSharedView(address.query());
    this.isWall = kind === "wall";
    if (this.isWall) document.documentElement.dataset["view"] = "wall";
    if (interval !== undefined) this.interval = interval;
    if (list !== undefined && "symbols" in list) lists.openShared(list.symbols, strings.lists.shared);
    else if (list !== undefined) lists.showId(list.id);
    if (symbol === undefined) return;
    if (list === undefined && !lists.has(symbol)) lists.openShared([symbol], strings.lists.shared);
    else if (lists.isShared) lists.add(symbol);
    // One's own list may be open with a symbol beside it.
    if (lists.has(symbol)) lists.select(symbol);
    else lists.visit(symbol);
  }

  private listenToClient(): void {
    const { client, store } = this;
    const { notice, invalidate, tick } = this.dashboard;
    client.on("state", ({ phase }) => {
      // A drain tells when to connect again: that is now.
      if (phase === "connecting") notice.endState();
      if (phase === "live") {
        void this.loadInstruments();
      } else {
        store.freshness.disconnected();
      }
      tick();
    });
    client.on("market", ({ events, receivedAt }) => {
      store.apply(events, receivedAt);
      invalidate();
    });
    client.on("gap", (gap) => {
      store.recordGap(gap);
      invalidate();
    });
    client.on("heartbeat", ({ ageMs, receivedAt }) => {
      store.freshness.heartbeat(ageMs, receivedAt);
    });
    client.on("acknowledged", ({ epochIs, rejected, conflateMs }) => {
      this.wholeMarket.authenticated();
      // If the server requires a key, earlier REST requests failed.
      void this.loadInstruments();
      if (epochIs === "new") {
        store.reload();
        notice.show(this.strings.notice.restarted, { kind: "info" });
      }
      store.board.markUnknown(rejected);
      this.tellUnknown(rejected);
      this.controls.drawConflation(conflateMs, this.strings);
    });
    client.on("roundTrip", (ms) => {
      this.dashboard.setRoundTrip(ms);
    });
    client.on("drain", (ms) => {
      notice.show(this.strings.notice.drain(`${Math.ceil(ms / 1000)} s`), { kind: "state" });
    });
    client.on("serverError", ({ code, message, why }) => {
      if (this.login.handleError(code) || this.panels.showsError()) return;
      notice.show(this.strings.notice.serverError(message, code, why), { kind: "error" });
    });
    client.on("unreadable", (sentence) => {
      notice.show(this.strings.notice.unreadable(sentence), { kind: "error" });
    });
  }

  private listenToUser(): void {
    view.listenToPrinting(this.getStrings);
    this.keydown = view.listenToKeys({
      undo: () => this.editor.undo(),
      pause: () => {
        this.togglePause();
      },
      toggleTickerTape: () => {
        this.updateSettings({ strip: this.settings.strip === "shown" ? "hidden" : "shown" });
        this.applySettings();
      },
      alert: () => {
        this.alerts.open();
      },
      list: (offset) => {
        this.editor.show(this.lists.index + offset);
      },
      other: (key) => this.panels.press(key),
    });
    view.onSystemStyle(() => {
      this.applySettings();
    });
    storage.onChange(SETTINGS_KEY, () => {
      this.settings = this.storedSettings();
      this.applySettings();
    });
    // Skip the back-off when the network returns or the page becomes visible.
    const reconnectNow = () => {
      if (this.client.state.phase === "waiting" && document.visibilityState === "visible") this.client.connect();
    };
    addEventListener("online", reconnectNow);
    document.addEventListener("visibilitychange", reconnectNow);
  }

  /** Tells which symbols the server does not know, and offers to remove those of the current list. */
  private tellUnknown(names: readonly string[]): void {
    // Every connection rejects them again.
    const rejected = names.filter((name) => !this.toldUnknown.has(name));
    if (rejected.length === 0) return;
    for (const name of rejected) this.toldUnknown.add(name);
    const listed = this.lists.symbols.filter((symbol) => rejected.includes(symbol));
    const action = { label: this.strings.removeThem, run: () => { this.editor.remove(listed, undefined); } };
    const sentence = this.strings.notice.unknownSymbols(rejected.join(", "));
    this.dashboard.notice.show(sentence, { kind: "error", ...(listed.length > 0 ? { action } : {}) });
    this.dashboard.invalidateNow();
  }

  /** Loads the instruments once. Each connection retries. */
  private async loadInstruments(): Promise<void> {
    const result = await this.instruments.load();
    if (result === "loaded") {
      this.place.show(this.instruments.exchangeOf(this.lists.selected));
    }
    if (result === "failed" && !this.login.isOpen) this.dashboard.notice.show(this.strings.notice.noInstruments, { kind: "info" });
  }

  /** Shows the current list: subscriptions, ticker tape, panels, selected symbol. */
  private showLists(): void {
    this.store.watch(this.lists);
    this.dashboard.showList(this.lists.symbols);
    this.panels.showList();
    this.showSelected();
  }

  private select(symbol: StockSymbol): void {
    if (symbol === this.lists.selected) return;
    this.lists.select(symbol);
    this.store.watch(this.lists);
    this.showSelected();
  }

  /** Selects a symbol. One that is not in the list is added. */
  private selectOrAdd(symbol: StockSymbol): void {
    if (this.lists.has(symbol)) this.select(symbol);
    else this.editor.add(symbol);
  }

  /** Selects a symbol. One that is not in the list is shown beside it, and may be added. */
  private visit(symbol: StockSymbol): void {
    if (this.lists.has(symbol)) {
      this.select(symbol);
      return;
    }
    this.lists.visit(symbol);
    this.store.watch(this.lists);
    this.showSelected();
    const { visited, add } = this.strings.market;
    this.notify(visited(symbol), { kind: "info", action: { label: add, run: () => { this.editor.add(symbol); } } });
  }

  private showSelected(): void {
    const symbol = this.lists.selected;
    this.store.select(symbol);
    this.alerts.showSymbol(symbol);
    this.dashboard.select(symbol);
    this.panels.select(symbol);
    this.place.show(this.instruments.exchangeOf(symbol));
    this.writeAddress();
  }

  private setInterval(interval: IntervalSeconds): void {
    this.interval = interval;
    this.updateSettings({ interval });
    this.writeAddress();
    this.panels.select(this.lists.selected);
  }

  private togglePause(): void {
    const isPaused = !this.dashboard.isPaused();
    this.dashboard.setUpdates(isPaused ? "paused" : "running");
    this.controls.drawPause(isPaused, this.strings);
  }

  private updateSettings(changed: Partial<Settings>): void {
    this.settings = { ...this.storedSettings(), ...changed };
    storage.save(SETTINGS_KEY, writeSettings(this.settings));
  }

  /** The settings as the last tab that changed them left them, but for those that belong to this tab. */
  private storedSettings(): Settings {
    const { conflateMs, interval } = this.settings;
    return { ...readSettings(storage.load(SETTINGS_KEY)), conflateMs, interval };
  }

  /** Applies theme, colours, language and the other settings to the page. */
  private applySettings(): void {
    const { settings } = this;
    const { dataset } = document.documentElement;
    dataset["theme"] = settings.theme;
    dataset["rows"] = settings.rows;
    dataset["rise"] = riseOf(settings, navigator.languages);
    const { language, times } = this.strings;
    const chosen = chosenStrings(settings);
    const isOther = chosen.language !== language || chosen.times.zone.name !== times.zone.name;
    const strings = isOther ? chosen : this.strings;
    this.strings = strings;
    view.translatePage(strings);
    view.translateShortcuts(strings, this.panels.keys);
    if (isOther) this.panels.translate(strings);
    this.panels.restyle();
    this.dashboard.showTickerTape(settings.strip);
    this.settingsForm.draw(settings, strings);
    this.controls.drawConflation(settings.conflateMs, strings);
    this.controls.drawPause(this.dashboard.isPaused(), strings);
    this.dashboard.invalidateNow();
  }

  /** What the panels may use. */
  private panelHost(): PanelHost {
    const { dashboard, client, store, instruments, editor, alerts, wholeMarket } = this;
    const { scheduler, flashes, freshness, feedFreshness, isPaused, firstPaint, firstPricesDrawn } = dashboard;
    return {
      ...{ client, store, instruments, editor, alerts, wholeMarket, scheduler, flashes, freshness, feedFreshness, isPaused, firstPaint, firstPricesDrawn },
      ...{ now: runtime.now, strings: this.getStrings, notify: this.notify, key: () => this.login.key },
      selected: () => this.lists.selected,
      select: (symbol) => {
        this.select(symbol);
      },
      selectOrAdd: (symbol) => {
        this.selectOrAdd(symbol);
      },
      visit: (symbol) => {
        this.visit(symbol);
      },
      showSelected: () => {
        this.panels.bringIntoView("chart");
      },
      chart: {
        interval: () => this.interval,
        setInterval: (interval) => {
          this.setInterval(interval);
        },
      },
      columns: {
        load: (mode) => this.settings.columns[mode],
        save: (mode, columns) => {
          this.updateSettings({ columns: { ...this.settings.columns, [mode]: columns } });
        },
      },
      rows: () => this.settings.rows,
      keydown: (press) => {
        this.keydown(press);
      },
      panels: {
        open: (id) => {
          this.panels.open(id);
        },
        close: (id) => {
          this.panels.close(id);
        },
        isOpen: (id) => this.panels.isOpen(id),
      },
    };
  }

  private async share(): Promise<void> {
    const { selected, symbols } = this.lists;
    const isCopied = await address.copy(writeSharedView({ symbol: selected, interval: this.interval, list: { symbols } }));
    this.dashboard.notice.show(isCopied ? this.strings.notice.copied : this.strings.notice.notCopied, { kind: "info" });
  }

  private writeAddress(): void {
    const { current, isShared, selected, symbols } = this.lists;
    const list = isShared ? { symbols } : { id: current.id };
    address.write(writeSharedView({ view: this.isWall ? "wall" : undefined, symbol: selected, interval: this.interval, list }));
  }
}

function connected(client: FullClient): FullClient {
  client.connect();
  return client;
}
