import type { Counters } from "@tapecast/client";
import { formatBytes, formatCount, formatShort, formatSpan } from "../format";
import { EDGES_MS, HISTOGRAM_BARS, type Reading, type Totals } from "../market";
import { byId, make, makeSvg, setText } from "./dom";

const WIDTH = 300;
const HEIGHT = 56;

/** The counters and rates of the stream and a live latency histogram. */
export class StreamPanel {
  private readonly bars: readonly SVGRectElement[];
  private readonly nodes = new Map<string, HTMLElement>();

  constructor() {
    const step = WIDTH / HISTOGRAM_BARS;
    this.bars = Array.from({ length: HISTOGRAM_BARS }, (_, at) => makeSvg("rect", { x: at * step + 0.5, width: step - 1, y: HEIGHT, height: 0 }));
    byId("histogram", SVGSVGElement).append(...this.bars);
    byId("histogram-axis", HTMLElement).append(...EDGES_MS.map((ms) => make("span", "", formatSpan(ms).replace(".0 ", " "))));
  }

  /** `healed` of the missed objects were recovered later, by REST. */
  draw(counters: Readonly<Counters>, healed: number, rates: Totals, { histogram, p50, p99 }: Reading): void {
    this.drawBars(histogram, [p50, p99]);
    this.set("count-frames", formatShort(counters.frames));
    this.set("count-bytes", formatBytes(counters.bytes));
    this.set("count-conflated", formatShort(counters.conflated));
    this.set("count-missed", formatCount(counters.missed - healed));
    this.set("count-recovered", formatCount(counters.recovered + healed));
    this.set("count-connections", formatCount(counters.connections));
    this.set("rate-frames", `${formatCount(rates.frames)}/s`);
    this.set("rate-bytes", `${formatBytes(rates.bytes)}/s`);
    this.set("rate-conflated", `${formatCount(rates.conflated)}/s`);
  }

  /** The highest bar has the full height. Bars up to p50, up to p99 and above differ in colour. */
  private drawBars(histogram: readonly number[], [p50, p99]: readonly (number | undefined)[]): void {
    const highest = Math.max(1, ...histogram);
    const perEdge = HISTOGRAM_BARS / (EDGES_MS.length - 1);
    this.bars.forEach((bar, at) => {
      const height = ((histogram[at] ?? 0) / highest) * HEIGHT;
      const shown = height > 0 ? Math.max(1.5, height) : 0;
      const from = EDGES_MS[0] * 10 ** (at / perEdge);
      bar.setAttribute("y", (HEIGHT - shown).toFixed(1));
      bar.setAttribute("height", shown.toFixed(1));
      bar.dataset["part"] = from <= (p50 ?? 0) ? "to-p50" : from <= (p99 ?? 0) ? "to-p99" : "above-p99";
    });
  }

  private set(id: string, text: string): void {
    const node = this.nodes.get(id) ?? byId(id, HTMLElement);
    this.nodes.set(id, node);
    setText(node, text);
  }
}
