import { formatCount } from "../format";
import type { Strings } from "../strings";
import { CAPACITY, kindsOf, matches, NO_FILTER, type CopyFormat, type Filter, type FrameLog, type LoggedFrame, type Outcome, type Target, type Template, type WireConnection } from "../wire-log";
import { make, setText } from "./dom";
import { makeButton, panelSection, translated } from "./panel-parts";
import { WireConnectionView } from "./wire-connection";
import { WireList } from "./wire-list";
import { WireSender } from "./wire-sender";
import { WireTree } from "./wire-tree";

/** What the panel shows. */
export interface WireState {
  readonly target: Target;
  readonly connection: WireConnection;
  readonly log: FrameLog;
  readonly outcome: Outcome | undefined;
}

export interface WireActions {
  readonly choose: (target: Target) => void;
  readonly connect: () => void;
  readonly disconnect: () => void;
  readonly send: (text: string) => void;
  readonly clear: () => void;
  readonly fillIn: (template: Template) => string;
  readonly copyAs: (format: CopyFormat, text: string) => void;
  readonly copy: (text: string) => void;
  /** The user acted on the panel itself. */
  readonly redraw: () => void;
  readonly strings: () => Strings;
}

/** The wire: the connection, its messages in and out, and a box to send with. */
export class WireView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly connection: WireConnectionView;
  private readonly sender: WireSender;
  private readonly list: WireList;
  private readonly tree: WireTree;
  private readonly kind = make("select", "");
  private readonly anyKind = translated("option", "", "wireAnyKind");
  private readonly direction = make("select", "");
  private readonly symbol = make("input", "");
  private readonly pause = makeButton("button small");
  private readonly count = make("span", "wire-count");
  private readonly actions: WireActions;
  private filter: Filter = NO_FILTER;
  private chosen: LoggedFrame | undefined;
  /** The messages while the list stands still, and how many there were by then. */
  private frozen: { readonly entries: readonly LoggedFrame[]; readonly total: number } | undefined;
  private isPaused = false;
  private waiting = 0;
  private target: Target | undefined;
  private shownAnswer: LoggedFrame | undefined;

  constructor(actions: WireActions) {
    this.actions = actions;
    this.connection = new WireConnectionView(actions);
    this.sender = new WireSender(actions);
    this.list = new WireList((frame) => {
      this.chosen = frame;
      actions.redraw();
    }, actions.redraw);
    this.tree = new WireTree(actions.copy, actions.strings);
    const { node, head } = panelSection("wire-panel", "wire");
    const box = make("div", "wire-messages", this.list.node, this.tree.node);
    node.append(make("div", "wire-body", this.connection.node, this.sender.node, this.filters(), box));
    this.node = node;
    this.head = head;
  }

  focus(): void {
    this.sender.focus();
  }

  /** Says what was done. */
  tell(sentence: string): void {
    this.sender.tell(sentence, "told");
  }

  /** Forgets everything that was shown: the panel is closed. */
  clear(): void {
    this.chosen = undefined;
    this.shownAnswer = undefined;
    this.target = undefined;
    this.resume();
    setText(this.count, "");
    for (const part of [this.connection, this.sender, this.list, this.tree]) part.clear();
  }

  draw({ target, connection, log, outcome }: WireState, strings: Strings): void {
    if (target !== this.target) this.changeTarget(target);
    const answer = outcome?.answer;
    if (answer !== undefined && answer !== this.shownAnswer) this.chosen = answer;
    this.shownAnswer = answer;
    this.connection.draw(target, connection, strings);
    this.sender.draw(outcome, strings);
    this.drawKinds(log.entries);
    const frames = this.framesOf(log);
    this.drawCount(frames.length, log, strings);
    this.list.select(this.chosen);
    this.list.draw(frames, strings);
    this.tree.show(this.chosen, this.filter);
  }

  private changeTarget(target: Target): void {
    this.target = target;
    this.chosen = undefined;
    this.sender.tell("", "none");
    this.resume();
  }

  /** The messages that are shown, newest first. They stand still while the list is paused or scrolled. */
  private framesOf(log: FrameLog): readonly LoggedFrame[] {
    const isStill = this.isPaused || this.list.isScrolled;
    this.frozen = isStill ? (this.frozen ?? { entries: [...log.entries], total: log.total }) : undefined;
    this.waiting = log.total - (this.frozen?.total ?? log.total);
    return (this.frozen?.entries ?? log.entries).filter((frame) => matches(this.filter, frame)).reverse();
  }

  private drawCount(shown: number, log: FrameLog, { wire, pause, resume }: Strings): void {
    setText(this.count, wire.shown(shown, this.frozen?.entries.length ?? log.entries.length, CAPACITY));
    setText(this.pause, this.waiting > 0 ? wire.newFrames(formatCount(this.waiting)) : this.isPaused ? resume : pause);
    this.pause.ariaPressed = String(this.isPaused);
  }

  /** Offers the kinds that occur. The one that is chosen stays, even if its messages left the log. */
  private drawKinds(frames: readonly LoggedFrame[]): void {
    const kinds = new Set([...kindsOf(frames), ...(this.filter.kind === "" ? [] : [this.filter.kind])]);
    const offered = [...this.kind.options].slice(1).map(({ value }) => value);
    if (offered.length === kinds.size && offered.every((kind) => kinds.has(kind))) return;
    const options = [...kinds].sort().map((kind) => {
      const option = make("option", "", kind);
      option.value = kind;
      return option;
    });
    this.kind.replaceChildren(this.anyKind, ...options);
    this.kind.value = this.filter.kind;
  }

  private filters(): HTMLElement {
    this.anyKind.value = "";
    this.kind.append(this.anyKind);
    this.kind.dataset["label"] = "wireKind";
    this.direction.dataset["label"] = "wireDirection";
    for (const [value, text] of [["all", "wireBoth"], ["in", "wireIn"], ["out", "wireOut"]] as const) {
      const option = translated("option", "", text);
      option.value = value;
      this.direction.append(option);
    }
    Object.assign(this.symbol, { type: "text", autocomplete: "off", spellcheck: false, maxLength: 40 });
    this.symbol.dataset["label"] = "wireSymbol";
    const changed = () => {
      const direction = (["in", "out"] as const).find((one) => one === this.direction.value) ?? "all";
      this.filter = { direction, kind: this.kind.value, symbol: this.symbol.value };
      this.actions.redraw();
    };
    for (const control of [this.direction, this.kind]) control.addEventListener("change", changed);
    this.symbol.addEventListener("input", changed);
    this.pause.addEventListener("click", () => {
      if (this.waiting > 0) this.resume();
      else this.isPaused = !this.isPaused;
      this.actions.redraw();
    });
    const clear = makeButton("button small", "wireClear");
    clear.addEventListener("click", () => {
      this.chosen = undefined;
      this.resume();
      this.actions.clear();
    });
    return make("div", "wire-filters", this.direction, this.kind, this.symbol, this.pause, clear, this.count);
  }

  /** Goes on with the newest message. */
  private resume(): void {
    this.isPaused = false;
    this.frozen = undefined;
    this.waiting = 0;
    this.list.scrollToTop();
  }
}
