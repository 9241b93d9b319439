import type { Strings } from "../strings";
import { setText } from "./dom";

/** Writes the static texts of the page. */
export function translatePage(strings: Strings): void {
  document.documentElement.lang = strings.tag;
  translateTexts(document, strings);
}

/** Writes the static texts below a node and of it: element contents (`data-text`) and accessible names (`data-label`). */
export function translateTexts(root: Document | HTMLElement, { page: texts }: { readonly page: Readonly<Partial<Record<string, string>>> }): void {
  const own = root instanceof HTMLElement ? [root] : [];
  const elements = [...own, ...root.querySelectorAll<HTMLElement>("[data-text], [data-label]")];
  for (const element of elements) {
    const text = texts[element.dataset["text"] ?? ""];
    if (text !== undefined) setText(element, text);
    const label = texts[element.dataset["label"] ?? ""];
    if (label === undefined) continue;
    element.ariaLabel = label;
    if (element instanceof HTMLButtonElement) element.title = label;
    if (element instanceof HTMLInputElement) element.placeholder = label;
  }
}
