/** The chart's colours from the style sheet. The chart draws on a canvas, which CSS does not reach. */
export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly up: string;
  readonly down: string;
  /** The body of a rising candle: of the background's colour where only shape tells up from down. */
  readonly upBody: string;
  readonly volumeUp: string;
  readonly volumeDown: string;
  readonly preMarket: string;
  readonly afterHours: string;
  readonly closed: string;
  /** Prices as a line, and the area below it. */
  readonly strong: string;
  readonly area: string;
  /** Lines over prices, by number. */
  readonly lines: readonly [string, string, string, string];
  /** Volume at price. */
  readonly profileUp: string;
  readonly profileDown: string;
  readonly crosshair: string;
  readonly label: string;
  readonly font: string;
  readonly textPx: number;
}

/** Faint, because prices are drawn over it. */
const FORCED_PROFILE = "color-mix(in srgb, GrayText 40%, Canvas)";

/** The system's colours of those that are not text in high contrast. Rising volume is outlined by its faintness. */
const FORCED: Readonly<Partial<Record<string, string>>> = {
  "--panel": "Canvas",
  "--grid": "Canvas",
  "--pre-market": "Canvas",
  "--after-hours": "Canvas",
  "--exchange-closed": "Canvas",
  "--volume-up": "GrayText",
  "--area": "Canvas",
  "--profile-up": FORCED_PROFILE,
  "--profile-down": FORCED_PROFILE,
  "--crosshair": "GrayText",
  "--label": "Highlight",
};

/** Reads the current colours. `light-dark()` colours are only resolved on an element, so a probe element is used. */
export function readPalette(): Palette {
  const probe = document.createElement("span");
  const isForced = matchMedia("(forced-colors: active)").matches;
  probe.style.setProperty("forced-color-adjust", "none");
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = isForced ? (FORCED[name] ?? "CanvasText") : `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const root = getComputedStyle(document.documentElement);
  const palette = {
    text: colour("--muted"),
    line: colour("--grid"),
    up: colour("--up"),
    down: colour("--down"),
    upBody: colour(isForced ? "--panel" : "--up"),
    volumeUp: colour("--volume-up"),
    volumeDown: colour("--volume-down"),
    preMarket: colour("--pre-market"),
    afterHours: colour("--after-hours"),
    closed: colour("--exchange-closed"),
    strong: colour("--text"),
    area: colour("--area"),
    lines: [colour("--line-1"), colour("--line-2"), colour("--line-3"), colour("--line-4")] as const,
    profileUp: colour("--profile-up"),
    profileDown: colour("--profile-down"),
    crosshair: colour("--crosshair"),
    label: colour("--label"),
    font: root.fontFamily,
    textPx: Number.parseFloat(root.fontSize),
  };
  probe.remove();
  return palette;
}

/** Calls back when the system switches between dark and light, or to or from high contrast, and when the typeface is loaded. */
export function onSystemStyle(changed: () => void): void {
  document.fonts.addEventListener("loadingdone", changed);
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", changed);
}
