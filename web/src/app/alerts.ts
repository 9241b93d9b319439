import { AlertBook, directionTo, levelPrice, MAX_ALERTS } from "../alerts";
import type { Alert, AlertCondition, AlertEvents, AlertState, FullClient, StockSymbol } from "@tapecast/client";
import { notifications, playTone, runtime, storage } from "../platform";
import type { MarketStore } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";

const STORAGE_KEY = "tapecast.alerts";

/** The slots of 100 ms between two drawings. */
const SLOTS = 2;

/** What the alerts need from the page. */
export interface AlertsHost {
  readonly client: FullClient;
  readonly store: MarketStore;
  readonly scheduler: view.FrameScheduler;
  readonly panels: view.SidePanels;
  readonly notify: (sentence: string, options: view.NoticeOptions) => void;
  readonly select: (symbol: StockSymbol) => void;
  /** The marks of rows, lines or the title changed. */
  readonly marksChanged: () => void;
  readonly strings: () => Strings;
}

/** The price alerts: kept in the browser, set at the server on each connection, and told when they fire. */
export class Alerts {
  private readonly host: AlertsHost;
  private book = AlertBook.fromText(storage.load(STORAGE_KEY));
  private readonly panel: view.AlertsPanel;
  private readonly drawing: view.Invalidation;
  private symbol: StockSymbol | undefined;

  constructor(host: AlertsHost) {
    this.host = host;
    this.drawing = host.scheduler.add(SLOTS, () => {
      this.draw();
    });
    this.panel = new view.AlertsPanel({
      set: (condition, once) => this.set(condition, once),
      remove: (id) => {
        host.client.alerts.remove([id]);
      },
      clearFired: () => {
        this.change(() => {
          this.book.clearFired();
        });
      },
      select: host.select,
      choose: (signal, chosen) => void this.choose(signal, chosen),
      close: () => {
        host.panels.close();
      },
      strings: host.strings,
    });
    host.panels.add(this.panel);
    for (const { alert, seen } of this.book.alerts) host.client.alerts.set(alert, seen);
    host.client.alerts.on("changed", (alerts) => {
      this.change(() => {
        this.book.keep(alerts.map(keptOf));
      });
    });
    host.client.alerts.on("fired", (fired) => {
      this.fired(fired);
    });
    host.client.alerts.on("missed", ({ symbol, from, to }) => {
      host.notify(host.strings().alerts.missed(symbol, to - from + 1), { kind: "info" });
    });
    storage.onChange(STORAGE_KEY, () => {
      this.followOtherTab();
    });
  }

  /** Fired alerts that were not seen. */
  get unseen(): number {
    return this.book.unseen;
  }

  readonly markOf = (symbol: StockSymbol) => this.book.markOf(symbol);

  /** What the chart of the selected symbol shows and does. */
  readonly lines: view.AlertLinesActions = {
    levels: () => this.levels(),
    propose: (price) => {
      this.open(price);
    },
    move: (id, price) => {
      this.move(id, price);
    },
    label: () => this.host.strings().alerts.drag,
  };

  showSymbol(symbol: StockSymbol | undefined): void {
    this.symbol = symbol;
    this.drawing.invalidateNow();
  }

  /** Opens the form, with a price if one is given. */
  open(price?: number): void {
    this.draw();
    this.host.panels.open(this.panel.id);
    const last = this.last;
    if (price !== undefined) this.panel.propose(price);
    else if (last !== undefined) this.panel.propose(last);
  }

  /** Time passed, or a panel was opened, or the language changed. */
  readonly tick = (): void => {
    const isSeen = this.host.panels.isOpen(this.panel.id) && document.visibilityState === "visible";
    if (isSeen && this.book.unseen > 0) {
      this.change(() => {
        this.book.markSeen();
      });
    }
    this.drawing.invalidate();
  };

  private get last() {
    return this.symbol === undefined ? undefined : this.host.store.board.get(this.symbol)?.ticker?.last;
  }

