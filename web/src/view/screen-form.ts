import type { Form } from "../layout";

/** Below this width the panels are below each other. */
const STACKED = "(width < 1080px)";

/** Wide and low: height is what lacks. */
const ULTRAWIDE = "(width >= 2200px) and (aspect-ratio >= 2/1)";

/** The form of the window. */
export function screenForm(): Form | "stacked" {
  if (matchMedia(STACKED).matches) return "stacked";
  return matchMedia(ULTRAWIDE).matches ? "ultrawide" : "wide";
}

/** Calls back when the window gets another form. */
export function onScreenForm(changed: () => void): void {
  for (const query of [STACKED, ULTRAWIDE]) matchMedia(query).addEventListener("change", changed);
}
