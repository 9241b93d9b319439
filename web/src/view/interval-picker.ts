import { INTERVALS, type IntervalSeconds } from "../market";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { translated } from "./panel-parts";

/** Selects the candle length. Radio buttons, because the browser provides their keyboard handling. */
export class IntervalPicker {
  readonly node = make("fieldset", "segments intervals", translated("legend", "visually-hidden", "candleLength"));
  private readonly choose: (interval: IntervalSeconds) => void;
  private readonly options = new Map<IntervalSeconds, { readonly input: HTMLInputElement; readonly text: HTMLElement }>();

  /** `name` is that of the radio group, unique on the page. */
  constructor(name: string, choose: (interval: IntervalSeconds) => void) {
    this.choose = choose;
    for (const seconds of INTERVALS) {
      const [input, text] = [make("input", ""), make("span", "")];
      input.type = "radio";
      input.name = name;
      input.addEventListener("change", () => {
        choose(seconds);
      });
      this.options.set(seconds, { input, text });
      this.node.append(make("label", "", input, text));
    }
  }

  /** Chooses by a digit from 1; false if it is none of an interval. */
  press(key: string): boolean {
    const interval = /^[1-9]$/.test(key) ? INTERVALS[Number(key) - 1] : undefined;
    if (interval !== undefined) this.choose(interval);
    return interval !== undefined;
  }

  show(interval: IntervalSeconds, strings: Strings): void {
    for (const [seconds, { input, text }] of this.options) {
      input.checked = seconds === interval;
      setText(text, strings.interval(seconds));
    }
  }
}
