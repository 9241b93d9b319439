import { formatCount } from "../format";
import type { Strings } from "../strings";
import { isBranch, isFiltering, matchesObject, objectsOf, preview, visible, type Branch, type Filter, type LoggedFrame, type Node } from "../wire-log";
import { make, setText } from "./dom";
import { makeButton } from "./panel-parts";

/** Values that are shown at once of a long list; a button shows as many more. */
const STEP = 100;
/** Characters of one value. The whole of it can be copied. */
const MAX_LENGTH = 4_096;
const PREVIEW_LENGTH = 120;

/** One message, folded. Its parts are made when they are unfolded. Everything is text. */
export class WireTree {
  readonly node: HTMLElement;
  private readonly facts = make("p", "wire-facts");
  private readonly body = make("div", "wire-tree");
  private readonly copy = makeButton("button small", "wireCopyMessage");
  private readonly strings: () => Strings;
  private frame: LoggedFrame | undefined;
  private shown: readonly unknown[] = [];

  constructor(copy: (text: string) => void, strings: () => Strings) {
    this.strings = strings;
    this.copy.addEventListener("click", () => {
      if (this.frame !== undefined) copy(this.frame.text);
    });
    this.body.tabIndex = 0;
    this.body.role = "group";
    this.body.dataset["label"] = "wireMessage";
    this.node = make("div", "wire-detail", make("div", "wire-detail-head", this.facts, this.copy), this.body);
  }

  /** Shows a message, of which a filter may hide objects. */
  show(frame: LoggedFrame | undefined, filter: Filter): void {
    const strings = this.strings();
    const shown = [frame, filter.kind, filter.symbol, strings];
    if (shown.every((one, at) => one === this.shown[at]) && this.shown.length > 0) return;
    this.shown = shown;
    this.frame = frame;
    this.copy.disabled = frame === undefined;
    if (frame === undefined) {
      setText(this.facts, strings.wire.nothingChosen);
      this.body.replaceChildren();
      return;
    }
    const { direction, at, bytes, codec, facts } = frame;
    setText(this.facts, [strings.wire.direction[direction], strings.times.millis(at), `${formatCount(bytes)} B`, strings.wire.objects(facts.objects.length), strings.wire.codec[codec]].join(" · "));
    this.body.scrollTop = 0;
    this.body.replaceChildren(...this.objects(frame, filter, strings));
  }

  /** Forgets the message: the panel is closed. */
  clear(): void {
    this.frame = undefined;
    this.shown = [];
    this.body.replaceChildren();
  }

  private objects(frame: LoggedFrame, filter: Filter, { wire }: Strings): readonly HTMLElement[] {
    const all = objectsOf(frame.tree).map((node, at) => ({ node, facts: frame.facts.objects[at] }));
    const filtered = isFiltering({ ...filter, direction: "all" }) ? all.filter(({ facts }) => facts !== undefined && matchesObject(filter, facts)) : all;
    // A message that was chosen before the filter may have no object of it.
    const nodes = (filtered.length === 0 ? all : filtered).map(({ node }) => node);
    const list = make("div", "");
    this.append(list, nodes.map((value) => ({ key: undefined, value })), nodes.length === 1 ? "open" : "folded");
    return nodes.length < all.length ? [list, make("p", "wire-note", wire.hidden(all.length - nodes.length))] : [list];
  }

  /** Appends values in steps. */
  private append(to: HTMLElement, entries: Branch["entries"], state: "open" | "folded"): void {
    const [now, later] = [entries.slice(0, STEP), entries.slice(STEP)];
    to.append(...now.map(({ key, value }) => this.valueOf(key, value, state)));
    if (later.length === 0) return;
    const more = makeButton("button small");
    setText(more, this.strings().wire.more(later.length));
    more.addEventListener("click", () => {
      more.remove();
      this.append(to, later, state);
    });
    to.append(more);
  }

  private valueOf(key: string | undefined, value: Node, state: "open" | "folded"): HTMLElement {
    const name = key === undefined ? [] : [make("span", "wire-key", visible(key)), ": "];
    if (!isBranch(value) || value.entries.length === 0) {
      const text = isBranch(value) ? preview(value, 2) : visible(value.text.length > MAX_LENGTH ? `${value.text.slice(0, MAX_LENGTH)}…` : value.text);
      const leaf = make("span", "wire-value", text);
      leaf.dataset["kind"] = value.kind;
      return make("div", "wire-leaf", ...name, leaf);
    }
    const summary = make("summary", "", ...name, make("span", "wire-folded", preview(value, PREVIEW_LENGTH)), make("span", "wire-opened", value.kind === "object" ? "{" : "["));
    const details = make("details", "wire-branch", summary);
    const unfold = () => {
      if (!details.open || details.children.length > 1) return;
      const children = make("div", "wire-children");
      details.append(children);
      this.append(children, value.entries, "folded");
    };
    details.addEventListener("toggle", unfold);
    if (state === "open") {
      details.open = true;
      unfold();
    }
    return details;
  }
}
