import { LineStyle, type LineData, type UTCTimestamp, type WhitespaceData } from "lightweight-charts";
import type { Point } from "../market";
import { secondsOf } from "./price-series";

/** Lines over prices differ in colour and in style, for those who do not see the colours. style/chart-studies.css has the same for the legend. */
export const LINE_STYLES = [LineStyle.Solid, LineStyle.Dashed, LineStyle.Dotted, LineStyle.Solid] as const;

/** Which of the lines: its colour and its style. */
export type LineNumber = 0 | 1 | 2 | 3;

/** A line that is no price: without labels on the axis and marks at the crosshair. */
export const PLAIN_LINE = { lineWidth: 2, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false } as const;

export function lineDataOf(point: Point): LineData<UTCTimestamp> | WhitespaceData<UTCTimestamp> {
  const time = secondsOf(point);
  return point.value === undefined ? { time } : { time, value: point.value };
}
