import { INTERVALS, type IntervalSeconds } from "../market";
import { byId } from "./dom";

/** The choice of a candle's length: radio buttons, so the browser brings the keyboard. */
export function listenToIntervals(choose: (interval: IntervalSeconds) => void): void {
  byId("intervals", HTMLFieldSetElement).addEventListener("change", ({ target }) => {
    const value = target instanceof HTMLInputElement ? Number(target.value) : Number.NaN;
    const interval = INTERVALS.find((seconds) => seconds === value);
    if (interval !== undefined) choose(interval);
  });
}
