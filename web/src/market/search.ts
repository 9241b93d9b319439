import type { Instrument } from "@tapecast/client";

/**
 * Finds instruments by text. An equal symbol ranks first, then symbols with this prefix, then names with a word of
 * this prefix.
 */
export function findInstruments(all: readonly Instrument[], typed: string, limit: number): readonly Instrument[] {
  const query = typed.trim().toLowerCase();
  if (query === "") return [];
  return all
    .map((instrument) => ({ instrument, rank: rankOf(instrument, query) }))
    .filter(({ rank }) => rank < NO_MATCH)
    .sort((a, b) => a.rank - b.rank || a.instrument.symbol.localeCompare(b.instrument.symbol))
    .slice(0, limit)
    .map(({ instrument }) => instrument);
}

const NO_MATCH = 3;

function rankOf({ symbol, name }: Instrument, query: string): number {
  const ticker = symbol.toLowerCase();
  if (ticker === query) return 0;
  if (ticker.startsWith(query)) return 1;
  return ` ${name.toLowerCase()}`.includes(` ${query}`) ? 2 : NO_MATCH;
}
