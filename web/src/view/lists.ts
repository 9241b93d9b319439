import type { Watchlist } from "../market";
import type { ColumnId, Strings } from "../strings";
import { byId, make, setText } from "./dom";

/** What can be done with lists. */
export interface ListActions {
  readonly show: (place: number) => void;
  readonly create: (name: string) => void;
  readonly rename: (name: string) => void;
  readonly delete: () => void;
  /** A name for a list that has none yet. */
  readonly freshName: () => string;
  readonly strings: () => Strings;
}

/** The choice of a watchlist, and what makes, names and deletes one. */
export class ListChoice {
  private readonly select = byId("lists", HTMLSelectElement);
  private readonly dialog = byId("name-dialog", HTMLDialogElement);
  private readonly input = byId("name-input", HTMLInputElement);
  private readonly deleteButton = byId("list-delete", HTMLButtonElement);
  private named: (name: string) => void = () => undefined;
  private current = "";

  constructor(actions: ListActions) {
    this.select.addEventListener("change", () => {
      actions.show(this.select.selectedIndex);
    });
    byId("list-new", HTMLButtonElement).addEventListener("click", () => {
      this.ask(actions.freshName(), actions.strings(), actions.create);
    });
    byId("list-rename", HTMLButtonElement).addEventListener("click", () => {
      this.ask(this.current, actions.strings(), actions.rename);
    });
    this.deleteButton.addEventListener("click", actions.delete);
    this.dialog.addEventListener("close", () => {
      const name = this.input.value.trim();
      if (this.dialog.returnValue === "ok" && name !== "") this.named(name);
    });
  }

  draw(lists: readonly Watchlist[], place: number): void {
    this.select.replaceChildren(...lists.map(({ name }) => make("option", "", name)));
    this.select.selectedIndex = place;
    this.current = lists[place]?.name ?? "";
    this.deleteButton.disabled = lists.length < 2;
  }

  private ask(name: string, strings: Strings, named: (name: string) => void): void {
    setText(byId("name-label", HTMLElement), strings.lists.nameLabel);
    this.named = named;
    this.input.value = name;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.input.select();
  }
}

/** What the menu of columns asks of the board. */
export interface ColumnActions {
  readonly columns: () => readonly { readonly id: ColumnId; readonly isShown: boolean }[];
  readonly setShown: (id: ColumnId, shown: "shown" | "hidden") => void;
  readonly reset: () => void;
  readonly strings: () => Strings;
}

/** Which columns are shown: boxes to tick, made when the menu is opened. */
export function makeColumnMenu(actions: ColumnActions): void {
  const menu = byId("columns", HTMLElement);
  const fill = () => {
    const { columns: heads, page } = actions.strings();
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
        return make("label", "column-choice", input, heads[id].head);
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
}