  private levels(): readonly view.AlertLevel[] {
    const { alerts } = this.host.strings();
    const close = this.symbol === undefined ? undefined : this.host.store.board.get(this.symbol)?.ticker?.previousClose;
    return this.host.client.alerts.all.filter(({ symbol }) => symbol === this.symbol).flatMap(({ id, symbol, condition }) => {
      const price = levelPrice(condition, close);
      return price === undefined ? [] : [{ id, price, label: alerts.line(symbol, alerts.condition(condition)) }];
    });
  }

  private set(condition: AlertCondition, once: boolean): boolean {
    const { symbol, host: { client } } = this;
    if (symbol === undefined || client.alerts.all.length >= MAX_ALERTS) return false;
    client.alerts.set({ id: Math.random().toString(36).slice(2, 12), symbol, condition, once });
    return true;
  }

  /** A line was dragged: the alert is one on this price, from the side on which the last price is. */
  private move(id: string, price: number): void {
    const alert = this.host.client.alerts.all.find((one) => one.id === id);
    if (alert === undefined) return;
    const condition = { measure: "price", direction: directionTo(price, this.last), level: price } as const;
    this.host.client.alerts.set(alertOf({ ...alert, condition }));
  }

  private fired({ alert, fire }: AlertEvents["fired"]): void {
    if (!this.book.record(alert, fire)) return;
    this.keep();
    const { alerts } = this.host.strings();
    const sentence = alerts.fired(fire.symbol, fire.price, alert.condition);
    const action = { label: alerts.show, run: () => { this.show(fire.symbol); } };
    this.host.notify(sentence, { kind: "alert", action });
    if (this.book.sound) playTone();
    if (this.book.notification) notifications.show(alerts.title(fire.symbol, fire.price), sentence, `${fire.id} ${fire.seq}`);
  }

  private show(symbol: StockSymbol): void {
    this.host.select(symbol);
    this.host.panels.open(this.panel.id);
  }

  private async choose(signal: "sound" | "notification", chosen: boolean): Promise<void> {
    // The permission is asked for only here, when the user chooses notifications.
    const isAllowed = !chosen || signal === "sound" || (await notifications.request());
    this.change(() => {
      this.book[signal] = chosen && isAllowed;
    });
    if (signal === "sound" && chosen) playTone();
    this.panel.tell(isAllowed ? "" : this.host.strings().alerts.notAllowed);
  }

  /** Changes what is stored, and draws it. */
  private change(act: () => void): void {
    act();
    this.keep();
  }

  private keep(): void {
    storage.save(STORAGE_KEY, this.book.toText());
    this.host.marksChanged();
    this.drawing.invalidateNow();
  }

  /** Another tab changed the alerts: this one sets and removes the same. */
  private followOtherTab(): void {
    this.book = AlertBook.fromText(storage.load(STORAGE_KEY));
    const wanted = new Map(this.book.alerts.map(({ alert, seen }) => [alert.id, { alert, seen }]));
    const { alerts } = this.host.client;
    const present = new Map(alerts.all.map((alert) => [alert.id, JSON.stringify(alertOf(alert))]));
    for (const { alert, seen } of wanted.values()) {
      if (present.get(alert.id) !== JSON.stringify(alertOf(alert))) alerts.set(alert, seen);
    }
    alerts.remove([...present.keys()].filter((id) => !wanted.has(id)));
    this.host.marksChanged();
    this.drawing.invalidateNow();
  }

  private draw(): void {
    const { book, symbol, last, host: { client } } = this;
    this.panel.draw({
      ...{ alerts: client.alerts.all, fired: book.fired, unseen: book.unseen, symbol, last, now: runtime.now() },
      ...{ isSupported: client.alerts.isSupported !== "no", sound: book.sound, notification: book.notification },
    });
  }
}

const alertOf = ({ id, symbol, condition, once }: Alert): Alert => ({ id, symbol, condition, once });

const keptOf = (state: AlertState) => ({ alert: alertOf(state), seen: state.seen });
