import type { Watchlists } from "../market";
import type { Strings } from "../strings";
import { make } from "./dom";
import { icon } from "./icons";
import type { NameDialog } from "./name-dialog";
import { iconButton, makeButton } from "./panel-parts";

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
  private readonly select = make("select", "");
  private readonly deleteButton = iconButton("button icon", "deleteList", icon("bin"));
  private readonly keepButton = makeButton("button small", "keepList");
  /** The parts in the panel's head. */
  readonly nodes: readonly HTMLElement[];
  private currentName = "";

  constructor(actions: WatchlistActions, dialog: NameDialog) {
    const [create, rename] = [iconButton("button icon", "newList", icon("plus")), iconButton("button icon", "renameList", icon("pencil"))];
    const ids = { lists: this.select, "list-new": create, "list-rename": rename, "list-delete": this.deleteButton, "list-keep": this.keepButton };
    for (const [id, node] of Object.entries(ids)) node.id = id;
    this.select.dataset["label"] = "list";
    this.keepButton.hidden = true;
    this.nodes = [this.select, make("div", "buttons", create, rename, this.deleteButton), this.keepButton];
    this.select.addEventListener("change", () => {
      actions.show(this.select.selectedIndex);
    });
    create.addEventListener("click", () => {
      dialog.ask(actions.strings().lists.nameLabel, actions.defaultName(), actions.create);
    });
    rename.addEventListener("click", () => {
      dialog.ask(actions.strings().lists.nameLabel, this.currentName, actions.rename);
    });
    this.deleteButton.addEventListener("click", actions.delete);
    this.keepButton.addEventListener("click", actions.keep);
  }

  draw({ all, index, isShared, canDelete }: Watchlists, { lists }: Strings): void {
    this.select.replaceChildren(...all.map(({ id, name }) => make("option", "", id === "" ? lists.notKept(name) : name)));
    this.select.selectedIndex = index;
    this.currentName = all[index]?.name ?? "";
    this.keepButton.hidden = !isShared;
    this.deleteButton.disabled = !canDelete;
  }
}
