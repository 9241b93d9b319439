import { readFlags, readPositions, writeFlags, writePositions, type Flag, type Flags, type Position, type Positions } from "../market";
import type { StockSymbol } from "@tapecast/client";
import { storage } from "../platform";

const FLAGS_KEY = "tapecast.flags";
const POSITIONS_KEY = "tapecast.positions";

/**
 * What the user noted about symbols, whatever lists they are in: flags and positions.
 *
 * Both stay in this browser: nothing of them is sent to the server or written into a link.
 */
export class SymbolNotes {
  private flagsBySymbol = readFlags(storage.load(FLAGS_KEY));
  private positionsBySymbol = readPositions(storage.load(POSITIONS_KEY));
  private readonly listeners: (() => void)[] = [];

  constructor() {
    storage.onChange(FLAGS_KEY, () => {
      this.flagsBySymbol = readFlags(storage.load(FLAGS_KEY));
      this.tell();
    });
    storage.onChange(POSITIONS_KEY, () => {
      this.positionsBySymbol = readPositions(storage.load(POSITIONS_KEY));
      this.tell();
    });
  }

  /** Calls back when flags or positions changed, in this tab or another one. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  get flags(): Flags {
    return this.flagsBySymbol;
  }

  get positions(): Positions {
    return this.positionsBySymbol;
  }

  readonly flagOf = (symbol: StockSymbol): Flag | undefined => this.flagsBySymbol.get(symbol);

  readonly positionOf = (symbol: StockSymbol): Position | undefined => this.positionsBySymbol.get(symbol);

  setFlag(symbol: StockSymbol, flag: Flag | undefined): void {
    this.flagsBySymbol = changed(this.flagsBySymbol, [[symbol, flag]]);
    storage.save(FLAGS_KEY, writeFlags(this.flagsBySymbol));
    this.tell();
  }

  /** Sets positions, or removes those that are undefined. */
  setPositions(positions: readonly (readonly [StockSymbol, Position | undefined])[]): void {
    this.positionsBySymbol = changed(this.positionsBySymbol, positions);
    storage.save(POSITIONS_KEY, writePositions(this.positionsBySymbol));
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function changed<V>(map: ReadonlyMap<StockSymbol, V>, entries: readonly (readonly [StockSymbol, V | undefined])[]): ReadonlyMap<StockSymbol, V> {
  const result = new Map(map);
  for (const [symbol, value] of entries) {
    if (value === undefined) result.delete(symbol);
    else result.set(symbol, value);
  }
  return result;
}
