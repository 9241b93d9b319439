import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type CandlestickData,
  type HistogramData,
  type IChartApi,
  type ISeriesApi,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { formatMinute, formatPrice, formatSecond } from "../format";
import type { Redraw, Series } from "../market";
import type { Ohlc } from "../model";
import { byId, setText } from "./dom";
import { onPaletteChange, readPalette, type Palette } from "./palette";

/** Candles with their volume below, of one series at a time. */
export class Chart {
  private readonly box = byId("chart", HTMLElement);
  private readonly empty = byId("chart-empty", HTMLElement);
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private palette: Palette = readPalette();
  private series: Series | undefined;
  private isNew = true;

  constructor() {
    this.chart = createChart(this.box, {
      autoSize: true,
      layout: {
        background: { color: "transparent" },
        // The logo would bring an inline style, which a strict content policy forbids: the footer names the library.
        attributionLogo: false,
      },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.08, bottom: 0.24 } },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        secondsVisible: true,
        rightOffset: 3,
        barSpacing: 9,
        tickMarkFormatter: (time: Time) => this.label(time),
      },
      localization: { timeFormatter: (time: Time) => this.label(time), priceFormatter: formatPrice },
      // The page scrolls on a small screen; the chart must not catch it.
      handleScroll: { vertTouchDrag: false },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.paint();
    onPaletteChange(() => {
      this.paint();
    });
  }

  /** Shows another series from the next drawing on. */
  choose(series: Series | undefined, label: string): void {
    this.series = series;
    this.isNew = true;
    this.box.ariaLabel = label;
    setText(this.empty, series === undefined ? "No symbol is selected" : "Waiting for the first trade");
  }

  draw(): void {
    if (this.isNew) {
      this.drawAll();
      this.chart.timeScale().resetTimeScale();
      this.isNew = false;
    } else if (this.series !== undefined) {
      this.apply(this.series.takeRedraw());
    }
  }

  private apply(redraw: Redraw): void {
    switch (redraw.what) {
      case "nothing":
        return;
      case "all":
        this.candles.setData(redraw.bars.map(candleOf));
        this.volumes.setData(redraw.bars.map((bar) => this.volumeOf(bar)));
        break;
      case "tail":
        for (const bar of redraw.bars) {
          this.candles.update(candleOf(bar));
          this.volumes.update(this.volumeOf(bar));
        }
        break;
    }
    this.empty.hidden = redraw.bars.length > 0;
  }

  private volumeOf(bar: Ohlc): HistogramData<UTCTimestamp> {
    const color = bar.close >= bar.open ? this.palette.volumeUp : this.palette.volumeDown;
    return { time: secondsOf(bar), value: bar.volume, color };
  }

  /** Takes the colours from the style sheet, anew when the system changes between dark and light. */
  private paint(): void {
    this.palette = readPalette();
    const { text, line, up, down, font } = this.palette;
    this.chart.applyOptions({
      layout: { textColor: text, fontFamily: font, fontSize: 11 },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
    });
    this.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    // Each bar of volume has its colour in it.
    this.drawAll();
  }

  private drawAll(): void {
    this.apply(this.series?.takeAll() ?? { what: "all", bars: [] });
  }

  private label(time: Time): string {
    const ms = Number(time) * 1000;
    return (this.series?.intervalMs ?? 0) < 60_000 ? formatSecond(ms) : formatMinute(ms);
  }
}

function candleOf(bar: Ohlc): CandlestickData<UTCTimestamp> {
  return { time: secondsOf(bar), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

/** The library counts in whole seconds. */
function secondsOf(bar: Ohlc): UTCTimestamp {
  return (bar.time / 1000) as UTCTimestamp;
}
