import type { Watchlists } from "../market";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { icon } from "./icons";
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
  private readonly input = make("input", "");
  private readonly nameLabel = make("label", "");
  private readonly deleteButton = iconButton("button icon", "deleteList", icon("bin"));
  private readonly keepButton = makeButton("button small", "keepList");
  private readonly dialog = this.makeDialog();
  /** The parts in the panel's head, and the dialog, which may be anywhere in the panel. */
  readonly nodes: readonly HTMLElement[];
  private confirmName: (name: string) => void = () => undefined;
  private currentName = "";

  constructor(actions: WatchlistActions) {
    const [create, rename] = [iconButton("button icon", "newList", icon("plus")), iconButton("button icon", "renameList", icon("pencil"))];
    const ids = { lists: this.select, "list-new": create, "list-rename": rename, "list-delete": this.deleteButton, "list-keep": this.keepButton };
    for (const [id, node] of Object.entries(ids)) node.id = id;
    this.select.dataset["label"] = "list";
    this.keepButton.hidden = true;
    this.nodes = [this.select, make("div", "buttons", create, rename, this.deleteButton), this.keepButton, this.dialog];
    this.select.addEventListener("change", () => {
      actions.show(this.select.selectedIndex);
    });
    create.addEventListener("click", () => {
      this.askName(actions.defaultName(), actions.strings(), actions.create);
    });
    rename.addEventListener("click", () => {
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

  private makeDialog(): HTMLDialogElement {
    Object.assign(this.input, { id: "name-input", type: "text", maxLength: 40, required: true, autocomplete: "off" });
    Object.assign(this.nameLabel, { id: "name-label", htmlFor: "name-input" });
    const [ok, cancel] = [makeButton("button", "ok"), makeButton("button", "cancel")];
    Object.assign(ok, { type: "submit", value: "ok" });
    Object.assign(cancel, { type: "submit", value: "cancel", formNoValidate: true });
    const form = make("form", "", this.nameLabel, this.input, make("div", "buttons", ok, cancel));
    form.method = "dialog";
    const dialog = make("dialog", "", form);
    dialog.id = "name-dialog";
    dialog.setAttribute("aria-labelledby", this.nameLabel.id);
    return dialog;
  }

  private askName(name: string, { lists }: Strings, confirmName: (name: string) => void): void {
    setText(this.nameLabel, lists.nameLabel);
    this.confirmName = confirmName;
    this.input.value = name;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.input.select();
  }
}
