import type { Strings } from "../strings";
import { byId } from "./dom";
import { icon } from "./icons";
import { makeButton, PanelButton } from "./panel-parts";
import { menuCheckbox, popoverMenu } from "./popover-menu";

/** A panel in the menu. */
export interface ListedPanel {
  readonly id: string;
  readonly title: string;
  readonly isOpen: boolean;
}

export interface PanelListActions {
  readonly panels: () => readonly ListedPanel[];
  readonly setOpen: (id: string, isOpen: boolean) => void;
  readonly reset: () => void;
  readonly strings: () => Strings;
}

/** The menu "Panels" in the footer: a checkbox for each panel, and a button that restores the first layout. */
export function makePanelList(actions: PanelListActions): void {
  const { node: button } = new PanelButton("panels", icon("panels"));
  button.id = "panels-button";
  const fill = () => {
    const boxes = actions.panels().map(({ id, title, isOpen }) => {
      const { label, input } = menuCheckbox(title, isOpen, (isChecked) => {
        actions.setOpen(id, isChecked);
        // Another panel may have been closed for it.
        fill();
        menu.querySelector<HTMLElement>(`[data-panel="${id}"]`)?.focus();
      });
      input.dataset["panel"] = id;
      return label;
    });
    const reset = makeButton("button small");
    reset.append(actions.strings().page.resetLayout);
    reset.addEventListener("click", () => {
      actions.reset();
      fill();
      menu.querySelector("button")?.focus();
    });
    menu.replaceChildren(...boxes, reset);
  };
  const menu = popoverMenu(button, "panel-list", "panels", fill);
  menu.id = "panel-list";
  byId("side-buttons", HTMLElement).prepend(button);
  document.body.append(menu);
}
