/** The chart's colours from the style sheet. The chart draws on a canvas, which CSS does not reach. */
export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly up: string;
  readonly down: string;
  readonly volumeUp: string;
  readonly volumeDown: string;
  readonly crosshair: string;
  readonly label: string;
  readonly font: string;
  readonly textPx: number;
}

/** Reads the current colours. `light-dark()` colours are only resolved on an element, so a probe element is used. */
export function readPalette(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const root = getComputedStyle(document.documentElement);
  const palette = {
    text: colour("--muted"),
    line: colour("--grid"),
    up: colour("--up"),
    down: colour("--down"),
    volumeUp: colour("--volume-up"),
    volumeDown: colour("--volume-down"),
    crosshair: colour("--crosshair"),
    label: colour("--label"),
    font: root.fontFamily,
    textPx: Number.parseFloat(root.fontSize),
  };
  probe.remove();
  return palette;
}

/** Calls back when the system switches between dark and light; returns a function that removes the listener. */
export function onSystemTheme(changed: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    dark.removeEventListener("change", changed);
  };
}
