import { INTERVALS, type IntervalSeconds } from "../market";
import type { Strings } from "../strings";
import { make, setText } from "./dom";
import { translated } from "./panel-parts";

/** Selects the candle length: by radio buttons beside each other, or by a menu in a panel too narrow for them. */
export class IntervalPicker {
  readonly node: HTMLElement;
  private readonly menu = make("select", "interval-menu");
  private readonly choose: (interval: IntervalSeconds) => void;
  private readonly options = new Map<IntervalSeconds, { readonly input: HTMLInputElement; readonly text: HTMLElement; readonly item: HTMLOptionElement }>();

  /** `name` is that of the radio group, unique on the page. */
  constructor(name: string, choose: (interval: IntervalSeconds) => void) {
    this.choose = choose;
    const buttons = make("fieldset", "segments", translated("legend", "visually-hidden", "candleLength"));
    this.menu.dataset["label"] = "candleLength";
    for (const seconds of INTERVALS) {
      const [input, text] = [make("input", ""), make("span", "")];
      input.type = "radio";
      input.name = name;
      input.addEventListener("change", () => {
        choose(seconds);
      });
      const item = make("option", "");
      item.value = String(seconds);
      this.options.set(seconds, { input, text, item });
      this.menu.append(item);
      buttons.append(make("label", "", input, text));
    }
    this.menu.addEventListener("change", () => {
      const chosen = INTERVALS.find((seconds) => String(seconds) === this.menu.value);
      if (chosen !== undefined) choose(chosen);
    });
    this.node = make("div", "intervals", buttons, this.menu);
  }

  /** Chooses by a digit from 1; false if it is none of an interval. */
  press(key: string): boolean {
    const interval = /^[1-9]$/.test(key) ? INTERVALS[Number(key) - 1] : undefined;
    if (interval !== undefined) this.choose(interval);
    return interval !== undefined;
  }

  show(interval: IntervalSeconds, strings: Strings): void {
    for (const [seconds, { input, text, item }] of this.options) {
      input.checked = seconds === interval;
      setText(text, strings.interval(seconds));
      setText(item, strings.interval(seconds));
    }
    this.menu.value = String(interval);
  }
}
