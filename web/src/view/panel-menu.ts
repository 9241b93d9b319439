import type { Direction } from "../layout";
import type { PageText, Strings } from "../strings";
import { icon } from "./icons";
import { iconButton } from "./panel-parts";
import { menuChoice, popoverMenu } from "./popover-menu";

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
  const button = iconButton("panel-menu-button", "panelMenu", icon("more"));
  const choice = (text: PageText, run: () => void) => menuChoice(actions.strings().page[text], () => { menu.hidePopover(); }, run);
  const menu = popoverMenu(button, "panel-menu", "panelMenu", () => {
    const { moves, commands } = actions.abilities();
    menu.replaceChildren(
      ...moves.map((direction) => choice(MOVES[direction], () => { actions.move(direction); })),
      ...commands.map((command) => choice(command, () => { actions.run(command); })),
    );
  });
  return { button, menu };
}
