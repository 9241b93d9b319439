import { LineStyle, type IPriceLine } from "lightweight-charts";
import type { Palette } from "./palette";
import type { PriceSeriesApi } from "./price-series";

export type LevelId = "previousClose" | "high" | "low";

/** Prices of the day that a chart may mark; undefined where one is not known. */
export type Levels = Readonly<Record<LevelId, number | undefined>>;

const IDS: readonly LevelId[] = ["previousClose", "high", "low"];

/** Lines at prices of the day, with their names and prices on the axis. */
export class LevelLines {
  private series: PriceSeriesApi | undefined;
  private readonly lines = new Map<LevelId, { readonly line: IPriceLine; price: number; title: string }>();

  /** Draws on this series from now on. */
  attach(series: PriceSeriesApi): void {
    this.series = series;
    this.lines.clear();
  }

  /** Shows the levels that are known, with these names, and no others. */
  show(levels: Partial<Levels>, names: Readonly<Record<LevelId, string>>, palette: Palette): void {
    for (const id of IDS) this.showLevel(id, levels[id], names[id], palette);
  }

  restyle({ crosshair, label }: Palette): void {
    for (const { line } of this.lines.values()) line.applyOptions({ color: crosshair, axisLabelColor: label });
  }

  private showLevel(id: LevelId, price: number | undefined, title: string, { crosshair, label }: Palette): void {
    const known = this.lines.get(id);
    if (price === undefined) {
      if (known !== undefined) this.series?.removePriceLine(known.line);
      this.lines.delete(id);
      return;
    }
    if (known !== undefined) {
      if (known.price !== price || known.title !== title) known.line.applyOptions({ price, title });
      Object.assign(known, { price, title });
      return;
    }
    const lineStyle = id === "previousClose" ? LineStyle.Dotted : LineStyle.LargeDashed;
    const line = this.series?.createPriceLine({ price, title, lineStyle, lineWidth: 1, color: crosshair, axisLabelColor: label, axisLabelVisible: true });
    if (line !== undefined) this.lines.set(id, { line, price, title });
  }
}
