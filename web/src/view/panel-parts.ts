import type { PageText } from "../strings";
import { make, setText } from "./dom";
import type { Badge } from "./panel";

/** The button of a panel in the footer: a drawing, a name and a count. */
export class PanelButton {
  readonly node: HTMLButtonElement;
  private readonly count = make("b", "count");
  /** What is counted, for screen readers. */
  private readonly words = make("span", "visually-hidden");

  constructor(name: PageText, drawing: SVGSVGElement) {
    this.count.hidden = true;
    this.count.ariaHidden = "true";
    this.node = make("button", "side-button", drawing, translated("span", "", name), this.count, this.words);
    this.node.type = "button";
  }

  /** Shows a count unless it is 0. */
  show({ count, words }: Badge): void {
    this.count.hidden = count === 0;
    setText(this.count, String(count));
    setText(this.words, count === 0 ? "" : words);
  }
}

/** An element with a text that is translated with the page. */
export function translated<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className: string, text: PageText): HTMLElementTagNameMap[Tag] {
  const element = make(tag, className);
  element.dataset["text"] = text;
  return element;
}

/** A button with a text that is translated with the page, or without one. */
export function makeButton(className: string, text?: PageText): HTMLButtonElement {
  const button = make("button", className);
  button.type = "button";
  if (text !== undefined) button.dataset["text"] = text;
  return button;
}

/** A button with a sign, whose name is translated with the page. */
export function iconButton(className: string, label: PageText, sign: string | SVGSVGElement): HTMLButtonElement {
  const button = makeButton(className);
  button.append(sign);
  button.dataset["label"] = label;
  return button;
}

/** A panel's section, which the board names, and its head with that heading and further elements. */
export function panelSection(className: string, title: PageText, ...tools: readonly HTMLElement[]): { readonly node: HTMLElement; readonly head: HTMLElement; readonly heading: HTMLElement } {
  const heading = translated("h2", "", title);
  const head = make("div", "panel-head", heading, ...tools);
  return { node: make("section", `panel ${className}`, head), head, heading };
}
