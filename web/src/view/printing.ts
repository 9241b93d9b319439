import type { Strings } from "../strings";
import { make, setText } from "./dom";

/** The widths on a page in landscape, of A4 or US Letter, in px: of the list, and of the chart beside the trades. */
const PAPER_PX = { ".watchlist-box": 1_000, ".chart": 700 } as const;

/**
 * Prepares the page for paper: shrinks the parts that have a fixed width on the screen to that of the paper, and writes a
 * line that says what this is and of when. The style sheet does the rest.
 */
export function listenToPrinting(strings: () => Strings): void {
  const stamp = make("p", "print-stamp");
  document.body.prepend(stamp);
  addEventListener("beforeprint", () => {
    const { printed, tag } = strings();
    setText(stamp, printed(location.href, new Date().toLocaleString(tag, { dateStyle: "medium", timeStyle: "long" })));
    for (const [selector, paperPx] of Object.entries(PAPER_PX)) shrink(selector, paperPx);
    // Paper is white, and the chart's canvas has the colours of the screen.
    document.documentElement.toggleAttribute("data-ink-dark", isDark());
  });
}

function shrink(selector: string, paperPx: number): void {
  for (const { style, clientWidth, clientHeight } of document.querySelectorAll<HTMLElement>(selector)) {
    style.setProperty("--print-scale", Math.min(1, paperPx / clientWidth).toFixed(3));
    style.setProperty("--screen-width", `${clientWidth}px`);
    style.setProperty("--screen-height", `${clientHeight}px`);
  }
}

/** True if the page has light text on a dark ground. */
function isDark(): boolean {
  const theme = document.documentElement.dataset["theme"];
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}
