import type { Strings } from "../strings";
import { make, setText } from "./dom";

/** The width of a printed page in landscape, in px: that of A4, which is narrower than US Letter is wide, less its margins. */
const PAPER_PX = 1_000;

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
    for (const box of document.querySelectorAll<HTMLElement>(".chart, .watchlist-box")) {
      box.style.setProperty("--print-scale", Math.min(1, PAPER_PX / box.clientWidth).toFixed(3));
      box.style.setProperty("--screen-width", `${box.clientWidth}px`);
      box.style.setProperty("--screen-height", `${box.clientHeight}px`);
    }
    // Paper is white, and the chart's canvas has the colours of the screen.
    document.documentElement.toggleAttribute("data-ink-dark", isDark());
  });
}

/** True if the page has light text on a dark ground. */
function isDark(): boolean {
  const theme = document.documentElement.dataset["theme"];
  return theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
}
