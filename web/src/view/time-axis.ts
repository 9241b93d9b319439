import type { IChartApiBase, IPanePrimitive, IPrimitivePaneView, ISeriesApi, ISeriesPrimitive, SeriesAttachedParameter, SeriesType, Time } from "lightweight-charts";
import type { Ohlc } from "@tapecast/client";
import { MARK_WEIGHTS, markLabel, MarkPicker, TimeFormat, UTC } from "../format";
import { DAY_MS, EXCHANGE_TIME_ZONE } from "../market";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { exchangeHours } from "./exchange";
import type { Palette } from "./palette";

type Renderer = NonNullable<ReturnType<IPrimitivePaneView["renderer"]>>;

/** The distance between two marks, in widths of a figure: `14:30:05`, or a date in bold type, and a gap. */
const DISTANCE_FIGURES = 12;

/** As the library's other texts: below the axis, on the middle of its height. */
const LINE = "middle";

/** Options of the library's time axis and grid, whose marks are at any bars: ours are drawn instead. */
export const NO_MARKS = { tickMarkFormatter: () => "" } as const;

/**
 * The marks of a chart's time axis at round times of the zone, with their lines in the panes, and the zone's name in its
 * corner.
 */
export class TimeAxis {
  readonly node = make("span", "chart-zone");
  private readonly chart: IChartApiBase;
  private readonly picker = new MarkPicker();
  private readonly lines: IPanePrimitive;
  private readonly panes = new WeakSet();
  private requestUpdate: () => void = () => undefined;
  private times = new TimeFormat(UTC, "en");
  private strings: Strings | undefined;
  private bars: readonly Ohlc[] = [];
  private intervalMs = 0;
  private palette: Palette | undefined;

  /** A series of the chart carries the texts: the library has no such place of its own. */
  constructor(chart: IChartApiBase, carrier: ISeriesApi<SeriesType>) {
    this.chart = chart;
    const lines = view({
      draw: (target) => {
        target.useMediaCoordinateSpace(({ context, mediaSize }) => {
          context.fillStyle = this.palette?.line ?? "";
          for (const { x } of this.marksInSight()) context.fillRect(Math.round(x), 0, 1, mediaSize.height);
        });
      },
    });
    const texts = view({
      draw: (target) => {
        target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
          this.drawTexts(context, width, height);
        });
      },
    });
    this.lines = { paneViews: () => lines };
    const labels: ISeriesPrimitive = {
      timeAxisPaneViews: () => texts,
      attached: ({ requestUpdate }: SeriesAttachedParameter) => {
        this.requestUpdate = requestUpdate;
      },
    };
    carrier.attachPrimitive(labels);
  }

  setColours(palette: Palette): void {
    this.palette = palette;
  }

  /** Shows the times of bars of this length, in the language and the zone. Later bars may appear among them. */
  show(bars: readonly Ohlc[], intervalMs: number, strings: Strings): void {
    this.drawLines();
    this.bars = bars;
    if (this.strings === strings && this.intervalMs === intervalMs) return;
    this.strings = strings;
    this.intervalMs = intervalMs;
    const { times } = strings;
    // A daily bar starts at midnight in New York, which is the same date in UTC.
    this.times = this.isDaily ? new TimeFormat(UTC, strings.tag) : times;
    this.node.hidden = this.isDaily;
    setText(this.node, zoneLabel(strings));
    this.node.title = `${times.zone.name.replaceAll("_", " ")} · ${times.zoneName(Date.now())}`;
    this.requestUpdate();
  }

  /** The date of a bar. */
  dayOf(ms: number): string {
    return this.times.fullDay(ms);
  }

  /** The text at the crosshair: the bar's time, with the part of the session if it is not that of regular hours. */
  describe(time: Time): string {
    const ms = Number(time) * 1_000;
    const { times, intervalMs, strings } = this;
    if (this.isDaily) return this.dayOf(ms);
    const text = `${times.day(ms)} ${intervalMs < 60_000 ? times.second(ms) : times.minute(ms)}`;
    const part = exchangeHours.partOf(ms, intervalMs);
    return strings === undefined || part === "regular" ? text : `${text} · ${strings.sessionParts[part]}`;
  }

  /** Draws the lines in each pane. */
  private drawLines(): void {
    for (const pane of this.chart.panes()) {
      if (this.panes.has(pane)) continue;
      this.panes.add(pane);
      pane.attachPrimitive(this.lines);
    }
  }

  private drawTexts(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { palette } = this;
    if (palette === undefined) return;
    const bars = this.isDaily ? "daily" : "intraday";
    const bold = this.isDaily ? MARK_WEIGHTS.year : MARK_WEIGHTS.day;
    context.textAlign = "center";
    context.textBaseline = LINE;
    context.fillStyle = palette.text;
    for (const { x, time, weight } of this.marksInSight()) {
      const text = markLabel(weight, time, this.times, bars);
      context.font = `${weight >= bold ? "bold " : ""}${this.fontPx}px ${palette.font}`;
      const half = context.measureText(text).width / 2;
      if (x >= half && x + half <= width) context.fillText(text, x, height / 2);
    }
  }

  private marksInSight(): readonly { readonly x: number; readonly time: number; readonly weight: number }[] {
    const { bars, intervalMs, times: { zone } } = this;
    const scale = this.chart.timeScale();
    const range = scale.getVisibleRange();
    if (range === null || intervalMs === 0) return [];
    const distance = Math.ceil((DISTANCE_FIGURES * 0.6 * this.fontPx) / scale.options().barSpacing);
    return this.picker.pick(bars, { intervalMs, zone, distance }).flatMap(({ time, weight }) => {
      if (time < Number(range.from) * 1_000 || time > Number(range.to) * 1_000) return [];
      const x = scale.timeToCoordinate((time / 1_000) as Time);
      return x === null ? [] : [{ x, time, weight }];
    });
  }

  private get fontPx(): number {
    return this.chart.options().layout.fontSize;
  }

  private get isDaily(): boolean {
    return this.intervalMs >= DAY_MS;
  }
}

/** A view behind everything else. The library wants the same list each time. */
function view(renderer: Renderer): readonly IPrimitivePaneView[] {
  return [{ zOrder: () => "bottom", renderer: () => renderer }];
}

/** The zone's name on the axis. */
function zoneLabel({ times, cities }: Strings): string {
  if (times.zone.name === EXCHANGE_TIME_ZONE) return cities["new-york"];
  return times.zone.name === UTC.name ? UTC.name : times.zoneName(Date.now());
}
