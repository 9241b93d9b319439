import { directionTo, readLevel, type FiredAlert } from "../alerts";
import type { AlertCondition, AlertState, Millis, Price, StockSymbol } from "@tapecast/client";
import { formatPrice } from "../format";
import type { PageText, Strings } from "../strings";
import { make, setText } from "./dom";
import { icon } from "./icons";
import { panelSection } from "./panel-parts";

/** What the panel shows. */
export interface AlertsState {
  readonly alerts: readonly AlertState[];
  readonly fired: readonly FiredAlert[];
  /** The selected symbol, which a new alert is for, and its last price. */
  readonly symbol: StockSymbol | undefined;
  readonly last: Price | undefined;
  readonly isSupported: boolean;
  readonly sound: boolean;
  readonly notification: boolean;
  readonly now: Millis;
}

export interface AlertsActions {
  /** False if there are too many. */
  readonly set: (condition: AlertCondition, once: boolean) => boolean;
  readonly remove: (id: string) => void;
  readonly clearFired: () => void;
  readonly select: (symbol: StockSymbol) => void;
  readonly choose: (signal: "sound" | "notification", chosen: boolean) => void;
  readonly strings: () => Strings;
}

const KINDS: readonly (readonly [measure: AlertCondition["measure"], direction: AlertCondition["direction"], text: PageText])[] = [
  ["price", "rise", "alertPriceAbove"],
  ["price", "fall", "alertPriceBelow"],
  ["change", "rise", "alertChangeAbove"],
  ["change", "fall", "alertChangeBelow"],
];

