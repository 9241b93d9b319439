import { seq, symbolOf, type Alert, type AlertFire, type Epoch, type StockSymbol, type TradePosition } from "../model";
import * as wire from "../wire";
import type { AlertControl, Control } from "../wire";
import type { Client } from "./client";
import { Listeners } from "./listeners";
import type { RequestError } from "./requests";
import type { Missing } from "./sequence";
import type { CommandPort, SessionPart } from "./session-part";

/** An alert to be set. */
export type AlertRequest = Omit<Alert, "symbol"> & { readonly symbol: string };

/** An alert and whether the server watches for it. */
export interface AlertState extends Alert {
  /** Pending: not connected or not answered yet. Refused: `error` says why. */
  readonly status: "pending" | "active" | "refused";
  readonly error: RequestError | undefined;
  /** The price was at the level or beyond it, as the server last said: the alert waits for the next crossing. */
  readonly isBeyond: boolean;
  /** Up to where it is known whether it has fired. To be kept with the alert if it is to outlive the client. */
  readonly seen: TradePosition | undefined;
}

/** The events of the alerts. */
export interface AlertEvents {
  /** An alert fired. If it was to fire once, it is gone. */
  fired: { readonly alert: AlertState; readonly fire: AlertFire };
  /** Alerts were set or removed, or their state changed. */
  changed: readonly AlertState[];
  /** These alerts on a symbol were not evaluated for these trades, which the server no longer had after a lost connection, or lost. */
  missed: Missing & { readonly symbol: StockSymbol; readonly alerts: readonly string[] };
}

/**
 * Trades before the last received one from which the server looks again after a reconnect: the trade may have arrived and
 * an alert that it fired not. Where an alert fired last is known exactly, so that nothing is told twice.
 */
const LOOK_BACK = 100;

/**
 * Interval at which the server is asked how far it has evaluated alerts on symbols whose trades the client does not receive.
 * It retains 1,000 trades of a symbol by default, which a busy one has in a minute.
 */
const REFRESH_MS = 10_000;

/**
 * The price alerts of a client. They are judged by the server on each trade, and set again on each connection with what
 * is known of them, so that a crossing of in between is told.
 */
export class Alerts implements SessionPart {
  readonly read = wire.readAlertControl;
  private readonly port: CommandPort;
  private readonly listeners = new Listeners<AlertEvents>();
  private readonly states = new Map<string, AlertState>();
  /** The commands of this connection that are not answered, and the alert that each sets; in their order. */
  private readonly unanswered = new Map<number, string | undefined>();
  private support: "unknown" | "yes" | "no" = "unknown";
  private cancelRefresh: () => void = () => undefined;

  /** The alerts of this client. To be made once for each client. */
  constructor(client: Client) {
    this.port = client.attach(this);
  }

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof AlertEvents>(name: Name, listener: (value: AlertEvents[Name]) => void): () => void {
    return this.listeners.add(name, listener);
  }

  /** The alerts in the order in which they were set. */
  get all(): readonly AlertState[] {
    return [...this.states.values()];
  }

  /** Whether the server has alerts, once one was set. */
  get isSupported(): "unknown" | "yes" | "no" {
    return this.support;
  }

  get isEmpty(): boolean {
    return this.states.size === 0;
  }

  /** Sets an alert, or replaces the one of its id. `seen` is what an earlier client knew of it. */
  set(alert: AlertRequest, seen?: TradePosition): void {
    const symbol = symbolOf(alert.symbol);
    this.states.set(alert.id, { ...alert, symbol, status: "pending", error: undefined, isBeyond: false, seen });
    if (this.port.isAcknowledged()) this.send(alert.id);
    else this.port.requestAcknowledgement();
    this.changed();
  }

  remove(ids: readonly string[]): void {
    const removed = ids.filter((id) => this.states.delete(id));
    if (removed.length === 0) return;
    if (this.port.isAcknowledged()) this.command((id) => wire.removeAlerts(id, removed), undefined);
    this.changed();
  }

  /** The first acknowledgement of a connection arrived. */
  begin(): void {
    for (const id of this.states.keys()) this.send(id);
  }

