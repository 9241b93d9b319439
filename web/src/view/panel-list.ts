import type { Strings } from "../strings";
import { byId, make } from "./dom";
import { icon } from "./icons";
import { makeButton, PanelButton } from "./panel-parts";
import { placeBelow } from "./panel-menu";

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
  const menu = make("div", "popover panel-list");
  Object.assign(menu, { id: "panel-list", popover: "auto", role: "dialog" });
  menu.dataset["label"] = "panels";
  const { node: button } = new PanelButton("panels", icon("panels"));
  button.id = "panels-button";
  button.popoverTargetElement = menu;
  const fill = () => {
    const boxes = actions.panels().map(({ id, title, isOpen }) => {
      const input = make("input", "");
      Object.assign(input, { type: "checkbox", checked: isOpen });
      input.dataset["panel"] = id;
      input.addEventListener("change", () => {
        actions.setOpen(id, input.checked);
        // Another panel may have been closed for it.
        fill();
        menu.querySelector<HTMLElement>(`[data-panel="${id}"]`)?.focus();
      });
      return make("label", "column-choice", input, title);
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
  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    fill();
    placeBelow(menu, button);
  });
  byId("side-buttons", HTMLElement).prepend(button);
  document.body.append(menu);
}
