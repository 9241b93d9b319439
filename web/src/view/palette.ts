/** The colours that the chart needs, read from the style sheet: it draws on a canvas, where CSS does not reach. */
export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly up: string;
  readonly down: string;
  readonly volumeUp: string;
  readonly volumeDown: string;
  readonly font: string;
}

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour("--muted"),
    line: colour("--grid"),
    up: colour("--up"),
    down: colour("--down"),
    volumeUp: colour("--volume-up"),
    volumeDown: colour("--volume-down"),
    font: style.fontFamily,
  };
}

/** Calls back when the system changes between dark and light; the answer stops it. */
export function onPaletteChange(changed: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    dark.removeEventListener("change", changed);
  };
}