/** A form for a price alert on the selected symbol, the alerts that are set, and those that fired. */
export class AlertsView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly symbol = make("b", "alert-symbol");
  private readonly last = make("span", "alert-last");
  private readonly kind = make("select", "");
  private readonly level = make("input", "");
  private readonly once = make("input", "");
  private readonly submit = make("button", "button small");
  private readonly status = make("p", "chat-status");
  private readonly active = make("ul", "alert-list");
  private readonly fired = make("ul", "alert-list");
  private readonly clear = make("button", "button small");
  private readonly signals = { sound: make("input", ""), notification: make("input", "") };
  private readonly actions: AlertsActions;
  private state: AlertsState | undefined;
  private drawn: readonly unknown[] = [];

  constructor(actions: AlertsActions) {
    this.actions = actions;
    this.status.role = "status";
    this.clear.type = "button";
    this.clear.dataset["text"] = "alertsClear";
    this.clear.addEventListener("click", actions.clearFired);
    const scroll = make("div", "alert-scroll", heading("alertsActive"), this.active, make("div", "alert-fired-head", heading("alertsFired"), this.clear), this.fired);
    const { node, head } = panelSection("alerts-panel", "alerts");
    node.append(this.form(), this.status, scroll, this.choices());
    this.node = node;
    this.head = head;
  }

  focus(): void {
    this.level.select();
    this.level.focus();
  }

  /** Opens the form with this price, as that of a line that was dragged. */
  propose(price: number): void {
    this.kind.value = String(KINDS.findIndex(([measure, direction]) => measure === "price" && direction === directionTo(price, this.state?.last)));
    this.level.value = formatPrice(price).replaceAll(",", "");
    setText(this.status, "");
    this.focus();
  }

  draw(state: AlertsState): void {
    const strings = this.actions.strings();
    const isOther = state.symbol !== this.state?.symbol;
    this.state = state;
    if (isOther) {
      this.level.value = "";
      setText(this.status, "");
    }
    setText(this.symbol, state.symbol ?? "–");
    setText(this.last, state.last === undefined ? "" : formatPrice(state.last));
    this.submit.disabled = state.symbol === undefined || !state.isSupported;
    if (!state.isSupported) setText(this.status, strings.alerts.unsupported);
    for (const signal of ["sound", "notification"] as const) this.signals[signal].checked = state[signal];
    const shown = [strings, state.fired, state.isSupported, ...state.alerts];
    if (shown.length === this.drawn.length && shown.every((one, at) => one === this.drawn[at])) return;
    this.drawn = shown;
    this.drawLists(state, strings);
  }

  /** Tells why something was not done. */
  tell(sentence: string): void {
    setText(this.status, sentence);
  }

  private form(): HTMLFormElement {
    this.kind.dataset["label"] = "alertKind";
    KINDS.forEach(([, , text], at) => {
      const option = make("option", "");
      option.value = String(at);
      option.dataset["text"] = text;
      this.kind.append(option);
    });
    Object.assign(this.level, { type: "text", inputMode: "decimal", autocomplete: "off", maxLength: 20 });
    this.level.dataset["label"] = "alertLevel";
    Object.assign(this.once, { type: "checkbox", checked: true });
    this.submit.type = "submit";
    this.submit.dataset["text"] = "alertSet";
    const head = make("p", "alert-for", this.symbol, " ", this.last);
    const form = make("form", "alert-form", head, this.kind, this.level, checkbox(this.once, "alertOnce"), this.submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.set();
    });
    return form;
  }

  private set(): void {
    const [measure, direction] = KINDS[Number(this.kind.value)] ?? ["price", "rise"];
    const level = readLevel(measure, this.level.value);
    this.level.ariaInvalid = String(level === undefined);
    const { alerts } = this.actions.strings();
    if (level === undefined) {
      setText(this.status, alerts.invalid[measure]);
      this.level.focus();
      return;
    }
    const isSet = this.actions.set({ measure, direction, level }, this.once.checked);
    setText(this.status, isSet ? "" : alerts.tooMany);
    if (isSet) this.level.value = "";
  }

  private choices(): HTMLElement {
    for (const signal of ["sound", "notification"] as const) {
      const input = this.signals[signal];
      input.type = "checkbox";
      input.addEventListener("change", () => {
        this.actions.choose(signal, input.checked);
      });
    }
    return make("div", "alert-choices", checkbox(this.signals.sound, "alertSound"), checkbox(this.signals.notification, "alertNotification"));
  }

  private drawLists({ alerts, fired, now }: AlertsState, strings: Strings): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["alert"] : undefined;
    this.active.replaceChildren(...alerts.map((alert) => this.activeItem(alert, strings)));
    if (alerts.length === 0) this.active.replaceChildren(make("li", "chat-note", strings.alerts.noneActive));
    this.fired.replaceChildren(...fired.map((one) => this.firedItem(one, now, strings)));
    if (fired.length === 0) this.fired.replaceChildren(make("li", "chat-note", strings.alerts.noneFired));
    this.clear.hidden = fired.length === 0;
    if (focused === undefined) return;
    const again = [...this.active.querySelectorAll<HTMLElement>("[data-alert]")].find((node) => node.dataset["alert"] === focused);
    (again ?? this.level).focus();
  }

  private activeItem(alert: AlertState, strings: Strings): HTMLElement {
    const { id, symbol, condition, once, status, isBeyond, error } = alert;
    const notes = [
      ...(once ? [] : [strings.alerts.repeated]),
      ...(status === "pending" ? [strings.alerts.pending] : []),
      ...(status === "refused" && error !== undefined ? [strings.alerts.refused(error.code, error.message)] : []),
      ...(status === "active" && isBeyond ? [strings.alerts.beyond] : []),
    ];
    const remove = make("button", "remove", icon("close"));
    remove.type = "button";
    remove.dataset["alert"] = id;
    remove.ariaLabel = strings.alerts.remove(symbol, strings.alerts.condition(condition));
    remove.addEventListener("click", () => {
      this.actions.remove(id);
    });
    const item = make("li", "alert-item", this.symbolButton(symbol), make("span", "alert-text", strings.alerts.condition(condition), make("small", "", notes.join(" · "))), remove);
    item.dataset["status"] = status;
    return item;
  }

  private firedItem({ symbol, condition, price, time }: FiredAlert, now: Millis, strings: Strings): HTMLElement {
    const text = make("span", "alert-text", strings.alerts.reached(formatPrice(price), strings.times.moment(time, now)), make("small", "", strings.alerts.condition(condition)));
    return make("li", "alert-item", this.symbolButton(symbol), text);
  }

  private symbolButton(symbol: StockSymbol): HTMLElement {
    const button = make("button", "alert-select", symbol);
    button.type = "button";
    button.addEventListener("click", () => {
      this.actions.select(symbol);
    });
    return button;
  }
}

function heading(text: PageText): HTMLElement {
  const node = make("h3", "");
  node.dataset["text"] = text;
  return node;
}

function checkbox(input: HTMLInputElement, text: PageText): HTMLElement {
  const name = make("span", "");
  name.dataset["text"] = text;
  return make("label", "column-choice", input, name);
}
