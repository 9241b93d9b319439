import { asSymbol, type StockSymbol } from "@tapecast/client";
import { distinct, isSection, symbolsOf, type ListItem, type Section } from "./list-items";

/** Maximum length of a list. Bounds the page's memory and its subscriptions. */
export const MAX_SYMBOLS = 500;

/** Maximum number of sections of a list. */
export const MAX_SECTIONS = 50;

/** Maximum length of the name of a list or a section. */
export const MAX_NAME = 40;

/** A named list of symbols in sections. */
export interface Watchlist {
  /** Identifies the list in storage and in the page's address, whatever its name and symbols become. */
  readonly id: string;
  readonly name: string;
  readonly items: readonly ListItem[];
}

/** A section as it is stored: before the symbol with this index. */
interface StoredSection extends Section {
  readonly at: number;
}

/** The values that are valid symbols. */
export function validSymbols(values: readonly unknown[]): readonly StockSymbol[] {
  return values.flatMap((value) => (typeof value === "string" ? (asSymbol(value) ?? []) : []));
}

/** Distinct items, as many as a list has at most. */
export function bounded(items: readonly ListItem[]): readonly ListItem[] {
  let [symbols, sections] = [0, 0];
  return distinct(items).filter((item) => (isSection(item) ? (sections += 1) <= MAX_SECTIONS : (symbols += 1) <= MAX_SYMBOLS));
}

/**
 * Serialises lists. Sections are beside the symbols, so that pages of earlier versions, which may be open in other tabs,
 * read the symbols.
 */
export function writeLists(shown: string | undefined, lists: readonly Watchlist[]): string {
  const stored = lists.map(({ id, name, items }) => {
    const sections = items.flatMap((item, at): readonly StoredSection[] => (isSection(item) ? [{ ...item, at: symbolsOf(items.slice(0, at)).length }] : []));
    return { id, name, symbols: symbolsOf(items), ...(sections.length > 0 ? { sections } : {}) };
  });
  return JSON.stringify({ shown, lists: stored });
}

/** Parses stored lists; none if the text is missing or invalid. */
export function readLists(text: string | null): { readonly shown: string; readonly lists: readonly Watchlist[] } {
  const nothing = { shown: "", lists: [] };
  if (text === null) return nothing;
  try {
    const stored = JSON.parse(text) as unknown;
    if (typeof stored !== "object" || stored === null || !("lists" in stored) || !Array.isArray(stored.lists)) return nothing;
    const shown = "shown" in stored ? stored.shown : "";
    // Lists of earlier versions have no id, and the shown one is told by its index.
    const id = typeof shown === "number" ? idAt(shown) : shown;
    return { shown: typeof id === "string" ? id : "", lists: stored.lists.flatMap((list: unknown, at) => listOf(list, at) ?? []) };
  } catch {
    return nothing;
  }
}

/** The id of a stored list without one. It depends on nothing else, so that all tabs give the same. */
const idAt = (index: number): string => `list${index}`;

function listOf(list: unknown, at: number): Watchlist | undefined {
  if (typeof list !== "object" || list === null || !("name" in list) || !("symbols" in list)) return undefined;
  if (typeof list.name !== "string" || !Array.isArray(list.symbols)) return undefined;
  const id = "id" in list && typeof list.id === "string" ? list.id.slice(0, MAX_NAME) : idAt(at);
  // Lists of earlier versions have no sections.
  const sections = "sections" in list && Array.isArray(list.sections) ? list.sections.flatMap((section: unknown) => sectionOf(section) ?? []) : [];
  return { id, name: list.name.slice(0, MAX_NAME), items: bounded(joined(validSymbols(list.symbols), sections)) };
}

function sectionOf(section: unknown): StoredSection | undefined {
  if (typeof section !== "object" || section === null || !("id" in section) || !("name" in section) || !("at" in section)) return undefined;
  const { id, name, at } = section;
  if (typeof id !== "string" || typeof name !== "string" || typeof at !== "number") return undefined;
  return { id: id.slice(0, MAX_NAME), name: name.slice(0, MAX_NAME), isFolded: "isFolded" in section && section.isFolded === true, at };
}

/** Symbols with sections between them. */
function joined(symbols: readonly StockSymbol[], sections: readonly StoredSection[]): readonly ListItem[] {
  const sectionsAt = (from: number, to: number): readonly ListItem[] =>
    sections.filter(({ at }) => at >= from && at < to).map(({ id, name, isFolded }) => ({ id, name, isFolded }));
  const items = symbols.flatMap((symbol, at) => [...sectionsAt(at, at + 1), symbol]);
  return [...items, ...sectionsAt(symbols.length, Number.POSITIVE_INFINITY)];
}
