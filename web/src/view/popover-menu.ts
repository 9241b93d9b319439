import type { PageText } from "../strings";
import { make } from "./dom";
import { makeButton } from "./panel-parts";

/** A menu that a button opens. It is filled each time that it opens. */
export function popoverMenu(button: HTMLButtonElement, className: string, label: PageText, fill: () => void): HTMLElement {
  const menu = make("div", `popover ${className}`.trim());
  Object.assign(menu, { popover: "auto", role: "dialog" });
  menu.dataset["label"] = label;
  button.popoverTargetElement = menu;
  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") fill();
  });
  openAt(menu, button);
  return menu;
}

/** A checkbox with its name in a menu. */
export function menuCheckbox(name: string, isChecked: boolean, changed: (isChecked: boolean) => void): { readonly label: HTMLElement; readonly input: HTMLInputElement } {
  const input = make("input", "");
  Object.assign(input, { type: "checkbox", checked: isChecked });
  input.addEventListener("change", () => {
    changed(input.checked);
  });
  return { label: make("label", "column-choice", input, name), input };
}

/** A choice of a menu: it closes the menu, then runs. */
export function menuChoice(name: string, close: () => void, run: () => void): HTMLButtonElement {
  const button = makeButton("menu-choice");
  button.textContent = name;
  button.addEventListener("click", () => {
    close();
    run();
  });
  return button;
}

/** The distance of a popover to its button and to the edges of the window, in px. */
const GAP_PX = 4;

/** Opens a popover at its button. */
export function openAt(popover: HTMLElement, button: HTMLElement): void {
  popover.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") placeAt(popover, button);
  });
}

/**
 * Puts a popover below its button, or above it where there is more room, on the side of the button that leads to the
 * middle of the window. It covers the button only if it fits on neither side.
 */
function placeAt(popover: HTMLElement, button: HTMLElement): void {
  const { top, bottom, left, right } = button.getBoundingClientRect();
  const { innerWidth, innerHeight } = button.ownerDocument.defaultView ?? window;
  const { width, height } = sizeOf(popover);
  const isBelow = bottom + GAP_PX + height <= innerHeight - GAP_PX || innerHeight - bottom >= top;
  const x = left + right > innerWidth ? right - width : left;
  const y = isBelow ? bottom + GAP_PX : top - GAP_PX - height;
  const start = within(y, innerHeight - height);
  popover.style.inset = `${start}px auto auto ${within(x, innerWidth - width)}px`;
  // It may grow while it is open.
  popover.style.maxHeight = `${innerHeight - start - GAP_PX}px`;
}

const within = (start: number, most: number): number => Math.max(GAP_PX, Math.min(start, most - GAP_PX));

/** The size that a closed popover will have. */
function sizeOf(popover: HTMLElement): DOMRect {
  Object.assign(popover.style, { display: "block", maxHeight: "" });
  const size = popover.getBoundingClientRect();
  popover.style.display = "";
  return size;
}
