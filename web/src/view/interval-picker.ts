import { INTERVALS, type IntervalSeconds } from "../market";
import type { Strings } from "../strings";
import { byId, make, setText } from "./dom";

/** Selects the candle length. Radio buttons, because the browser provides their keyboard handling. */
export class IntervalPicker {
  private readonly box = byId("intervals", HTMLFieldSetElement);
  private readonly options = new Map<IntervalSeconds, { readonly input: HTMLInputElement; readonly text: HTMLElement }>();

  constructor(choose: (interval: IntervalSeconds) => void) {
    for (const seconds of INTERVALS) {
      const [input, text] = [make("input", ""), make("span", "")];
      input.type = "radio";
      input.name = "interval";
      input.addEventListener("change", () => {
        choose(seconds);
      });
      this.options.set(seconds, { input, text });
      this.box.append(make("label", "", input, text));
    }
  }

  show(interval: IntervalSeconds, strings: Strings): void {
    for (const [seconds, { input, text }] of this.options) {
      input.checked = seconds === interval;
      setText(text, strings.interval(seconds));
    }
  }
}
