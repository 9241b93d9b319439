import {
  createChart,
  HistogramSeries,
  type HistogramData,
  type IChartApi,
  type ISeriesApi,
  type LogicalRange,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { indexUntil, type BarSeries, type ChartUpdate } from "../market";
import type { Ohlc } from "@tapecast/client";
import type { Strings } from "../strings";
import { AlertLines, type AlertLinesActions } from "./alert-lines";
import { boundedPosition, RIGHT_MARGIN } from "./chart-bounds";
import { ChartStudies, type ShownLook } from "./chart-studies";
import { make, setText } from "./dom";
import { HistoryStart } from "./history-start";
import { icon } from "./icons";
import { LastPrice } from "./last-price";
import { Legend } from "./legend";
import { makeButton } from "./panel-parts";
import type { Levels } from "./level-lines";
import { readPalette, type Palette } from "./palette";
import { PriceSeries, secondsOf } from "./price-series";
import { SessionShading } from "./session-shading";
import { NO_MARKS, TimeAxis } from "./time-axis";

/** Older bars are requested when fewer than this remain to the left of the visible range. */
const OLDER_BARS_MARGIN = 40;

/** What a chart needs from its panel. */
export interface ChartActions {
  /** The chart was scrolled near its first bar. */
  readonly requestOlder: () => void;
  readonly invalidate: () => void;
  /** The user pointed at the bar of this moment, or at none. */
  readonly pointed: (ms: number | undefined) => void;
  readonly alerts: AlertLinesActions;
}

/** A chart of prices with volume, of one series at a time. */
export class Chart {
  private readonly box = make("div", "chart price-drawing");
  private readonly empty = make("p", "chart-empty");
  private readonly latest = makeButton("latest");
  private readonly legend = new Legend();
  private readonly alerts: AlertLines;
  private readonly axis: TimeAxis;
  private readonly shading = new SessionShading();
  private readonly start = new HistoryStart();
  private readonly lastPrice = new LastPrice();
  private readonly chart: IChartApi;
  private readonly prices: PriceSeries;
  private readonly studies: ChartStudies;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly requestOlder: () => void;
  private readonly invalidate: () => void;
  private palette: Palette = readPalette();
  private series: BarSeries | undefined;
  private isNew = true;
  /** Another look was chosen and is not drawn yet. */
  private look: ShownLook | undefined;
  private isPaused = false;
  /** The first and the last bar drawn. */
  private drawn: { readonly oldest: Ohlc | undefined; readonly newest: Ohlc | undefined } = { oldest: undefined, newest: undefined };
  private range: LogicalRange | null = null;
  private isBounding = false;

  /** Makes its nodes in `parent`, which is in the page already. */
  constructor(parent: HTMLElement, { requestOlder, invalidate, pointed, alerts }: ChartActions) {
    this.requestOlder = requestOlder;
    this.invalidate = invalidate;
    this.latest.hidden = true;
    this.latest.append(icon("toEnd"));
    this.box.role = "img";
    parent.append(this.box, this.start.node, this.empty, this.latest);
    this.chart = createChart(this.box, {
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        // The logo has an inline style, which the content security policy forbids. The footer credits the library.
        attributionLogo: false,
      },
      rightPriceScale: { borderVisible: false },
      timeScale: {
        borderVisible: false,
        rightOffset: RIGHT_MARGIN,
        barSpacing: 7,
        ...NO_MARKS,
      },
      localization: { timeFormatter: (time: Time) => this.axis.describe(time) },
      // On small screens a vertical drag scrolls the page.
      handleScroll: { vertTouchDrag: false },
    });
    this.prices = new PriceSeries(this.chart, this.palette);
    this.lastPrice.attach(this.prices.api);
    this.chart.panes()[0]?.attachPrimitive(this.shading);
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.axis = new TimeAxis(this.chart, this.volumes);
    this.studies = new ChartStudies(this.chart, this.palette, this.legend.node);
    this.studies.attach(this.prices.api);
    parent.append(this.axis.node, this.studies.legends);
    const { prices, chart } = this;
    const yOf = (price: number) => {
      const y = prices.api.priceToCoordinate(price);
      // Below the prices may be the pane of an indicator.
      return y === null || y > chart.paneSize(0).height ? undefined : y;
    };
    const scale = { yOf, priceAt: (y: number) => prices.api.coordinateToPrice(y) ?? undefined };
    this.alerts = new AlertLines(this.box, scale, alerts);
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.range = range;
      this.keepInBounds();
      invalidate();
    });
    this.chart.subscribeCrosshairMove(({ time, sourceEvent }) => {
      const ms = time === undefined ? undefined : Number(time) * 1000;
      this.legend.point(ms === undefined ? undefined : this.barAt(ms));
      invalidate();
      // One that another chart set has no event.
      if (sourceEvent !== undefined) pointed(ms);
    });
    this.latest.addEventListener("click", () => {
      this.chart.timeScale().scrollToRealTime();
    });
    this.updateColours();
  }

  /** Shows a series. Another one ends a pause, which concerned the previous series. */
  choose(series: BarSeries | undefined, label: string): void {
    this.box.ariaLabel = label;
    if (series === this.series && series !== undefined) return;
    this.series = series;
    this.isNew = true;
    this.isPaused = false;
    this.legend.point(undefined);
  }

  /** Draws this choice of the user from the next drawing on. */
  setLook(look: ShownLook): void {
    this.look = look;
  }

  /** Sets the prices of the day, of which the chosen ones are shown. */
  setLevels(levels: Levels): void {
    this.studies.setLevels(levels);
  }

  /** Puts the crosshair on the bar of this moment, as that of another chart; takes it away if there is none. */
  pointAt(ms: number | undefined): void {
    const bar = ms === undefined || this.drawn.newest === undefined ? undefined : this.lastUntil(ms);
    this.legend.point(bar);
    this.invalidate();
    if (bar === undefined) this.chart.clearCrosshairPosition();
    else this.chart.setCrosshairPosition(bar.close, secondsOf(bar), this.prices.api);
  }

  /** Pauses or resumes updates. The crosshair and scrolling work in both states. */
  setUpdates(state: "paused" | "running"): void {
    this.isPaused = state === "paused";
  }

  /** Draws what changed. `emptyText` says why there is no bar, if there is none. */
  draw(strings: Strings, emptyText: string, history: "complete" | "partial"): void {
    setText(this.empty, emptyText);
    this.shading.show(this.series?.all ?? [], this.series?.intervalMs ?? 0);
    this.axis.show(this.series?.all ?? [], this.series?.intervalMs ?? 0, strings);
    const isLookNew = this.look !== undefined;
    this.drawLook();
    const { toLatest } = strings.page;
    if (this.latest.title !== toLatest) Object.assign(this.latest, { ariaLabel: toLatest, title: toLatest });
    if (this.isNew) {
      this.drawAll();
      this.chart.timeScale().resetTimeScale();
      this.isNew = false;
    } else if (isLookNew) {
      this.drawAll();
    } else if (this.series !== undefined && this.acceptsUpdate(this.series)) {
      this.apply(this.series.takeUpdate());
    }
    this.legend.draw(this.drawn.newest, strings);
    this.studies.draw(this.legend.shown, strings);
    this.alerts.draw();
    this.drawEnds(strings, history);
    this.checkRange();
  }

  /** Reads the colours from the style sheet. To be called when the theme changes. */
  updateColours(): void {
    this.palette = readPalette();
    const { text, textPx, line, font, crosshair, label } = this.palette;
    this.chart.applyOptions({
      layout: { textColor: text, fontFamily: font, fontSize: Math.round(textPx * 0.85), panes: { separatorColor: line, separatorHoverColor: line } },
      // Wide enough for five digits before the point, so that longer prices do not resize the chart.
      rightPriceScale: { minimumWidth: Math.round(textPx * 6.2) },
      grid: { vertLines: { visible: false }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: crosshair, labelBackgroundColor: label },
        horzLine: { color: crosshair, labelBackgroundColor: label },
      },
    });
    this.shading.setColours(this.palette);
    this.axis.setColours(this.palette);
    this.prices.restyle(this.palette);
    this.studies.restyle(this.palette);
    // Each volume bar carries its own colour.
    this.drawAll();
  }

  /** Draws the look that was chosen, without its bars. */
  private drawLook(): void {
    if (this.look === undefined) return;
    if (this.prices.setStyle(this.look.look.style)) {
      this.studies.attach(this.prices.api);
      this.lastPrice.attach(this.prices.api);
    }
    this.studies.show(this.look);
    this.look = undefined;
  }

  private apply(update: ChartUpdate): void {
    switch (update.kind) {
      case "none":
        break;
      case "all":
        this.replaceBars(update.bars);
        break;
      case "tail":
        for (const bar of update.bars) {
          this.prices.update(bar);
          this.volumes.update(this.volumeOf(bar));
        }
        break;
    }
    this.studies.apply(this.series?.all ?? [], update);
    if (update.kind === "none") return;
    this.drawn = { oldest: this.series?.all[0], newest: update.bars.at(-1) };
    this.empty.hidden = update.bars.length > 0;
  }

  /** A paused chart takes no new bars, only older ones that the user scrolled back to. */
  private acceptsUpdate({ oldest }: BarSeries): boolean {
    return !this.isPaused || oldest !== this.drawn.oldest?.time;
  }

  /** Replaces all bars. Older bars shift all indices, so the visible range is shifted with them. */
  private replaceBars(bars: readonly Ohlc[]): void {
    const [before, range] = [this.prices.count, this.chart.timeScale().getVisibleLogicalRange()];
    this.prices.setData(bars);
    this.volumes.setData(bars.map((bar) => this.volumeOf(bar)));
    const isFollowing = this.chart.timeScale().scrollPosition() >= 0;
    if (before === 0 || range === null || isFollowing) return;
    const added = bars.length - before;
    this.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
  }

  /** Shows the button that scrolls to the latest bar, and requests older bars near the first. */
  private checkRange(): void {
    const bars = this.series?.all.length ?? 0;
    const range = this.range;
    this.latest.hidden = range === null || bars === 0 || range.to >= bars - 1;
    if (range !== null && bars > 0 && range.from < OLDER_BARS_MARGIN) this.requestOlder();
  }

  /** Keeps bars in sight, wherever the chart is dragged. */
  private keepInBounds(): void {
    const { range, isBounding } = this;
    const scale = this.chart.timeScale();
    const position = scale.scrollPosition();
    if (range === null || isBounding || this.drawn.newest === undefined) return;
    const bounded = boundedPosition({ ...range, last: range.to - position });
    if (Math.abs(bounded - position) < 0.01) return;
    this.isBounding = true;
    scale.scrollToPosition(bounded, false);
    this.isBounding = false;
  }

  /** Draws the last price and, if there is nothing before it, the mark of the first bar. */
  private drawEnds({ historyStart }: Strings, history: "complete" | "partial"): void {
    const { oldest, newest } = this.drawn;
    this.lastPrice.draw(newest?.close, newest === undefined ? "" : this.prices.lastColour(newest));
    const first = history === "partial" || oldest === undefined ? null : this.chart.timeScale().timeToCoordinate(secondsOf(oldest));
    const isInSight = first !== null && oldest !== undefined && first >= 0;
    this.start.draw(isInSight ? first : undefined, this.chart.timeScale().width(), isInSight ? historyStart(this.axis.dayOf(oldest.time)) : "");
  }

  private barAt(ms: number): Ohlc | undefined {
    const bar = this.lastUntil(ms);
    return bar?.time === ms ? bar : undefined;
  }

  /** The last bar that begins at a moment or before. */
  private lastUntil(ms: number): Ohlc | undefined {
    const bars = this.series?.all ?? [];
    return bars[indexUntil(bars, ms)];
  }

  private volumeOf(bar: Ohlc): HistogramData<UTCTimestamp> {
    const color = bar.close >= bar.open ? this.palette.volumeUp : this.palette.volumeDown;
    return { time: secondsOf(bar), value: bar.volume, color };
  }

  private drawAll(): void {
    this.apply(this.series?.takeAll() ?? { kind: "all", bars: [] });
  }
}
