import { make, setText } from "./dom";
import { makeButton } from "./panel-parts";

/** Asks for the name of a list or a section. */
export class NameDialog {
  readonly node: HTMLDialogElement;
  private readonly input = make("input", "");
  private readonly label = make("label", "");
  private confirm: (name: string) => void = () => undefined;

  constructor(maxLength: number) {
    Object.assign(this.input, { id: "name-input", type: "text", maxLength, required: true, autocomplete: "off" });
    Object.assign(this.label, { id: "name-label", htmlFor: "name-input" });
    const [ok, cancel] = [makeButton("button", "ok"), makeButton("button", "cancel")];
    Object.assign(ok, { type: "submit", value: "ok" });
    Object.assign(cancel, { type: "submit", value: "cancel", formNoValidate: true });
    const form = make("form", "", this.label, this.input, make("div", "buttons", ok, cancel));
    form.method = "dialog";
    this.node = make("dialog", "", form);
    this.node.id = "name-dialog";
    this.node.setAttribute("aria-labelledby", this.label.id);
    this.node.addEventListener("close", () => {
      const name = this.input.value.trim();
      if (this.node.returnValue === "ok" && name !== "") this.confirm(name);
    });
  }

  /** `confirm` is called with what was entered, unless the dialog was cancelled. */
  ask(label: string, name: string, confirm: (name: string) => void): void {
    setText(this.label, label);
    this.confirm = confirm;
    this.input.value = name;
    this.node.returnValue = "";
    this.node.showModal();
    this.input.select();
  }
}
