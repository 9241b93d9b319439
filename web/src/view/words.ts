import type { Words } from "../words";
import { setText } from "./dom";

/** Writes the page's own texts in a language: what stands in an element, and what names one. */
export function writeWords({ page, tag }: Words): void {
  const texts: Readonly<Partial<Record<string, string>>> = page;
  document.documentElement.lang = tag;
  for (const element of document.querySelectorAll<HTMLElement>("[data-word]")) {
    const text = texts[element.dataset["word"] ?? ""];
    if (text !== undefined) setText(element, text);
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) {
    const text = texts[element.dataset["label"] ?? ""];
    if (text === undefined) continue;
    element.ariaLabel = text;
    if (element instanceof HTMLButtonElement) element.title = text;
    if (element instanceof HTMLInputElement) element.placeholder = text;
  }
}
