import type { Direction } from "../layout";
import type { PageText, Strings } from "../strings";
import { make } from "./dom";
import { icon } from "./icons";
import { iconButton, makeButton } from "./panel-parts";
import { translateTexts } from "./translate";

/** What can be done with a panel now. */
export interface PanelAbilities {
  readonly moves: readonly Direction[];
  readonly commands: readonly PanelCommand[];
}

export type PanelCommand = "maximise" | "restore" | "popOut" | "popIn" | "dock" | "float" | "closePanel";

export interface PanelMenuActions {
  readonly abilities: () => PanelAbilities;
  readonly move: (direction: Direction) => void;
  readonly run: (command: PanelCommand) => void;
  readonly strings: () => Strings;
}

const MOVES: Readonly<Record<Direction, PageText>> = { left: "moveLeft", up: "moveUp", down: "moveDown", right: "moveRight" };

/** The button at the end of a panel's head and the menu that it opens: what can be done with every panel. */
export function makePanelMenu(actions: PanelMenuActions): { readonly button: HTMLElement; readonly menu: HTMLElement } {
  const menu = make("div", "popover panel-menu");
  Object.assign(menu, { popover: "auto", role: "dialog" });
  menu.dataset["label"] = "panelMenu";
  const button = iconButton("panel-menu-button", "panelMenu", icon("more"));
  button.popoverTargetElement = menu;
  const choice = (text: PageText, act: () => void) => {
    const node = makeButton("menu-choice", text);
    node.addEventListener("click", () => {
      menu.hidePopover();
      act();
    });
    return node;
  };
  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    const { moves, commands } = actions.abilities();
    const choices = [
      ...moves.map((direction) => choice(MOVES[direction], () => { actions.move(direction); })),
      ...commands.map((command) => choice(command, () => { actions.run(command); })),
    ];
    menu.replaceChildren(...choices);
    translateTexts(menu, actions.strings());
    placeBelow(menu, button);
  });
  return { button, menu };
}

/** Room that a menu needs below its button. */
const MENU_PX = 300;

/** Puts a popover below a button, or above it at the lower edge of the window, with its right edge at that of the button. */
export function placeBelow(popover: HTMLElement, button: HTMLElement): void {
  const { top, bottom, right } = button.getBoundingClientRect();
  const { innerWidth: width, innerHeight: height } = button.ownerDocument.defaultView ?? window;
  const isBelow = bottom + MENU_PX < height;
  popover.style.inset = isBelow ? `${bottom + 4}px ${Math.max(4, width - right)}px auto auto` : `auto ${Math.max(4, width - right)}px ${height - top + 4}px auto`;
}
