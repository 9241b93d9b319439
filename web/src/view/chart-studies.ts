import { PriceScaleMode, type IChartApi } from "lightweight-charts";
import { formatPercent, formatRoundedPrice, NONE } from "../format";
import { changeSince, indexUntil, missesSessionStart, volumeAtPrice, type ChartLook, type ChartUpdate, type Study } from "../market";
import type { Ohlc, StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import { ComparedLines, type ComparedSymbol } from "./compared-lines";
import { make } from "./dom";
import { exchangeHours } from "./exchange";
import { IndicatorLines, indicatorsOf, type IndicatorId } from "./indicator-lines";
import { LevelLines, type Levels } from "./level-lines";
import type { Palette } from "./palette";
import type { PriceSeriesApi } from "./price-series";
import { StudyLegend, type LegendEntry } from "./study-legend";
import { VolumeProfile } from "./volume-profile";

/** Rows of volume at price. */
const PROFILE_ROWS = 40;

/** The parts of the pane above and below the prices: for the legends, at least and at most, and for the volume. */
const TOP = { least: 0.12, most: 0.4 };
const BOTTOM = 0.24;

/** Between the legends and the highest price, in px. */
const LEGEND_GAP = 8;

const NO_LEVELS: Levels = { previousClose: undefined, high: undefined, low: undefined };

/** What a chart shows: the user's choice, and the symbols that it names with their bars. */
export interface ShownLook {
  readonly look: ChartLook;
  /** The chart's own symbol. */
  readonly symbol: StockSymbol | undefined;
  readonly compared: readonly ComparedSymbol[];
  readonly intervalMs: number;
}

/** What a chart draws besides its prices and volume: indicators, lines at prices of the day, volume at price, other symbols. */
export class ChartStudies {
  /** Holds the legend of prices above that of the studies. */
  readonly legends: HTMLElement;
  private readonly legend = new StudyLegend();
  private legendsHeight = 0;
  private top = 0;
  private readonly chart: IChartApi;
  private readonly indicators: IndicatorLines;
  private readonly compared: ComparedLines;
  private readonly levelLines = new LevelLines();
  private readonly profile = new VolumeProfile();
  private palette: Palette;
  private studies: readonly Study[] = [];
  private symbol: StockSymbol | undefined;
  private levels = NO_LEVELS;
  private bars: readonly Ohlc[] = [];
  /** The times in view for which volume at price was drawn; undefined if bars changed since. */
  private profiled: string | undefined;

  /** `legend` is that of the prices. */
  constructor(chart: IChartApi, palette: Palette, legend: HTMLElement) {
    this.chart = chart;
    this.legends = make("div", "legends", legend, this.legend.node);
    new ResizeObserver(([entry]) => {
      this.legendsHeight = entry?.contentRect.height ?? 0;
      this.drawMargin();
    }).observe(this.legends);
    this.palette = palette;
    this.indicators = new IndicatorLines(chart);
    this.compared = new ComparedLines(chart);
  }

  /** Draws on this series of prices from now on. */
  attach(prices: PriceSeriesApi): void {
    this.levelLines.attach(prices);
    prices.attachPrimitive(this.profile);
    this.profiled = undefined;
  }

  /** Shows another choice. All bars have to be applied then. */
  show({ look, symbol, compared, intervalMs }: ShownLook): void {
    const isComparing = compared.length > 0;
    this.studies = look.studies;
    this.symbol = symbol;
    this.indicators.show(indicatorsOf(look.studies, intervalMs, isComparing), this.palette);
    this.compared.show(compared, this.palette);
    this.chart.priceScale("right").applyOptions({ mode: isComparing ? PriceScaleMode.Percentage : PriceScaleMode.Normal });
    this.profiled = undefined;
  }

  /** Sets the prices of the day, of which the chosen ones are shown. */
  setLevels(levels: Levels): void {
    this.levels = levels;
  }

  /** Draws what changed in the chart's bars, which are these now, or in those of another symbol. */
  apply(bars: readonly Ohlc[], update: ChartUpdate): void {
    this.bars = bars;
    this.indicators.apply(update);
    this.compared.apply(bars, update);
    if (update.kind !== "none") this.profiled = undefined;
  }

  /** Draws the rest, with the values at this bar in the legend. */
  draw(bar: Ohlc | undefined, strings: Strings): void {
    const { previousClose, high, low } = this.levels;
    const shown = { ...(this.studies.includes("previousClose") ? { previousClose } : {}), ...(this.studies.includes("dayRange") ? { high, low } : {}) };
    this.drawMargin();
    this.levelLines.show(shown, strings.chart.levels, this.palette);
    const view = this.chart.timeScale().getVisibleRange();
    const [from, to] = [Number(view?.from ?? 0) * 1_000, Number(view?.to ?? 0) * 1_000];
    this.drawProfile(from, to);
    this.legend.draw(bar === undefined ? [] : [...this.comparedEntries(from, bar), ...this.indicatorEntries(bar, strings)]);
  }

  restyle(palette: Palette): void {
    this.palette = palette;
    this.indicators.restyle(palette);
    this.compared.restyle(palette);
    this.levelLines.restyle(palette);
    this.profiled = undefined;
  }

  /** Keeps the prices below the legends. */
  private drawMargin(): void {
    const { height } = this.chart.paneSize(0);
    const top = Math.min(TOP.most, Math.max(TOP.least, height === 0 ? 0 : (this.legendsHeight + LEGEND_GAP) / height));
    if (Math.abs(top - this.top) < 0.005) return;
    this.top = top;
    this.chart.priceScale("right").applyOptions({ scaleMargins: { top, bottom: BOTTOM } });
  }

  /** Volume at price of the bars in view. */
  private drawProfile(from: number, to: number): void {
    const view = this.studies.includes("volumeAtPrice") ? `${from} ${to}` : "none";
    if (view === this.profiled) return;
    this.profiled = view;
    const bars = view === "none" ? [] : this.bars.slice(indexUntil(this.bars, from - 1) + 1, indexUntil(this.bars, to) + 1);
    this.profile.show(volumeAtPrice(bars, PROFILE_ROWS), this.palette);
  }

  private indicatorEntries({ time }: Ohlc, strings: Strings): readonly LegendEntry[] {
    return this.indicators.shown.map(({ id, line }) => {
      const { short } = strings.chart.studies[id];
      const since = id === "vwap" ? missesSessionStart(this.bars, time, exchangeHours) : undefined;
      return { name: since === undefined ? short : strings.chart.since(short, strings.times.minute(since)), value: textOf(id, this.indicators.valueAt(id, time)), line };
    });
  }

  /** The changes in per cent since the first bar in view, of the chart's symbol too. */
  private comparedEntries(from: number, { time }: Ohlc): readonly LegendEntry[] {
    const { shown } = this.compared;
    if (shown.length === 0) return [];
    const text = (bars: readonly Ohlc[]) => {
      const change = changeSince(bars, from, time);
      return change === undefined ? NONE : formatPercent(change);
    };
    return [{ name: this.symbol ?? "", value: text(this.bars), line: undefined }, ...shown.map(({ symbol, series, line }) => ({ name: symbol, value: text(series.all), line }))];
  }
}

function textOf(id: IndicatorId, value: number | undefined): string {
  if (value === undefined) return NONE;
  return id === "rsi" ? value.toFixed(1) : formatRoundedPrice(value);
}
