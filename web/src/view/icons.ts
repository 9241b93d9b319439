import { makeSvg } from "./dom";

/** Outlines in a box of 16 by 16. */
const PATHS = {
  chat: "M2.5 3.5h11v7.5h-6l-3 2.5v-2.5h-2z",
  map: "M2.5 3.5h11v9h-11zM8.5 3.5v9M8.5 7.5h5M11 7.5v5",
  movers: "M3 13V8M6.5 13V4.5M10 3v5.5M13.5 3v9",
  filter: "M2.5 3.5h11L9.5 8.5v4l-3 1v-5z",
  wire: "M2 5.5h10.5m-3-3 3 3-3 3M14 10.5H3.5m3-3-3 3 3 3",
  bell: "M4 11.5V7a4 4 0 0 1 8 0v4.5l1 1H3zM6.7 14.3h2.6",
  panels: "M2.5 2.5h11v11h-11zM2.5 8h11M8.5 2.5v5.5",
  pin: "M5 2.5h6l-1 4.5 2 2.5H4L6 7zM8 9.5v4.5",
  source: "M2.5 3.5h11v3.5h-11zM2.5 9h11v3.5h-11zM4.5 5.2h.01M4.5 10.8h.01",
  list: "M2.5 4h.01M5.5 4h8M2.5 8h.01M5.5 8h8M2.5 12h.01M5.5 12h8",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  plus: "M8 3v10M3 8h10",
  pencil: "M3 13l.7-3 6.8-6.8 2.3 2.3L6 12.3zM9 4.7 11.3 7",
  bin: "M3 4.5h10M6.3 4.5V2.8h3.4v1.7M4.4 4.5l.6 8.7h6l.6-8.7",
  close: "M4 4l8 8M12 4l-8 8",
  sliders: "M2 5h4.8M10.2 5H14M2 11h1.8M7.2 11H14M6.8 5a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0M3.8 11a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0",
  toEnd: "M2.5 8h8M7 4.5 10.5 8 7 11.5M13.5 3v10",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing in the colour of the text beside it. */
export function icon(name: IconName): SVGSVGElement {
  return makeSvg("svg", { class: "icon-line", viewBox: "0 0 16 16", "aria-hidden": "true" }, makeSvg("path", { d: PATHS[name] }));
}
