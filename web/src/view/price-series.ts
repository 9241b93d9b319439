import { AreaSeries, CandlestickSeries, LineSeries, type CandlestickData, type IChartApi, type ISeriesApi, type LineData, type UTCTimestamp } from "lightweight-charts";
import { formatPrice } from "../format";
import type { ChartStyle } from "../market";
import type { Ohlc } from "@tapecast/client";
import type { Palette } from "./palette";

/** A series of prices of the library, in one of the styles. */
export type PriceSeriesApi = ISeriesApi<"Candlestick"> | ISeriesApi<"Line"> | ISeriesApi<"Area">;

type Drawn =
  | { readonly style: "candles"; readonly api: ISeriesApi<"Candlestick"> }
  | { readonly style: "line"; readonly api: ISeriesApi<"Line"> }
  | { readonly style: "area"; readonly api: ISeriesApi<"Area"> };

/** The prices of a chart, drawn as candles, a line or an area. */
export class PriceSeries {
  private readonly chart: IChartApi;
  private drawn: Drawn;
  private palette: Palette;
  private bars = 0;
  private newest: number | undefined;

  constructor(chart: IChartApi, palette: Palette) {
    this.chart = chart;
    this.palette = palette;
    this.drawn = this.make("candles");
  }

  /** Another one after each change of the style. */
  get api(): PriceSeriesApi {
    return this.drawn.api;
  }

  /** Number of bars that are drawn. */
  get count(): number {
    return this.bars;
  }

  /** Draws in another style; the bars have to be set again. False if it is the same style. */
  setStyle(style: ChartStyle): boolean {
    if (style === this.drawn.style) return false;
    this.chart.removeSeries(this.drawn.api);
    this.drawn = this.make(style);
    // Below the lines that are drawn over prices.
    this.drawn.api.setSeriesOrder(0);
    this.restyle(this.palette);
    return true;
  }

  setData(bars: readonly Ohlc[]): void {
    if (this.drawn.style === "candles") this.drawn.api.setData(bars.map(candleOf));
    else this.drawn.api.setData(bars.map(closeOf));
    this.bars = bars.length;
    this.newest = bars.at(-1)?.time;
  }

  /** Replaces the last bar or adds one. */
  update(bar: Ohlc): void {
    if (this.drawn.style === "candles") this.drawn.api.update(candleOf(bar));
    else this.drawn.api.update(closeOf(bar));
    if (bar.time !== this.newest) this.bars += 1;
    this.newest = bar.time;
  }

  restyle(palette: Palette): void {
    this.palette = palette;
    const { up, upBody, down, strong, area } = palette;
    switch (this.drawn.style) {
      case "candles":
        this.drawn.api.applyOptions({ upColor: upBody, downColor: down, borderVisible: upBody !== up, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down });
        break;
      case "line":
        this.drawn.api.applyOptions({ color: strong });
        break;
      case "area":
        this.drawn.api.applyOptions({ lineColor: strong, topColor: area, bottomColor: "transparent" });
        break;
    }
  }

  /** The colour of the last price: that of its candle, or of the line. */
  lastColour({ open, close }: Ohlc): string {
    const { up, down, text } = this.palette;
    if (this.drawn.style !== "candles") return text;
    return close >= open ? up : down;
  }

  private make(style: ChartStyle): Drawn {
    const common = { priceFormat: { type: "custom", formatter: formatPrice } } as const;
    const line = { ...common, lineWidth: 2 } as const;
    switch (style) {
      case "candles":
        return { style, api: this.chart.addSeries(CandlestickSeries, { ...common, borderVisible: false }) };
      case "line":
        return { style, api: this.chart.addSeries(LineSeries, line) };
      case "area":
        return { style, api: this.chart.addSeries(AreaSeries, line) };
    }
  }
}

function candleOf(bar: Ohlc): CandlestickData<UTCTimestamp> {
  return { time: secondsOf(bar), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

function closeOf(bar: Ohlc): LineData<UTCTimestamp> {
  return { time: secondsOf(bar), value: bar.close };
}

/** The library's unit of time is the second. */
export function secondsOf({ time }: Pick<Ohlc, "time">): UTCTimestamp {
  return (time / 1000) as UTCTimestamp;
}
