import { formatCount, formatPrice, NONE } from "../format";
import { OFF_EXCHANGE, VENUES, type Print, type SymbolState } from "../market";
import type { Millis, Price, Shares, StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { Floating } from "./floating";

/** What the card shows. */
export interface TradeDetails {
  readonly symbol: StockSymbol;
  readonly name: string;
  readonly trade: Print | undefined;
  readonly state: Readonly<SymbolState> | undefined;
  readonly now: Millis;
}

/** The lines of the card, from top to bottom. */
const LINES = ["price", "size", "time", "conditions", "venue", "tape", "bid", "ask", "halt"] as const;

type Line = (typeof LINES)[number];

/** A card beside a row: the last trade with its conditions in words, where it was made, the quote, why trading is halted. */
export class TradeCard {
  private readonly box: Floating;
  readonly node: HTMLElement;
  private readonly title = make("p", "trade-title");
  private readonly lines: Readonly<Record<Line, { readonly box: HTMLElement; readonly name: HTMLElement; readonly value: HTMLElement }>>;

  constructor(closed: () => void) {
    this.box = new Floating("trade-card", "tooltip", closed);
    this.node = this.box.node;
    this.node.id = "trade-card";
    this.lines = Object.fromEntries(LINES.map((line) => [line, lineOf(line)])) as typeof this.lines;
    this.node.append(this.title, make("dl", "", ...LINES.map((line) => this.lines[line].box)));
  }

  get isOpen(): boolean {
    return this.box.isOpen;
  }

  /** Opens with what is known already. */
  open(at: DOMRect, details: TradeDetails, strings: Strings): void {
    this.draw(details, strings);
    this.box.open(at);
  }

  close(): void {
    this.box.close();
  }

  draw(details: TradeDetails, strings: Strings): void {
    setText(this.title, details.name === "" ? details.symbol : `${details.symbol} · ${details.name}`);
    const texts = textsOf(details, strings);
    for (const line of LINES) {
      const [name, text] = texts[line];
      setText(this.lines[line].name, name);
      setText(this.lines[line].value, text);
      this.lines[line].box.hidden = text === "";
    }
    setData(this.node, "halted", String(texts.halt[1] !== ""));
  }

  /** The card as one text, for screen readers. */
  text(): string {
    const lines = LINES.map((line) => this.lines[line]).filter(({ box }) => !box.hidden);
    return [this.title.textContent, ...lines.map(({ name, value }) => `${name.textContent}: ${value.textContent}`)].join(". ");
  }
}

function lineOf(line: Line): { readonly box: HTMLElement; readonly name: HTMLElement; readonly value: HTMLElement } {
  const [name, value] = [make("dt", ""), make("dd", "")];
  // What turns grey when it is stale.
  if (line === "price" || line === "bid" || line === "ask") value.dataset["price"] = "";
  return { box: make("div", `trade-${line}`, name, value), name, value };
}

function textsOf({ trade, state, now }: TradeDetails, { page, columns, marks, trade: words, saleConditions, halted, times }: Strings): Readonly<Record<Line, readonly [name: string, text: string]>> {
  const { bid, bidSize, ask, askSize, last } = state?.ticker ?? {};
  const sized = (price: Price | undefined, size: Shares | undefined) => (price === undefined || size === undefined ? NONE : `${formatPrice(price)} × ${formatCount(size)}`);
  const mark = trade === undefined || trade.mark === "none" ? [] : [marks[trade.mark][1]];
  const meanings = (trade?.conditions ?? "").split("").flatMap((letter) => {
    const meaning = saleConditions[letter];
    return meaning === undefined ? [] : [`${letter}: ${meaning}`];
  });
  const conditions = [...mark, ...meanings];
  const price = trade?.price ?? last;
  return {
    price: [page.salesPrice, price === undefined ? words.none : formatPrice(price)],
    size: [page.salesSize, trade === undefined ? "" : formatCount(trade.size)],
    time: [page.salesTime, trade === undefined ? "" : times.moment(trade.time, now)],
    conditions: [page.tradeConditions, trade === undefined ? "" : conditions.length > 0 ? conditions.join("\n") : words.ordinary],
    venue: [page.tradeVenue, trade === undefined ? "" : venueOf(trade.venue, words.offExchange)],
    tape: [page.tradeTape, trade === undefined ? "" : (words.tapes[trade.tape] ?? trade.tape)],
    bid: [columns.bid.head, sized(bid, bidSize)],
    ask: [columns.ask.head, sized(ask, askSize)],
    halt: [page.haltedList, state?.trading === "halted" ? halted(state.reason) : ""],
  };
}

const venueOf = (letter: string, offExchange: string): string => (letter === OFF_EXCHANGE ? offExchange : (VENUES[letter] ?? letter));
