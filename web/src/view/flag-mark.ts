import type { Flag } from "../market";
import { makeSvg } from "./dom";

/** The shapes of flags in a box of 12 by 12, so that they differ by more than colour. */
const SHAPES: Readonly<Record<Flag, string>> = {
  red: "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9z",
  orange: "M6 1L11.5 10.5H.5z",
  green: "M2 2h8v8H2z",
  blue: "M6 .5L11.5 6L6 11.5L.5 6z",
  purple: "M6 .3L7.6 4.2L11.8 4.6L8.6 7.3L9.6 11.5L6 9.2L2.4 11.5L3.4 7.3L.2 4.6L4.4 4.2z",
};

/** The drawing of a flag; without one an outline, as a place for it. */
export function flagMark(flag: Flag | undefined): SVGSVGElement {
  const path = makeSvg("path", { d: SHAPES[flag ?? "red"] });
  return makeSvg("svg", { class: "flag-mark", viewBox: "0 0 12 12", "aria-hidden": "true", "data-flag": flag ?? "none" }, path);
}
