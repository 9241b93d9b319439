import type { Counters } from "@tapecast/client";
import { formatBytes, formatCount, formatShort, formatSpan } from "../format";
import { EDGES_MS, HISTOGRAM_BARS, type Reading, type Totals } from "../market";
import type { PageText } from "../strings";
import { make, makeSvg, setText } from "./dom";
import { panelSection, translated } from "./panel-parts";

const WIDTH = 300;
const HEIGHT = 56;

/** The counters, in their order, and those that have a rate too. */
const COUNTERS = ["frames", "bytes", "conflated", "missed", "recovered", "connections"] as const satisfies readonly PageText[];
const WITH_RATE: readonly (typeof COUNTERS)[number][] = ["frames", "bytes", "conflated"];

/** The counters and rates of the stream and a live latency histogram. */
export class StreamView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly bars: readonly SVGRectElement[];
  private readonly nodes = new Map<string, HTMLElement>();

  constructor() {
    const { node, head } = panelSection("stream-panel", "stream", translated("small", "", "session"));
    this.node = node;
    this.head = head;
    const step = WIDTH / HISTOGRAM_BARS;
    this.bars = Array.from({ length: HISTOGRAM_BARS }, (_, at) => makeSvg("rect", { x: at * step + 0.5, width: step - 1, y: HEIGHT, height: 0 }));
    const histogram = makeSvg("svg", { class: "price-drawing", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...this.bars);
    const axis = make("div", "axis", ...EDGES_MS.map((ms) => make("span", "", formatSpan(ms).replace(".0 ", " "))));
    axis.ariaHidden = "true";
    const figure = make("figure", "histogram", translated("figcaption", "", "latency"));
    figure.append(histogram, axis);
    node.append(figure, make("dl", "counters", ...COUNTERS.map((name) => this.counterOf(name))));
  }

  private counterOf(name: (typeof COUNTERS)[number]): HTMLElement {
    const [count, rate] = [make("span", "", "0"), make("small", "")];
    count.id = `count-${name}`;
    this.nodes.set(`count-${name}`, count).set(`rate-${name}`, rate);
    const value = make("dd", "", count, ...(WITH_RATE.includes(name) ? [rate] : []));
    value.dataset["price"] = "";
    return make("div", "", translated("dt", "", name), value);
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
    const node = this.nodes.get(id);
    if (node !== undefined) setText(node, text);
  }
}
