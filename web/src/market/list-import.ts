import type { StockSymbol } from "@tapecast/client";
import type { ImportedSymbol } from "./list-file";
import { isSection, symbolsOf, type ListItem, type Section } from "./list-items";

/**
 * Adds imported symbols to a list. Those that it has stay where they are; the others go to the end of their section,
 * which is found by its name or added.
 */
export function withImported(items: readonly ListItem[], imported: readonly ImportedSymbol[], newId: () => string): readonly ListItem[] {
  const listed = new Set<StockSymbol>(symbolsOf(items));
  let result = items;
  for (const { symbol, section: name } of imported) {
    if (listed.has(symbol)) continue;
    listed.add(symbol);
    if (name === undefined) {
      result = [...result, symbol];
      continue;
    }
    const at = result.findIndex((item) => isSection(item) && item.name === name);
    const section: Section = { id: newId(), name, isFolded: false };
    const end = at < 0 ? -1 : result.findIndex((item, index) => index > at && isSection(item));
    if (at < 0) result = [...result, section, symbol];
    else result = end < 0 ? [...result, symbol] : [...result.slice(0, end), symbol, ...result.slice(end)];
  }
  return result;
}
