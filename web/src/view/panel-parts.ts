import type { PageText } from "../strings";
import { make, setText } from "./dom";

/** The button of a side panel: a drawing, a name and a count. */
export class PanelButton {
  readonly node: HTMLButtonElement;
  private readonly count = make("b", "count");
  /** What is counted, for screen readers. */
  private readonly words = make("span", "visually-hidden");

  constructor(name: PageText, drawing: SVGSVGElement) {
    const text = make("span", "");
    text.dataset["text"] = name;
    this.count.hidden = true;
    this.count.ariaHidden = "true";
    this.node = make("button", "side-button", drawing, text, this.count, this.words);
    this.node.type = "button";
  }

  /** Shows a count unless it is 0. */
  show(count: number, words: string): void {
    this.count.hidden = count === 0;
    setText(this.count, String(count));
    setText(this.words, count === 0 ? "" : words);
  }
}

/** The head of a side panel: its name and a button that closes it. */
export function panelHead(name: PageText, close: () => void): HTMLElement {
  const title = make("h2", "");
  title.dataset["text"] = name;
  const button = make("button", "toast-close side-close", "×");
  button.type = "button";
  button.dataset["label"] = "closePanel";
  button.addEventListener("click", close);
  return make("div", "panel-head", title, button);
}
