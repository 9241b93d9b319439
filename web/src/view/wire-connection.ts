import { formatAge, formatSpan } from "../format";
import type { Strings } from "../strings";
import { TARGETS, type StateChange, type Target, type WireConnection } from "../wire-log";
import { make, setData, setText } from "./dom";
import { makeButton, translated } from "./panel-parts";

const later = (ms: number): string => (ms < 60_000 ? formatSpan(ms) : formatAge(ms));

export interface ConnectionActions {
  readonly choose: (target: Target) => void;
  readonly connect: () => void;
  readonly disconnect: () => void;
}

const TARGET_TEXTS = { live: "wireLive", echo: "wireEcho", msgpack: "wireMessagePack" } as const;

/** Changes of state that are shown: about as many as fit on two lines. */
const SHOWN = 6;

/** Which connection is shown, what was agreed on, and its states on a time line. */
export class WireConnectionView {
  readonly node: HTMLElement;
  private readonly choices = new Map<Target, HTMLInputElement>();
  private readonly toggle = makeButton("button small");
  private readonly address = make("code", "");
  private readonly protocol = make("dd", "");
  private readonly extensions = make("dd", "");
  private readonly about = make("p", "wire-note");
  private readonly states = make("ol", "wire-states");
  private drawn: readonly unknown[] = [];

  constructor(actions: ConnectionActions) {
    const choices = make("fieldset", "segments", translated("legend", "visually-hidden", "wireTarget"));
    for (const target of TARGETS) {
      const input = make("input", "");
      Object.assign(input, { type: "radio", name: "wire-target", value: target });
      input.addEventListener("change", () => {
        actions.choose(target);
      });
      this.choices.set(target, input);
      choices.append(make("label", "", input, translated("span", "", TARGET_TEXTS[target])));
    }
    this.toggle.addEventListener("click", () => {
      if (this.toggle.dataset["does"] === "connect") actions.connect();
      else actions.disconnect();
    });
    this.states.dataset["label"] = "wireStates";
    const facts = make("dl", "wire-agreed",
      make("div", "wire-address", translated("dt", "", "wireAddress"), make("dd", "", this.address)),
      make("div", "", translated("dt", "", "wireProtocol"), this.protocol),
      make("div", "", translated("dt", "", "wireExtensions"), this.extensions));
    this.node = make("div", "wire-connection", make("div", "wire-targets", choices, this.toggle), facts, this.states, this.about);
  }

  /** Forgets the states: the panel is closed. */
  clear(): void {
    this.drawn = [];
    this.states.replaceChildren();
  }

  draw(target: Target, { address, protocol, extensions, states, state }: WireConnection, strings: Strings): void {
    const { wire, page } = strings;
    const isOver = state === "CLOSED";
    setData(this.toggle, "does", isOver ? "connect" : "disconnect");
    setText(this.toggle, isOver ? page.wireOpen : page.wireClose);
    this.toggle.hidden = target === "live";
    this.toggle.disabled = state === "CLOSING";
    const drawn = [target, address, protocol, extensions, states, strings];
    if (drawn.every((one, at) => one === this.drawn[at])) return;
    this.drawn = drawn;
    for (const [one, input] of this.choices) input.checked = one === target;
    setText(this.address, address);
    setText(this.protocol, protocol === "" ? wire.none : protocol);
    setText(this.extensions, extensions === "" ? wire.none : extensions);
    setText(this.about, wire.about[target]);
    this.states.replaceChildren(...states.map((change, at) => this.stateItem(change, states[at - 1], strings)).slice(-SHOWN));
  }

  private stateItem({ state, at, close }: StateChange, before: StateChange | undefined, { wire, times }: Strings): HTMLElement {
    const text = [
      times.millis(at),
      ...(before === undefined ? [] : [`+${later(at - before.at)}`]),
      ...(close === undefined ? [] : [wire.closed(close)]),
    ].join(" · ");
    const item = make("li", "", make("b", "", state), make("span", "", text));
    item.dataset["state"] = state;
    return item;
  }
}
