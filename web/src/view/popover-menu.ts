import type { PageText } from "../strings";
import { make } from "./dom";

/** A menu that a button opens. It is filled each time that it opens. */
export function popoverMenu(button: HTMLButtonElement, className: string, label: PageText, fill: () => void): HTMLElement {
  const menu = make("div", `popover ${className}`.trim());
  Object.assign(menu, { popover: "auto", role: "dialog" });
  menu.dataset["label"] = label;
  button.popoverTargetElement = menu;
  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") fill();
  });
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

/** Room that a menu needs below its button. */
const MENU_PX = 300;

/** Puts a popover below a button, or above it at the lower edge of the window, with its right edge at that of the button. */
export function placeBelow(popover: HTMLElement, button: HTMLElement): void {
  const { top, bottom, right } = button.getBoundingClientRect();
  const { innerWidth: width, innerHeight: height } = button.ownerDocument.defaultView ?? window;
  const isBelow = bottom + MENU_PX < height;
  popover.style.inset = isBelow ? `${bottom + 4}px ${Math.max(4, width - right)}px auto auto` : `auto ${Math.max(4, width - right)}px ${height - top + 4}px auto`;
}
