import type { ColumnId, Strings } from "../strings";
import { make } from "./dom";
import { makeButton } from "./panel-parts";
import { menuCheckbox, popoverMenu } from "./popover-menu";

/** What the column menu needs from the grid. */
export interface ColumnActions {
  readonly columns: () => readonly { readonly id: ColumnId; readonly isShown: boolean }[];
  readonly setShown: (id: ColumnId, shown: "shown" | "hidden") => void;
  readonly reset: () => void;
  readonly strings: () => Strings;
}

/** The menu of the columns and its button. It is filled with a checkbox per column each time it opens. */
export function makeColumnMenu(actions: ColumnActions): readonly [button: HTMLElement, menu: HTMLElement] {
  const button = makeButton("button small", "columns");
  button.id = "columns-button";
  const fill = () => {
    const { columns: texts, page } = actions.strings();
    const boxes = actions
      .columns()
      .filter(({ id }) => id !== "symbol")
      .map(({ id, isShown }) =>
        menuCheckbox(texts[id].head, isShown, (isChecked) => {
          actions.setShown(id, isChecked ? "shown" : "hidden");
        }).label,
      );
    const reset = make("button", "button small", page.resetColumns);
    reset.type = "button";
    reset.addEventListener("click", () => {
      actions.reset();
      fill();
    });
    menu.replaceChildren(...boxes, reset);
  };
  const menu = popoverMenu(button, "", "columns", fill);
  menu.id = "columns";
  return [button, menu];
}
