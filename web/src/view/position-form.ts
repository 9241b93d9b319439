import { isPosition, readNumber, type Position } from "../market";
import { price, shares } from "@tapecast/client";
import type { PageText, Strings } from "../strings";
import { make, setText } from "./dom";
import { Floating } from "./floating";
import { makeButton, translated } from "./panel-parts";
import { translateTexts } from "./translate";

/** A small form at a row for the quantity and the average cost of a position. */
export class PositionForm {
  private readonly box: Floating;
  readonly node: HTMLElement;
  private readonly title = make("h3", "");
  private readonly quantity = make("input", "");
  private readonly cost = make("input", "");
  private readonly status = make("p", "form-status");
  private readonly remove = makeButton("button small", "removePosition");
  private readonly strings: () => Strings;
  private save: (position: Position | undefined) => void = () => undefined;

  /** `closed` is called when the form had the focus and closed. */
  constructor(strings: () => Strings, closed: () => void) {
    this.strings = strings;
    this.box = new Floating("position-form", "dialog", (hadFocus) => {
      if (hadFocus) closed();
    });
    this.node = this.box.node;
    this.title.id = "position-title";
    this.status.role = "alert";
    this.node.setAttribute("aria-labelledby", this.title.id);
    const [submit, cancel] = [makeButton("button small", "save"), makeButton("button small", "cancel")];
    submit.type = "submit";
    cancel.addEventListener("click", () => {
      this.box.close();
    });
    this.remove.addEventListener("click", () => {
      this.box.close();
      this.save(undefined);
    });
    const form = make("form", "", this.title, field(this.quantity, "quantity"), field(this.cost, "averageCost"), this.status, make("div", "buttons", submit, this.remove, cancel));
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.node.append(form);
  }

  open(at: DOMRect, title: string, position: Position | undefined, save: (position: Position | undefined) => void): void {
    this.save = save;
    translateTexts(this.node, this.strings());
    setText(this.title, title);
    setText(this.status, "");
    this.quantity.value = position === undefined ? "" : String(position.quantity);
    this.cost.value = position === undefined ? "" : String(position.cost);
    for (const input of [this.quantity, this.cost]) input.ariaInvalid = "false";
    this.remove.hidden = position === undefined;
    this.box.open(at);
    this.quantity.focus();
    this.quantity.select();
  }

  private submit(): void {
    const [quantity, cost] = [readNumber(this.quantity.value), readNumber(this.cost.value)];
    if (quantity === undefined || cost === undefined || !isPosition(quantity, cost)) {
      this.quantity.ariaInvalid = String(quantity === undefined || quantity === 0);
      this.cost.ariaInvalid = String(cost === undefined || cost < 0);
      setText(this.status, this.strings().rows.invalidPosition);
      (this.quantity.ariaInvalid === "true" ? this.quantity : this.cost).focus();
      return;
    }
    this.box.close();
    this.save({ quantity: shares(quantity), cost: price(cost) });
  }
}

function field(input: HTMLInputElement, label: PageText): HTMLElement {
  Object.assign(input, { type: "text", inputMode: "text", autocomplete: "off", maxLength: 20, name: label });
  return make("label", "", translated("span", "", label), input);
}