  /** The connection ended: nothing is watched for, and what was seen until now is known. */
  disconnected(): void {
    this.cancelRefresh();
    if (this.isEmpty) return;
    const epoch = this.port.epoch();
    for (const state of this.states.values()) {
      const seen = state.status === "active" && epoch !== undefined ? this.seenNow(state, epoch) : state.seen;
      this.states.set(state.id, { ...state, status: "pending", error: undefined, seen });
    }
    this.unanswered.clear();
    this.support = "unknown";
    this.changed();
  }

  /** Alerts are judged by trades, not by numbers: a new epoch changes nothing before the next connection. */
  restart(): void {
    return;
  }

  handle(control: Control): void {
    if (control.control === "fired") this.fired(control.fire);
    else if (control.control === "alerts") this.listed(control);
    // From 1 to 0 no trade is missing: there is none yet.
    else if (control.control === "unevaluated" && control.to >= control.from) {
      const { symbol, alerts, from, to } = control;
      this.listeners.emit("missed", { symbol, alerts, from, to });
    }
  }

  /**
   * The command of this id failed; false if it is none about alerts. A server without alerts does not know the command,
   * and so not the id in it: the first error of a connection that has none answers the oldest command.
   */
  failed(id: number | undefined, error: RequestError): boolean {
    const isUnknown = id === undefined && error.code === 400 && this.support !== "yes";
    const command = isUnknown ? [...this.unanswered.keys()][0] : id;
    if (command === undefined || !this.unanswered.has(command)) return false;
    const state = this.states.get(this.unanswered.get(command) ?? "");
    this.unanswered.delete(command);
    if (isUnknown) this.support = "no";
    if (state !== undefined) this.states.set(state.id, { ...state, status: "refused", error });
    this.changed();
    return true;
  }

  private send(id: string): void {
    const state = this.states.get(id);
    if (state === undefined) return;
    // Numbers of another epoch mean nothing to the server.
    const since = state.seen?.epoch === this.port.epoch() ? state.seen : undefined;
    this.command((commandId) => wire.setAlert(commandId, state, since), id);
    this.refreshLater();
  }

  private command(textOf: (id: number) => string, alert: string | undefined): void {
    const id = this.port.nextId();
    this.unanswered.set(id, alert);
    this.port.send(textOf(id));
  }

  /** Asks now and then up to where alerts were evaluated: the answer to a removal of none is the list. */
  private refreshLater(): void {
    this.cancelRefresh();
    this.cancelRefresh = this.port.runtime.after(REFRESH_MS, () => {
      if (this.isEmpty) return;
      const isUnknown = (state: AlertState) => state.status === "active" && this.port.lastTrade(state.symbol) === undefined;
      if (this.unanswered.size === 0 && this.all.some(isUnknown)) this.command((id) => wire.removeAlerts(id, []), undefined);
      this.refreshLater();
    });
  }

  private listed({ id, epoch = this.port.epoch(), list }: Extract<AlertControl, { control: "alerts" }>): void {
    this.support = "yes";
    if (id !== undefined) this.unanswered.delete(id);
    const pending = new Set(this.unanswered.values());
    for (const entry of list) {
      const state = this.states.get(entry.id);
      // The answer to an earlier command does not tell of an alert that is set again by a later one.
      if (state === undefined || pending.has(entry.id)) continue;
      const seen = epoch === undefined || entry.seq === undefined ? state.seen : { epoch, seq: entry.seq };
      this.states.set(entry.id, { ...state, status: "active", error: undefined, isBeyond: entry.isBeyond, seen });
    }
    this.changed();
  }

  private fired(fire: AlertFire): void {
    const state = this.states.get(fire.id);
    const epoch = this.port.epoch();
    if (state === undefined || epoch === undefined) return;
    const known = state.seen?.epoch === epoch ? state.seen.seq : 0;
    const seen = { epoch, seq: seq(Math.max(known, fire.seq)) };
    if (state.once) this.states.delete(fire.id);
    else this.states.set(fire.id, { ...state, seen });
    this.listeners.emit("fired", { alert: { ...state, seen }, fire });
    this.changed();
  }

  private seenNow({ symbol, seen }: AlertState, epoch: Epoch): TradePosition | undefined {
    const last = this.port.lastTrade(symbol);
    const known = seen?.epoch === epoch ? seen.seq : 0;
    const reached = Math.max(known, (last ?? 0) - LOOK_BACK);
    return reached === 0 ? seen : { epoch, seq: seq(reached) };
  }

  private changed(): void {
    this.listeners.emit("changed", this.all);
  }
}
