import { LineSeries, type IChartApi, type ISeriesApi } from "lightweight-charts";
import { closesAt, indexUntil, type BarSeries, type ChartUpdate } from "../market";
import type { Millis, Ohlc, StockSymbol } from "@tapecast/client";
import { lineDataOf, LINE_STYLES, PLAIN_LINE, type LineNumber } from "./line-style";
import type { Palette } from "./palette";

/** A symbol that is compared with that of the chart. */
export interface ComparedSymbol {
  readonly symbol: StockSymbol;
  readonly series: BarSeries;
  readonly line: LineNumber;
}

interface Line extends ComparedSymbol {
  readonly api: ISeriesApi<"Line">;
  isNew: boolean;
}

/** The closes of other symbols at the bars of a chart, as lines. */
export class ComparedLines {
  private readonly chart: IChartApi;
  private lines: readonly Line[] = [];
  /** The last bar of the chart that was drawn. */
  private newest: Millis | undefined;

  constructor(chart: IChartApi) {
    this.chart = chart;
  }

  get shown(): readonly ComparedSymbol[] {
    return this.lines;
  }

  /** Shows these symbols and no others. They are drawn when the chart's bars are applied next. */
  show(compared: readonly ComparedSymbol[], palette: Palette): void {
    for (const { api } of this.lines) this.chart.removeSeries(api);
    this.lines = compared.map((one) => ({ ...one, isNew: true, api: this.chart.addSeries(LineSeries, { ...PLAIN_LINE, lineStyle: LINE_STYLES[one.line] }) }));
    this.restyle(palette);
  }

  /** Draws what changed in the chart's bars or in those of another symbol. */
  apply(bars: readonly Ohlc[], update: ChartUpdate): void {
    for (const line of this.lines) this.applyTo(line, bars, update);
    this.newest = bars.at(-1)?.time;
  }

  restyle({ lines }: Palette): void {
    for (const { api, line } of this.lines) api.applyOptions({ color: lines[line] });
  }

  private applyTo(line: Line, bars: readonly Ohlc[], update: ChartUpdate): void {
    const { series, api } = line;
    const change = line.isNew ? series.takeAll() : series.takeUpdate();
    line.isNew = false;
    if (update.kind === "none" && change.kind === "none") return;
    const first = change.kind === "none" ? undefined : change.bars[0]?.time;
    const isOlder = first !== undefined && this.newest !== undefined && first < this.newest;
    if (update.kind === "all" || change.kind === "all" || isOlder || this.newest === undefined) api.setData(closesAt(bars, series.all).map(lineDataOf));
    else for (const point of closesAt(bars, series.all, Math.max(0, indexUntil(bars, this.newest)))) api.update(lineDataOf(point));
  }
}
