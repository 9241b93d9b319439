import type { Watchlists } from "../market";
import type { Strings } from "../strings";
import { byId, make, setText } from "./dom";

/** What the picker needs from the application. */
export interface WatchlistActions {
  readonly show: (index: number) => void;
  readonly create: (name: string) => void;
  readonly rename: (name: string) => void;
  readonly delete: () => void;
  /** Keeps the shared list. */
  readonly keep: () => void;
  /** The default name of a new list. */
  readonly defaultName: () => string;
  readonly strings: () => Strings;
}

/** Selects, creates, renames and deletes watchlists. */
export class WatchlistPicker {
  private readonly select = byId("lists", HTMLSelectElement);
  private readonly dialog = byId("name-dialog", HTMLDialogElement);
  private readonly input = byId("name-input", HTMLInputElement);
  private readonly deleteButton = byId("list-delete", HTMLButtonElement);
  private readonly keepButton = byId("list-keep", HTMLButtonElement);
  private confirmName: (name: string) => void = () => undefined;
  private currentName = "";

  constructor(actions: WatchlistActions) {
    this.select.addEventListener("change", () => {
      actions.show(this.select.selectedIndex);
    });
    byId("list-new", HTMLButtonElement).addEventListener("click", () => {
      this.askName(actions.defaultName(), actions.strings(), actions.create);
    });
    byId("list-rename", HTMLButtonElement).addEventListener("click", () => {
      this.askName(this.currentName, actions.strings(), actions.rename);
    });
    this.deleteButton.addEventListener("click", actions.delete);
    this.keepButton.addEventListener("click", actions.keep);
    this.dialog.addEventListener("close", () => {
      const name = this.input.value.trim();
      if (this.dialog.returnValue === "ok" && name !== "") this.confirmName(name);
    });
  }

  draw({ all, index, isShared, canDelete }: Watchlists, { lists }: Strings): void {
    this.select.replaceChildren(...all.map(({ id, name }) => make("option", "", id === "" ? lists.notKept(name) : name)));
    this.select.selectedIndex = index;
    this.currentName = all[index]?.name ?? "";
    this.keepButton.hidden = !isShared;
    this.deleteButton.disabled = !canDelete;
  }

  private askName(name: string, { lists }: Strings, confirmName: (name: string) => void): void {
    setText(byId("name-label", HTMLElement), lists.nameLabel);
    this.confirmName = confirmName;
    this.input.value = name;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.input.select();
  }
}
