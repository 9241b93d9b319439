import { AlertBook, directionTo, levelPrice, MAX_ALERTS } from "../alerts";
import type { Alert, AlertCondition, AlertEvents, AlertState, FullClient, Price, StockSymbol } from "@tapecast/client";
import { notifications, playTone, storage } from "../platform";
import type { MarketStore } from "../store";
import type { Strings } from "../strings";
import type * as view from "../view";

const STORAGE_KEY = "tapecast.alerts";

/** What the alerts need from the page. */
export interface AlertsHost {
  readonly client: FullClient;
  readonly store: MarketStore;
  readonly notify: (sentence: string, options: view.NoticeOptions) => void;
  /** Selects a symbol, which is added to the list if it is not in it. */
  readonly select: (symbol: StockSymbol) => void;
  /** Opens the panel. */
  readonly openPanel: () => void;
  readonly strings: () => Strings;
}

/** The price alerts: kept in the browser, set at the server on each connection, and told when they fire. */
export class PriceAlerts {
  private readonly host: AlertsHost;
  private stored = AlertBook.fromText(storage.load(STORAGE_KEY));
  private readonly listeners: (() => void)[] = [];
  private symbol: StockSymbol | undefined;
  private proposed: number | undefined;

  constructor(host: AlertsHost) {
    this.host = host;
    for (const { alert, seen } of this.book.alerts) host.client.alerts.set(alert, seen);
    host.client.alerts.on("changed", (alerts) => {
      this.change((book) => {
        book.keep(alerts.map(keptOf));
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

  /** Calls back after alerts were set, removed, changed, fired or seen. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  get book(): AlertBook {
    return this.stored;
  }

  /** Fired alerts that were not seen. */
  get unseen(): number {
    return this.book.unseen;
  }

  readonly markOf = (symbol: StockSymbol) => this.book.markOf(symbol);

  /** What a chart shows and does. The form is for the selected symbol, so a line that is proposed selects its own. */
  linesOf(symbol: () => StockSymbol | undefined): view.AlertLinesActions {
    return {
      levels: () => this.levels(symbol()),
      propose: (price) => {
        const own = symbol();
        if (own !== undefined) this.host.select(own);
        this.open(price);
      },
      move: (id, price) => {
        this.move(id, price);
      },
      label: () => this.host.strings().alerts.drag,
    };
  }

  /** Sets the symbol that a new alert is for. */
  showSymbol(symbol: StockSymbol | undefined): void {
    this.symbol = symbol;
  }

  /** Opens the form, with a price if one is given. */
  open(price?: number): void {
    this.proposed = price ?? this.last;
    this.host.openPanel();
  }

  /** The price that the form is opened with, once. */
  takeProposed(): number | undefined {
    const { proposed } = this;
    this.proposed = undefined;
    return proposed;
  }

  /** The fired alerts are in view. */
  markSeen(): void {
    if (this.unseen > 0) this.change((book) => { book.markSeen(); });
  }

  /** The last price of the selected symbol. */
  get last(): Price | undefined {
    return this.lastOf(this.symbol);
  }

  private lastOf(symbol: StockSymbol | undefined): Price | undefined {
    return symbol === undefined ? undefined : this.host.store.board.get(symbol)?.ticker?.last;
  }

  private levels(of: StockSymbol | undefined): readonly view.AlertLevel[] {
    const { alerts } = this.host.strings();
    const close = of === undefined ? undefined : this.host.store.board.get(of)?.ticker?.previousClose;
    return this.host.client.alerts.all.filter(({ symbol }) => symbol === of).flatMap(({ id, symbol, condition }) => {
      const price = levelPrice(condition, close);
      return price === undefined ? [] : [{ id, price, label: alerts.line(symbol, alerts.condition(condition)) }];
    });
  }

  /** Sets an alert on the selected symbol; false if there are too many. */
  set(condition: AlertCondition, once: boolean): boolean {
    const { symbol, host: { client } } = this;
    if (symbol === undefined || client.alerts.all.length >= MAX_ALERTS) return false;
    client.alerts.set({ id: Math.random().toString(36).slice(2, 12), symbol, condition, once });
    return true;
  }

  /** A line was dragged: the alert is one on this price, from the side on which the last price is. */
  private move(id: string, price: number): void {
    const alert = this.host.client.alerts.all.find((one) => one.id === id);
    if (alert === undefined) return;
    const condition = { measure: "price", direction: directionTo(price, this.lastOf(alert.symbol)), level: price } as const;
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
    this.host.openPanel();
  }

  /** Switches a signal on or off; false if the browser does not allow it. */
  async choose(signal: "sound" | "notification", chosen: boolean): Promise<boolean> {
    // The permission is asked for only here, when the user chooses notifications.
    const isAllowed = !chosen || signal === "sound" || (await notifications.request());
    this.change((book) => {
      book[signal] = chosen && isAllowed;
    });
    if (signal === "sound" && chosen) playTone();
    return isAllowed;
  }

  /** Changes what is stored, and tells it. */
  change(act: (book: AlertBook) => void): void {
    act(this.book);
    this.keep();
  }

  private keep(): void {
    storage.save(STORAGE_KEY, this.book.toText());
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Another tab changed the alerts: this one sets and removes the same. */
  private followOtherTab(): void {
    this.stored = AlertBook.fromText(storage.load(STORAGE_KEY));
    const wanted = new Map(this.book.alerts.map(({ alert, seen }) => [alert.id, { alert, seen }]));
    const { alerts } = this.host.client;
    const present = new Map(alerts.all.map((alert) => [alert.id, JSON.stringify(alertOf(alert))]));
    for (const { alert, seen } of wanted.values()) {
      if (present.get(alert.id) !== JSON.stringify(alertOf(alert))) alerts.set(alert, seen);
    }
    alerts.remove([...present.keys()].filter((id) => !wanted.has(id)));
    this.tell();
  }
}

const alertOf = ({ id, symbol, condition, once }: Alert): Alert => ({ id, symbol, condition, once });

const keptOf = (state: AlertState) => ({ alert: alertOf(state), seen: state.seen });
