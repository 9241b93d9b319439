import type { StockSymbol } from "@tapecast/client";

/** A named separator in a list: the symbols below it, down to the next one, are its own. */
export interface Section {
  /** Identifies the section in its list, whatever its name becomes. */
  readonly id: string;
  readonly name: string;
  /** True while its symbols are not shown. */
  readonly isFolded: boolean;
}

/** What a list consists of, from top to bottom. */
export type ListItem = StockSymbol | Section;

/** Where an item is moved to. */
export type ItemPlace = { readonly before: string } | { readonly after: string };

/** Where a symbol is, for people: its position among the symbols of its section. */
export interface ItemPosition {
  /** From 1. */
  readonly position: number;
  readonly count: number;
  /** The name of its section; undefined above the first one. */
  readonly section: string | undefined;
}

export const isSection = (item: ListItem): item is Section => typeof item !== "string";

/** Identifies an item in its list. A symbol contains no space, so that no section has the id of one. */
export const itemId = (item: ListItem): string => (isSection(item) ? `section ${item.id}` : item);

export const symbolsOf = (items: readonly ListItem[]): readonly StockSymbol[] => items.filter((item): item is StockSymbol => !isSection(item));

/** The section that an item with this id is in or is. */
export function sectionAt(items: readonly ListItem[], id: string): Section | undefined {
  const at = indexOf(items, id);
  return at < 0 ? undefined : items.slice(0, at + 1).filter(isSection).at(-1);
}

/**
 * Moves an item before or after another one.
 *
 * A section takes its symbols with it, and only goes before another section or to the end: it would take the symbols of
 * others otherwise. A folded section that gets a symbol unfolds, because the symbol would vanish.
 */
export function moved(items: readonly ListItem[], id: string, place: ItemPlace): readonly ListItem[] {
  const from = indexOf(items, id);
  const item = items[from];
  const target = targetOf(items, place);
  if (item === undefined || target === undefined) return items;
  const length = isSection(item) ? endOfSection(items, from) - from : 1;
  const to = isSection(item) ? nextBoundary(items, target) : target;
  if (to >= from && to <= from + length) return items;
  const block = items.slice(from, from + length);
  const insertAt = to > from ? to - length : to;
  const rest = [...items.slice(0, from), ...items.slice(from + length)];
  const result = [...rest.slice(0, insertAt), ...block, ...rest.slice(insertAt)];
  return isSection(item) ? result : unfolded(result, id);
}

/** Inserts a section before the item with this id, or at the end. */
export function withSection(items: readonly ListItem[], section: Section, before: string | undefined): readonly ListItem[] {
  const at = before === undefined ? items.length : indexOf(items, before);
  return at < 0 ? items : [...items.slice(0, at), section, ...items.slice(at)];
}

/** Renames, folds or unfolds a section. */
export function changedSection(items: readonly ListItem[], id: string, change: Partial<Omit<Section, "id">>): readonly ListItem[] {
  return items.map((item) => (isSection(item) && itemId(item) === id ? { ...item, ...change } : item));
}

/** Removes items; the symbols of a removed section stay, in the section above it. */
export function without(items: readonly ListItem[], ids: readonly string[]): readonly ListItem[] {
  return items.filter((item) => !ids.includes(itemId(item)));
}

/** What is shown: no symbols of folded sections, no symbols that the filter leaves out, no sections without any by it. */
export function shownItems(items: readonly ListItem[], passes: ((symbol: StockSymbol) => boolean) | undefined): readonly ListItem[] {
  let isFolded = false;
  return items.filter((item, at) => {
    if (!isSection(item)) return !isFolded && (passes?.(item) ?? true);
    ({ isFolded } = item);
    return passes === undefined || symbolsOf(items.slice(at + 1, endOfSection(items, at))).some(passes);
  });
}

/** Where a symbol is; undefined if it is not there. */
export function positionOf(items: readonly ListItem[], symbol: StockSymbol): ItemPosition | undefined {
  const section = sectionAt(items, symbol);
  const start = section === undefined ? 0 : items.indexOf(section) + 1;
  const end = items.findIndex((item, at) => at >= start && isSection(item));
  const own = items.slice(start, end < 0 ? undefined : end);
  const at = own.indexOf(symbol);
  return at < 0 ? undefined : { position: at + 1, count: own.length, section: section?.name };
}

/** The same section or symbol once, at its first place. */
export function distinct(items: readonly ListItem[]): readonly ListItem[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const id = itemId(item);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/**
 * Takes a change back in items that may have changed since: what was there before, in its order, without what was
 * removed since; then what was added since.
 */
export function reverted(now: readonly ListItem[], before: readonly ListItem[], after: readonly ListItem[]): readonly ListItem[] {
  const ids = (items: readonly ListItem[]) => new Set(items.map(itemId));
  const [inNow, inBefore, inAfter] = [ids(now), ids(before), ids(after)];
  const kept = before.filter((item) => !(inAfter.has(itemId(item)) && !inNow.has(itemId(item))));
  const added = now.filter((item) => !inBefore.has(itemId(item)) && !inAfter.has(itemId(item)));
  return [...kept, ...added];
}

const indexOf = (items: readonly ListItem[], id: string): number => items.findIndex((item) => itemId(item) === id);

/** The index of the first item after a section and its symbols. */
function endOfSection(items: readonly ListItem[], at: number): number {
  return nextBoundary(items, at + 1);
}

/** The index of the first section from here on, or the end. */
function nextBoundary(items: readonly ListItem[], from: number): number {
  const at = items.findIndex((item, index) => index >= from && isSection(item));
  return at < 0 ? items.length : at;
}

function targetOf(items: readonly ListItem[], place: ItemPlace): number | undefined {
  const at = indexOf(items, "before" in place ? place.before : place.after);
  if (at < 0) return undefined;
  return "before" in place ? at : at + 1;
}

function unfolded(items: readonly ListItem[], id: string): readonly ListItem[] {
  const section = sectionAt(items, id);
  return section?.isFolded === true ? changedSection(items, itemId(section), { isFolded: false }) : items;
}
