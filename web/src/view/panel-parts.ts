import type { PageText } from "../strings";
import { make } from "./dom";

/** The button of a side panel: a drawing, a name and a count. */
export function panelButton(name: PageText, drawing: SVGSVGElement, count: HTMLElement): HTMLButtonElement {
  const text = make("span", "");
  text.dataset["text"] = name;
  count.hidden = true;
  const button = make("button", "side-button", drawing, text, count);
  button.type = "button";
  return button;
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
