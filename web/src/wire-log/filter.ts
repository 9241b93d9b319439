import type { LoggedFrame, ObjectFacts } from "./frame";

/** Which messages are shown. Empty texts exclude nothing. */
export interface Filter {
  readonly direction: "all" | "in" | "out";
  /** `T` of an object, or the action of a command. */
  readonly kind: string;
  /** A symbol or a topic, whole and without case. */
  readonly symbol: string;
}

export const NO_FILTER: Filter = { direction: "all", kind: "", symbol: "" };

export const isFiltering = ({ direction, kind, symbol }: Filter): boolean => direction !== "all" || kind !== "" || symbol.trim() !== "";

/** A message is shown if one of its objects has the kind and names the symbol. */
export function matches(filter: Filter, frame: LoggedFrame): boolean {
  if (filter.direction !== "all" && filter.direction !== frame.direction) return false;
  if (filter.kind === "" && filter.symbol.trim() === "") return true;
  return frame.facts.objects.some((object) => matchesObject(filter, object));
}

export function matchesObject({ kind, symbol }: Filter, object: ObjectFacts): boolean {
  const wanted = symbol.trim().toUpperCase();
  return (kind === "" || object.kind === kind) && (wanted === "" || object.symbols.some((name) => name.toUpperCase() === wanted));
}

/** The kinds that occur, sorted: the choices of a filter. */
export function kindsOf(frames: readonly LoggedFrame[]): readonly string[] {
  const kinds = new Set<string>();
  for (const { facts } of frames) {
    for (const kind of facts.kinds.keys()) if (kind !== "") kinds.add(kind);
  }
  return [...kinds].sort();
}
