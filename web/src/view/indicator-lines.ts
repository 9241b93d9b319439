import { LineSeries, LineStyle, type IChartApi, type IPriceLine, type ISeriesApi } from "lightweight-charts";
import { ema, IndicatorSeries, obstacleOf, rsi, vwap, type ChartUpdate, type Indicator, type Study } from "../market";
import { exchangeHours } from "./exchange";
import { lineDataOf, LINE_STYLES, PLAIN_LINE, type LineNumber } from "./line-style";
import type { Palette } from "./palette";

export type IndicatorId = Extract<Study, "ema9" | "ema21" | "vwap" | "rsi">;

interface Kind {
  /** The indicator before the first bar. */
  readonly start: () => Indicator;
  readonly line: LineNumber;
  /** Over the prices, in their scale, or in a pane of its own below. */
  readonly place: "prices" | "pane";
}

const KINDS: Readonly<Record<IndicatorId, Kind>> = {
  ema9: { start: () => ema(9), line: 0, place: "prices" },
  ema21: { start: () => ema(21), line: 1, place: "prices" },
  vwap: { start: () => vwap(exchangeHours), line: 2, place: "prices" },
  rsi: { start: () => rsi(14), line: 3, place: "pane" },
};

const IDS = Object.keys(KINDS) as readonly IndicatorId[];

/** Where the relative strength index tells that prices rose or fell much. */
const RSI_LEVELS = [70, 30] as const;

const RSI_FORMAT = { type: "custom", formatter: (value: number) => value.toFixed(1), minMove: 0.1 } as const;

/** The height of the pane below the prices, as a part of theirs. */
const PANE_HEIGHT = 0.3;

interface Line {
  readonly kind: Kind;
  readonly series: IndicatorSeries;
  readonly api: ISeriesApi<"Line">;
  readonly levels: readonly IPriceLine[];
}

/** The indicators of a chart as lines: over the prices, or in a pane of their own below. */
export class IndicatorLines {
  private readonly chart: IChartApi;
  private readonly lines = new Map<IndicatorId, Line>();

  constructor(chart: IChartApi) {
    this.chart = chart;
  }

  /** The lines that are shown, in the order of the menu. */
  get shown(): readonly { readonly id: IndicatorId; readonly line: LineNumber }[] {
    return IDS.filter((id) => this.lines.has(id)).map((id) => ({ id, line: KINDS[id].line }));
  }

  /** Shows these indicators and no others. All bars have to be applied then. */
  show(ids: readonly IndicatorId[], palette: Palette): void {
    for (const [id, { api }] of this.lines) {
      if (ids.includes(id)) continue;
      this.chart.removeSeries(api);
      this.lines.delete(id);
    }
    for (const id of ids) this.lines.set(id, this.lines.get(id) ?? this.make(KINDS[id]));
    this.restyle(palette);
  }

  apply(update: ChartUpdate): void {
    for (const { series, api } of this.lines.values()) {
      const { kind, points } = series.apply(update);
      if (kind === "all") api.setData(points.map(lineDataOf));
      else for (const point of points) api.update(lineDataOf(point));
    }
  }

  /** The value at the bar of this time. */
  valueAt(id: IndicatorId, time: number): number | undefined {
    return this.lines.get(id)?.series.valueAt(time);
  }

  restyle({ lines, crosshair, label }: Palette): void {
    for (const { kind, api, levels } of this.lines.values()) {
      api.applyOptions({ color: lines[kind.line] });
      for (const level of levels) level.applyOptions({ color: crosshair, axisLabelColor: label });
    }
  }

  private make(kind: Kind): Line {
    const isPane = kind.place === "pane";
    const api = this.chart.addSeries(LineSeries, { ...PLAIN_LINE, lineStyle: LINE_STYLES[kind.line] }, isPane ? 1 : 0);
    const levels = isPane ? RSI_LEVELS.map((price) => api.createPriceLine({ price, lineStyle: LineStyle.Dashed, lineWidth: 1, axisLabelVisible: true })) : [];
    if (isPane) {
      api.applyOptions({ priceFormat: RSI_FORMAT, autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 100 } }) });
      this.chart.panes()[1]?.setStretchFactor(PANE_HEIGHT);
      this.chart.panes()[0]?.setStretchFactor(1);
    }
    return { kind, series: new IndicatorSeries(kind.start()), api, levels };
  }
}

/** The chosen indicators that are drawn with bars of this length. */
export function indicatorsOf(studies: readonly Study[], intervalMs: number, isComparing: boolean): readonly IndicatorId[] {
  return IDS.filter((id) => studies.includes(id) && obstacleOf(id, intervalMs, isComparing) === undefined);
}
