/** What the keyboard does with a row. */
export type RowCommand = "moveUp" | "moveDown" | "flag" | "position" | "trade" | "section" | "toggle" | "fold" | "unfold" | "rename" | "remove" | "menu";

const WITH_ALT: Readonly<Partial<Record<string, RowCommand>>> = { ArrowUp: "moveUp", ArrowDown: "moveDown" };

const OF_SYMBOLS: Readonly<Partial<Record<string, RowCommand>>> = { f: "flag", p: "position", i: "trade" };

const OF_SECTIONS: Readonly<Partial<Record<string, RowCommand>>> = { Enter: "toggle", ArrowLeft: "fold", ArrowRight: "unfold", F2: "rename", Delete: "remove" };

/** The command of a key on a row; undefined if it has none. */
export function rowCommandOf({ key, altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent, kind: "symbol" | "section"): RowCommand | undefined {
  if (ctrlKey || metaKey) return undefined;
  if (altKey) return WITH_ALT[key];
  if (shiftKey) return undefined;
  if (key === "s") return "section";
  return (kind === "symbol" ? OF_SYMBOLS : OF_SECTIONS)[key];
}
