import type { ColumnId, Strings } from "../strings";
import { make } from "./dom";
import { makeButton } from "./panel-parts";

/** What the column menu needs from the grid. */
export interface ColumnActions {
  readonly columns: () => readonly { readonly id: ColumnId; readonly isShown: boolean }[];
  readonly setShown: (id: ColumnId, shown: "shown" | "hidden") => void;
  readonly reset: () => void;
  readonly strings: () => Strings;
}

/** The menu of the columns and its button. It is filled with a checkbox per column each time it opens. */
export function makeColumnMenu(actions: ColumnActions): readonly [button: HTMLElement, menu: HTMLElement] {
  const menu = make("div", "popover");
  Object.assign(menu, { id: "columns", popover: "auto", role: "dialog" });
  menu.dataset["label"] = "columns";
  const button = makeButton("button small", "columns");
  button.id = "columns-button";
  button.popoverTargetElement = menu;
  const fill = () => {
    const { columns: texts, page } = actions.strings();
    const boxes = actions
      .columns()
      .filter(({ id }) => id !== "symbol")
      .map(({ id, isShown }) => {
        const input = make("input", "");
        input.type = "checkbox";
        input.checked = isShown;
        input.addEventListener("change", () => {
          actions.setShown(id, input.checked ? "shown" : "hidden");
        });
        return make("label", "column-choice", input, texts[id].head);
      });
    const reset = make("button", "button small", page.resetColumns);
    reset.type = "button";
    reset.addEventListener("click", () => {
      actions.reset();
      fill();
    });
    menu.replaceChildren(...boxes, reset);
  };
  menu.addEventListener("beforetoggle", fill);
  return [button, menu];
}
