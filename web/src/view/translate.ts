import type { Strings } from "../strings";
import { setText } from "./dom";

/** Writes the static texts of the page: element contents (`data-text`) and accessible names (`data-label`). */
export function translatePage({ page, tag }: Strings): void {
  const texts: Readonly<Partial<Record<string, string>>> = page;
  document.documentElement.lang = tag;
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
    const text = texts[element.dataset["text"] ?? ""];
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
