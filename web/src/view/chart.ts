import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  LineStyle,
  type CandlestickData,
  type HistogramData,
  type IChartApi,
  type ISeriesApi,
  type LogicalRange,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { formatDay, formatMinute, formatPrice, formatSecond } from "../format";
import { DAY_MS, type ChartUpdate, type BarSeries } from "../market";
import type { Ohlc } from "../model";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";
import { Legend } from "./legend";
import { readPalette, type Palette } from "./palette";

/** Fewer bars than this before the left edge, and older ones are asked for. */
const NEAR_THE_START = 40;

/** Candles with their volume below, of one series at a time. */
export class Chart {
  private readonly box = byId("chart", HTMLElement);
  private readonly empty = byId("chart-empty", HTMLElement);
  private readonly latest = byId("chart-latest", HTMLButtonElement);
  private readonly legend = new Legend();
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly wantsOlder: () => void;
  private palette: Palette = readPalette();
  private series: BarSeries | undefined;
  private isNew = true;
  private isHeld = false;
  /** The first and the newest bar of the picture. */
  private drawn: { readonly oldest: Ohlc | undefined; readonly newest: Ohlc | undefined } = { oldest: undefined, newest: undefined };
  private range: LogicalRange | null = null;

  constructor(wantsOlder: () => void, mark: () => void) {
    this.wantsOlder = wantsOlder;
    this.chart = createChart(this.box, {
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        // The logo would bring an inline style, which a strict content policy forbids: the footer names the library.
        attributionLogo: false,
      },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.24 } },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        secondsVisible: true,
        rightOffset: 4,
        barSpacing: 7,
        tickMarkFormatter: (time: Time) => this.label(time),
      },
      localization: { timeFormatter: (time: Time) => this.label(time), priceFormatter: formatPrice },
      // The page scrolls on a small screen; the chart must not catch it.
      handleScroll: { vertTouchDrag: false },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: false, priceLineStyle: LineStyle.Dashed });
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      this.range = range;
      mark();
    });
    this.chart.subscribeCrosshairMove(({ time }) => {
      this.legend.point(time === undefined ? undefined : this.barAt(Number(time) * 1000));
      mark();
    });
    this.latest.addEventListener("click", () => {
      this.chart.timeScale().scrollToRealTime();
    });
    this.paint();
  }

  /** Shows another series from the next drawing on. There is no picture of it yet that could be held. */
  choose(series: BarSeries | undefined, label: string, strings: Strings): void {
    this.series = series;
    this.isNew = true;
    this.isHeld = false;
    this.box.ariaLabel = label;
    this.legend.point(undefined);
    setText(this.empty, series === undefined ? strings.nothingSelected : strings.waitingForTrade);
  }

  /** Holds the picture, or lets it go on. The reader may still point at it and scroll back in it. */
  hold(is: "held" | "let go"): void {
    this.isHeld = is === "held";
  }

  draw(strings: Strings): void {
    if (this.isNew) {
      this.chart.applyOptions({ timeScale: { timeVisible: (this.series?.intervalMs ?? 0) < DAY_MS } });
      this.drawAll();
      this.chart.timeScale().resetTimeScale();
      this.isNew = false;
    } else if (this.series !== undefined && this.mayChange(this.series)) {
      this.apply(this.series.takeUpdate());
    }
    this.legend.draw(this.drawn.newest, strings);
    this.follow();
  }

  /** Takes the colours from the style sheet, anew when they have changed. */
  paint(): void {
    this.palette = readPalette();
    const { text, textPx, line, up, down, font, crosshair, label } = this.palette;
    this.chart.applyOptions({
      layout: { textColor: text, fontFamily: font, fontSize: Math.round(textPx * 0.85) },
      // Wide enough for five digits before the point: the chart does not move when a price gets its fourth.
      rightPriceScale: { minimumWidth: Math.round(textPx * 6.2) },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: crosshair, labelBackgroundColor: label },
        horzLine: { color: crosshair, labelBackgroundColor: label },
      },
    });
    this.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    // Each bar of volume has its colour in it.
    this.drawAll();
  }

  private apply(redraw: ChartUpdate): void {
    switch (redraw.kind) {
      case "none":
        return;
      case "all":
        this.keepPlace(redraw.bars);
        break;
      case "tail":
        for (const bar of redraw.bars) {
          this.candles.update(candleOf(bar));
          this.volumes.update(this.volumeOf(bar));
        }
        break;
    }
    this.drawn = { oldest: this.series?.all[0], newest: redraw.bars.at(-1) };
    this.empty.hidden = redraw.bars.length > 0;
  }

  /** A picture that is held takes no new bars, but older ones that the reader scrolled back to. */
  private mayChange({ oldest }: BarSeries): boolean {
    return !this.isHeld || oldest !== this.drawn.oldest?.time;
  }

  /** Older bars in front move all places; what the reader looks at stays where it is. */
  private keepPlace(bars: readonly Ohlc[]): void {
    const [before, range] = [this.candles.data().length, this.chart.timeScale().getVisibleLogicalRange()];
    this.candles.setData(bars.map(candleOf));
    this.volumes.setData(bars.map((bar) => this.volumeOf(bar)));
    const isFollowing = this.chart.timeScale().scrollPosition() >= 0;
    if (before === 0 || range === null || isFollowing) return;
    const added = bars.length - before;
    this.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
  }

  /** The button back to now, and the call for older bars when the reader nears the first. */
  private follow(): void {
    const bars = this.series?.all.length ?? 0;
    const range = this.range;
    this.latest.hidden = range === null || bars === 0 || range.to >= bars - 1;
    if (range !== null && bars > 0 && range.from < NEAR_THE_START) this.wantsOlder();
  }

  private barAt(ms: number): Ohlc | undefined {
    return this.series?.all.find(({ time }) => time === ms);
  }

  private volumeOf(bar: Ohlc): HistogramData<UTCTimestamp> {
    const color = bar.close >= bar.open ? this.palette.volumeUp : this.palette.volumeDown;
    return { time: secondsOf(bar), value: bar.volume, color };
  }

  private drawAll(): void {
    this.apply(this.series?.takeAll() ?? { kind: "all", bars: [] });
  }

  private label(time: Time): string {
    const ms = Number(time) * 1000;
    const interval = this.series?.intervalMs ?? 0;
    if (interval >= DAY_MS) return formatDay(ms);
    return interval < 60_000 ? formatSecond(ms) : formatMinute(ms);
  }
}

function candleOf(bar: Ohlc): CandlestickData<UTCTimestamp> {
  return { time: secondsOf(bar), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

/** The library counts in whole seconds. */
function secondsOf(bar: Ohlc): UTCTimestamp {
  return (bar.time / 1000) as UTCTimestamp;
}
