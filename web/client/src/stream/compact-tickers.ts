import { keysOf, subscribe, TickerDeltas, unsubscribe, type Control, type ObjectReader, type TickerField } from "../wire";
import type { Client } from "./client";
import type { CommandPort, SessionPart } from "./session-part";

export interface CompactOptions {
  /** The fields that are sent, others are undefined; default all. `symbol`, `seq`, `conflated` and `time` are sent always. */
  readonly fields?: readonly TickerField[];
  /** Whether only what changed is sent, which the client completes before any listener sees it; default true. */
  readonly delta?: boolean;
}

/**
 * Makes tickers smaller on the wire: only the fields that are used, and of these only what changed.
 *
 * Listeners get whole tickers as before. A server that does not know these options sends whole tickers.
 */
export class CompactTickers implements SessionPart {
  /** There is nothing to ask for without subscriptions. */
  readonly isEmpty = true;
  /** Numbers that begin again begin with whole objects. */
  readonly restart = () => undefined;
  readonly failed = () => false;
  private readonly port: CommandPort;
  private readonly delta: boolean;
  private readonly deltas = new TickerDeltas();
  private selected: readonly TickerField[] | undefined;
  /** What this connection asked for; undefined before it sent any options. */
  private asked: { readonly fields: readonly TickerField[] | undefined } | undefined;
  /** The server sends changes on this connection. */
  private isDelta = false;
  /** The command that asked for whole objects on this connection, because a change did not follow the latest object. */
  private wholeCommand: number | undefined;

  /** For the tickers of this client. To be made once for each client. Throws a `TypeError` for what is no field. */
  constructor(client: Client, { fields, delta = true }: CompactOptions = {}) {
    this.selected = fields && sorted(fields);
    this.delta = delta;
    this.port = client.attach(this);
    if (this.port.isAcknowledged()) this.begin();
  }

  /** The fields that are sent; undefined for all. */
  get fields(): readonly TickerField[] | undefined {
    return this.selected;
  }

  /**
   * Selects other fields; undefined selects all. If there are more than before, the latest ticker of each stream is sent again with
   * them, as a snapshot. Throws a `TypeError` for what is no field.
   */
  setFields(fields: readonly TickerField[] | undefined): void {
    this.selected = fields && sorted(fields);
    // A connection's first command has the options. Until it is acknowledged it may be on its way with those of before.
    if (this.port.isAcknowledged()) this.begin();
  }

  /** Asks for what is selected now, if the connection asked for something else before, or was there before this part. */
  begin(): void {
    const { asked, selected } = this;
    if (asked === undefined) {
      this.command(this.extensions());
      return;
    }
    if (asked.fields?.join() === selected?.join()) return;
    this.asked = { fields: selected };
    const change = { fields: selected === undefined ? null : { tickers: keysOf(selected) } };
    const isLess = asked.fields === undefined || selected?.every((field) => asked.fields?.includes(field)) === true;
    if (isLess) this.command(change);
    else this.beginAnew(change);
  }

  readonly extensions = () => {
    const { selected } = this;
    this.asked = { fields: selected };
    return { ...(selected === undefined ? {} : { fields: { tickers: keysOf(selected) } }), ...(this.delta ? { delta: true } : {}) };
  };

  readonly read: ObjectReader = (kind, item) => {
    if (kind !== "k" || !this.isDelta) return undefined;
    try {
      return this.deltas.read(item);
    } catch (error) {
      // The session is told that it is unreadable. Whole objects need no other, so those that follow can be read.
      this.wholeCommand ??= this.beginAnew({ delta: false });
      throw error;
    }
  };

  disconnected(): void {
    this.asked = undefined;
    this.isDelta = false;
    this.wholeCommand = undefined;
    this.deltas.clear();
  }

  handle(control: Control): void {
    if (control.control !== "subscription") return;
    const { acknowledgement, channels } = control;
    this.deltas.retainOnly(channels.tickers);
    if (acknowledgement === undefined) return;
    if (this.wholeCommand === undefined) this.isDelta ||= acknowledgement.delta;
    else if (acknowledgement.id === this.wholeCommand) this.isDelta = false;
  }

  /** Sends options with which all tickers are sent again; returns the id of the command. Only new streams begin with a snapshot. */
  private beginAnew(other: Readonly<Record<string, unknown>>): number {
    const { tickers = [] } = this.port.streams();
    if (tickers.length === 0) return this.command(other);
    const id = this.port.nextId();
    this.port.send(unsubscribe({ tickers }));
    this.port.send(subscribe({ tickers }, { id, snapshot: true, other }));
    return id;
  }

  /** Sends options; returns the id of the command. */
  private command(other: Readonly<Record<string, unknown>>): number {
    const id = this.port.nextId();
    this.port.send(subscribe({}, { id, other }));
    return id;
  }
}

/** The fields in an order that does not depend on who asks, each once. Throws a `TypeError` for what is none. */
function sorted(fields: readonly TickerField[]): readonly TickerField[] {
  keysOf(fields);
  return [...new Set(fields)].sort();
}
