import { asSymbol, price, shares, type Price, type Shares, type StockSymbol, type Ticker } from "@tapecast/client";

/** What the user holds of a symbol. */
export interface Position {
  /** Negative for a short position; may be a fraction. Never 0. */
  readonly quantity: Shares;
  /** The average cost per share. */
  readonly cost: Price;
}

export type Positions = ReadonlyMap<StockSymbol, Position>;

/** What a position is worth at the last price. All in dollars but for the ratio. */
export interface PositionFigures {
  /** Negative for a short position: what it would cost to close it. */
  readonly value: number;
  /** What the position gained since the previous close; undefined without one. */
  readonly dayProfit: number | undefined;
  readonly profit: number;
  /** The profit as a fraction of the cost; undefined if it cost nothing. */
  readonly profitRatio: number | undefined;
}

/** The figures of all positions of a list. */
export interface TotalFigures extends PositionFigures {
  /** The number of positions without a price, which are not included. */
  readonly withoutPrice: number;
}

/** A short position gains when the price falls: its negative quantity does that. */
export function figuresOf({ quantity, cost }: Position, ticker: Ticker | undefined): PositionFigures | undefined {
  const { last, previousClose } = ticker ?? {};
  if (last === undefined) return undefined;
  const [profit, invested] = [quantity * (last - cost), Math.abs(quantity * cost)];
  return {
    value: quantity * last,
    dayProfit: previousClose === undefined ? undefined : quantity * (last - previousClose),
    profit,
    profitRatio: invested === 0 ? undefined : profit / invested,
  };
}

/** The sum of positions; undefined if there are none. Those without a price are counted and left out. */
export function totalOf(held: readonly (readonly [position: Position, ticker: Ticker | undefined])[]): TotalFigures | undefined {
  if (held.length === 0) return undefined;
  let [value, dayProfit, profit, invested, withoutPrice, daysKnown] = [0, 0, 0, 0, 0, 0];
  for (const [position, ticker] of held) {
    const figures = figuresOf(position, ticker);
    if (figures === undefined) {
      withoutPrice += 1;
      continue;
    }
    value += figures.value;
    profit += figures.profit;
    invested += Math.abs(position.quantity * position.cost);
    dayProfit += figures.dayProfit ?? 0;
    daysKnown += figures.dayProfit === undefined ? 0 : 1;
  }
  return { value, profit, withoutPrice, dayProfit: daysKnown === 0 ? undefined : dayProfit, profitRatio: invested === 0 ? undefined : profit / invested };
}

/** Whether these are a quantity and a cost of a position. */
export function isPosition(quantity: number, cost: number): boolean {
  return Number.isFinite(quantity) && Number.isFinite(cost) && quantity !== 0 && cost >= 0;
}

/** Parses stored positions, ignoring invalid ones. */
export function readPositions(text: string | null): Positions {
  return new Map(
    entriesOf(text).flatMap(([name, stored]) => {
      const symbol = asSymbol(name);
      if (symbol === undefined || typeof stored !== "object" || stored === null || !("quantity" in stored) || !("cost" in stored)) return [];
      const { quantity, cost } = stored;
      if (typeof quantity !== "number" || typeof cost !== "number" || !isPosition(quantity, cost)) return [];
      return [[symbol, { quantity: shares(quantity), cost: price(cost) }]];
    }),
  );
}

export const writePositions = (positions: Positions): string => JSON.stringify(Object.fromEntries(positions));

/** The entries of a stored object; none if the text is missing or invalid. */
export function entriesOf(text: string | null): readonly (readonly [string, unknown])[] {
  try {
    const stored = JSON.parse(text ?? "{}") as unknown;
    return typeof stored === "object" && stored !== null && !Array.isArray(stored) ? Object.entries(stored) : [];
  } catch {
    return [];
  }
}
