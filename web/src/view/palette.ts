/** The colours that the chart needs, read from the style sheet: it draws on a canvas, where CSS does not reach. */
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

/** What the names stand for at this moment: a colour that depends on dark or light is settled by an element that wears it. */
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

/** Calls back when the system changes between dark and light; the answer stops it. */
export function onSystemTheme(changed: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", changed);
  return () => {
    dark.removeEventListener("change", changed);
  };
}
