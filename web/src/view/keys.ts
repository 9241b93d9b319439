import type { PageText, Strings } from "../strings";
import { byId, make } from "./dom";

/** What the keyboard asks for. */
export interface KeyActions {
  readonly search: () => void;
  /** Moves the selection down by so many rows. */
  readonly move: (rows: number) => void;
  readonly remove: () => void;
  /** The interval at this place, from 0. */
  readonly interval: (place: number) => void;
  readonly pause: () => void;
  readonly strip: () => void;
  /** The list so many places further. */
  readonly list: (places: number) => void;
}

/** Keys that work everywhere but where something is typed or chosen. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || press.defaultPrevented) return;
    if (isTaken(press)) return;
    if (act(press.key, actions)) press.preventDefault();
  });
}

/** Whether what has the focus wants this key for itself. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input:not([type=radio]), textarea, select, dialog, [popover]") !== null) return true;
  const isArrow = key.startsWith("Arrow");
  if (key === " " && target.closest("button, a") !== null) return true;
  // The grid, radio buttons and what scrolls move by arrows themselves.
  return isArrow && target.closest(".board, input, [tabindex='0']") !== null;
}

/** Answers whether the key was ours. */
function act(key: string, actions: KeyActions): boolean {
  const place = "12345".indexOf(key);
  if (place >= 0 && key.length === 1) {
    actions.interval(place);
    return true;
  }
  const act = BY_KEY[key];
  act?.(actions);
  return act !== undefined;
}

const BY_KEY: Readonly<Partial<Record<string, (actions: KeyActions) => void>>> = {
  "/": (actions) => { actions.search(); },
  ArrowDown: (actions) => { actions.move(1); },
  ArrowUp: (actions) => { actions.move(-1); },
  Delete: (actions) => { actions.remove(); },
  Backspace: (actions) => { actions.remove(); },
  " ": (actions) => { actions.pause(); },
  t: (actions) => { actions.strip(); },
  "[": (actions) => { actions.list(-1); },
  "]": (actions) => { actions.list(1); },
};

const EXPLAINED: readonly (readonly [keys: readonly string[], word: PageText])[] = [
  [["/"], "keySearch"],
  [["↑", "↓"], "keySelect"],
  [["Del"], "keyRemove"],
  [["1", "…", "5"], "keyInterval"],
  [["␣"], "keyPause"],
  [["T"], "keyStrip"],
  [["[", "]"], "keyLists"],
  [["Enter"], "keySort"],
  [["⇧←", "⇧→"], "keyMoveColumn"],
  [["Alt←", "Alt→"], "keySizeColumn"],
];

/** In the footer: so many of them. */
const IN_SHORT = 7;

/** Says which key does what: the first few in the footer, all of them in the settings. */
export function writeKeys({ page }: Strings): void {
  const kbd = (keys: readonly string[]) => keys.map((key) => (key === "…" ? "…" : make("kbd", "", key)));
  const short = EXPLAINED.slice(0, IN_SHORT).map(([keys, word]) => make("span", "", ...kbd(keys), ` ${page[word]}`));
  byId("keys", HTMLElement).replaceChildren(...short);
  const all = EXPLAINED.map(([keys, word]) => make("div", "", make("dt", "", ...kbd(keys)), make("dd", "", page[word])));
  byId("key-list", HTMLElement).replaceChildren(...all);
}
