import type { StockSymbol } from "@tapecast/client";
import type { PanelSite } from "./host";

/** Where a panel over the board has the screen for itself, as in style/side.css. */
const SMALL_SCREEN = "(width < 640px)";

/** Shows a symbol that was chosen in a panel. Where that covers the chart, it makes way. */
export function visitFrom(node: HTMLElement, symbol: StockSymbol, site: PanelSite): void {
  site.visit(symbol);
  if (!node.classList.contains("side-panel") || !matchMedia(SMALL_SCREEN).matches) return;
  site.panels.close(site.id);
  site.showSelected();
}
