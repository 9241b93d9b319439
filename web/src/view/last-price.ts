import { LineStyle, type IPriceLine, type ISeriesApi, type SeriesType } from "lightweight-charts";

/**
 * The line and the label of the last price. The library's own label is that of the last visible bar, so that it would say
 * an old price while the chart is scrolled back.
 */
export class LastPrice {
  private series: ISeriesApi<SeriesType> | undefined;
  private line: IPriceLine | undefined;
  private shown = "";

  /** Draws on this series of prices from now on. */
  attach(series: ISeriesApi<SeriesType>): void {
    this.series = series;
    this.line = undefined;
    this.shown = "";
    series.applyOptions({ lastValueVisible: false, priceLineVisible: false });
  }

  draw(price: number | undefined, color: string): void {
    const wanted = price === undefined ? "" : `${price} ${color}`;
    if (wanted === this.shown) return;
    this.shown = wanted;
    if (price === undefined) {
      if (this.line !== undefined) this.series?.removePriceLine(this.line);
      this.line = undefined;
      return;
    }
    const options = { price, color, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true } as const;
    if (this.line === undefined) this.line = this.series?.createPriceLine(options);
    else this.line.applyOptions(options);
  }
}
