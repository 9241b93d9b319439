import type { PageText, Strings } from "../strings";
import { byId, make } from "./dom";

/** The key that opens and closes a panel, and the panel's name in the help. */
export interface PanelKey {
  readonly key: string;
  readonly text: PageText;
}

/** The actions of keyboard shortcuts. */
export interface KeyActions {
  /** Takes the last removal back; false if there is none. */
  readonly undo: () => boolean;
  readonly pause: () => void;
  readonly toggleTickerTape: () => void;
  /** Opens the form for an alert on the selected symbol. */
  readonly alert: () => void;
  /** Switches to the list this number of places further. */
  readonly list: (offset: number) => void;
  /** Any other key; false if it has no meaning. */
  readonly other: (key: string) => boolean;
}

/** Handles keyboard shortcuts everywhere except in controls that use the key themselves. Returns the listener, for further windows. */
export function listenToKeys(actions: KeyActions): (press: KeyboardEvent) => void {
  const listener = (press: KeyboardEvent) => {
    const isUndo = (press.ctrlKey || press.metaKey) && !press.shiftKey && !press.altKey && press.key.toLowerCase() === "z";
    if (isUndo && !isEditable(press.target) && actions.undo()) press.preventDefault();
    if (press.ctrlKey || press.metaKey || press.altKey || press.defaultPrevented) return;
    if (isTaken(press)) return;
    if (act(press.key, actions)) press.preventDefault();
  };
  document.addEventListener("keydown", listener);
  return listener;
}

/** Copies and pastes outside of text fields. */
export function listenToClipboard(actions: { readonly copy: () => string | undefined; readonly paste: (text: string) => boolean }): void {
  document.addEventListener("copy", (event) => {
    const isTextSelected = document.getSelection()?.isCollapsed === false;
    const text = isTextSelected || isEditable(event.target) ? undefined : actions.copy();
    if (text === undefined) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  });
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!isEditable(event.target) && actions.paste(text)) event.preventDefault();
  });
}

function isEditable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input:not([type=radio], [type=range], [type=checkbox]), textarea") !== null;
}

/** True if the focused control handles this key itself. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input:not([type=radio]), textarea, select, dialog, [popover]") !== null) return true;
  const isArrow = key.startsWith("Arrow");
  if (key === " " && target.closest("button, a, summary") !== null) return true;
  // The grid, radio buttons and scrollable boxes handle arrow keys.
  return isArrow && target.closest(".watchlist, input, [tabindex='0']") !== null;
}

/** Runs the action of a key; false if it has none. */
function act(key: string, actions: KeyActions): boolean {
  const act = BY_KEY[key];
  if (act === undefined) return actions.other(key);
  act(actions);
  return true;
}

const BY_KEY: Readonly<Partial<Record<string, (actions: KeyActions) => void>>> = {
  " ": (actions) => { actions.pause(); },
  t: (actions) => { actions.toggleTickerTape(); },
  a: (actions) => { actions.alert(); },
  "[": (actions) => { actions.list(-1); },
  "]": (actions) => { actions.list(1); },
};

const SHORTCUTS: readonly (readonly [keys: readonly string[], text: PageText])[] = [
  [["/"], "keySearch"],
  [["↑", "↓"], "keySelect"],
  [["Del"], "keyRemove"],
  [["Ctrl", "Z"], "keyUndo"],
  [["1", "…", "7"], "keyInterval"],
  [[" "], "keyPause"],
  [["T"], "keyStrip"],
  [["[", "]"], "keyLists"],
  [["A"], "keyAlert"],
  [["Alt↑", "Alt↓"], "keyMoveRow"],
  [["F"], "keyFlag"],
  [["P"], "keyPosition"],
  [["I"], "keyTradeDetails"],
  [["S"], "keySection"],
  [["Enter", "←", "→"], "keyFold"],
  [["⇧F10"], "keyRowMenu"],
  [["Ctrl", "C"], "keyCopy"],
  [["Ctrl", "V"], "keyPaste"],
  [["Enter"], "keySort"],
  [["⇧←", "⇧→"], "keyMoveColumn"],
  [["Alt←", "Alt→"], "keySizeColumn"],
];

/** Number of shortcuts in the footer. */
const IN_FOOTER = 8;

/** Writes the help on shortcuts: the most important ones in the footer, all of them in the settings. */
export function translateShortcuts({ page }: Strings, panels: readonly PanelKey[]): void {
  const kbd = (keys: readonly string[]) => keys.map((key) => (key === "…" ? "…" : make("kbd", "", key === " " ? page.space : key)));
  const short = SHORTCUTS.slice(0, IN_FOOTER).map(([keys, text]) => make("span", "", ...kbd(keys), ` ${page[text]}`));
  byId("keys", HTMLElement).replaceChildren(...short);
  const ofPanels = panels.map(({ key, text }) => [[key.toUpperCase()], text] as const);
  const all = [...SHORTCUTS, ...ofPanels].map(([keys, text]) => make("div", "", make("dt", "", ...kbd(keys)), make("dd", "", page[text])));
  byId("key-list", HTMLElement).replaceChildren(...all);
}
