import { formatCount, formatSpan } from "../format";
import type { Strings } from "../strings";
import type { LoggedFrame } from "../wire-log";
import { make, setData, setText } from "./dom";

/** Rows beyond the visible ones on either side. */
const MARGIN = 3;

/** The element of one message. It is reused for others as the list scrolls. */
class RowView {
  readonly node: HTMLElement;
  private readonly time = make("span", "wire-time");
  private readonly arrow = make("span", "wire-arrow");
  private readonly direction = make("span", "visually-hidden");
  private readonly bytes = make("span", "wire-bytes");
  private readonly kinds = make("span", "wire-kinds");
  private readonly mark = make("span", "wire-mark");
  private readonly preview = make("span", "wire-preview");
  private readonly objects = make("span", "wire-objects");
  private shown: readonly unknown[] = [];
  private top = -1;

  constructor(number: number, choose: (frame: LoggedFrame) => void) {
    this.arrow.ariaHidden = "true";
    this.node = make("div", "wire-row", this.time, this.arrow, this.direction, this.bytes, this.objects, this.kinds, this.mark, this.preview);
    this.node.role = "option";
    this.node.id = `wire-row-${number}`;
    this.node.addEventListener("click", () => {
      const [frame] = this.shown;
      if (frame !== undefined) choose(frame as LoggedFrame);
    });
  }

  show(frame: LoggedFrame, place: number, count: number, top: number, isSelected: boolean, { wire, times }: Strings): void {
    if (top !== this.top) this.node.style.transform = `translateY(${top}px)`;
    this.top = top;
    this.node.ariaPosInSet = String(place + 1);
    this.node.ariaSetSize = String(count);
    this.node.ariaSelected = String(isSelected);
    const shown = [frame, frame.mark, times];
    if (shown.every((one, at) => one === this.shown[at])) return;
    this.shown = shown;
    const { direction, facts, mark } = frame;
    setData(this.node, "direction", direction);
    setData(this.node, "mark", mark === undefined ? "none" : mark.roundTripMs === undefined ? "command" : "answer");
    setText(this.time, times.millis(frame.at));
    setText(this.arrow, direction === "in" ? "↓" : "↑");
    setText(this.direction, wire.direction[direction]);
    setText(this.bytes, `${formatCount(frame.bytes)} B`);
    setText(this.objects, wire.objectsShort(facts.objects.length));
    setText(this.kinds, [...facts.kinds].map(([kind, times]) => (times === 1 ? kind : `${kind} ×${times}`)).join(" ") || "–");
    setText(this.mark, mark === undefined ? "" : mark.roundTripMs === undefined ? wire.command(mark.command) : wire.answer(mark.command, formatSpan(mark.roundTripMs)));
    setText(this.preview, facts.preview);
  }
}

/** The list of messages, newest on top. Only visible rows have elements. One row can be chosen. */
export class WireList {
  readonly node = make("div", "wire-list");
  private readonly content = make("div", "wire-rows");
  private readonly rows: RowView[] = [];
  private readonly chosen: (frame: LoggedFrame) => void;
  private rowHeight = 24;
  private height = 0;
  private top = 0;
  private frames: readonly LoggedFrame[] = [];
  private selected: LoggedFrame | undefined;

  constructor(chosen: (frame: LoggedFrame) => void, invalidate: () => void) {
    this.chosen = chosen;
    this.node.role = "listbox";
    this.node.tabIndex = 0;
    this.node.dataset["label"] = "wireFrames";
    this.content.role = "presentation";
    this.node.append(this.content);
    this.node.addEventListener("keydown", (press) => {
      this.press(press);
    });
    this.node.addEventListener("scroll", () => {
      this.top = this.node.scrollTop;
      invalidate();
    }, { passive: true });
    new ResizeObserver(([entry]) => {
      this.height = entry?.contentRect.height ?? 0;
      this.rowHeight = Number.parseFloat(getComputedStyle(this.node).getPropertyValue("--wire-row")) || this.rowHeight;
      invalidate();
    }).observe(this.node);
  }

  /** True while it is scrolled away from the newest message. */
  get isScrolled(): boolean {
    return this.top > this.rowHeight;
  }

  select(frame: LoggedFrame | undefined): void {
    this.selected = frame;
  }

  scrollToTop(): void {
    this.node.scrollTop = 0;
    this.top = 0;
  }

  /** Removes all rows: the panel is closed. */
  clear(): void {
    this.frames = [];
    this.selected = undefined;
    this.rows.length = 0;
    this.content.replaceChildren();
    this.node.removeAttribute("aria-activedescendant");
  }

  /** Draws these messages, newest first. */
  draw(frames: readonly LoggedFrame[], strings: Strings): void {
    this.frames = frames;
    this.content.style.height = `${frames.length * this.rowHeight}px`;
    const first = Math.max(0, Math.min(Math.floor(this.top / this.rowHeight), frames.length) - MARGIN);
    const visible = Math.max(0, Math.min(frames.length - first, Math.ceil(this.height / this.rowHeight) + 2 * MARGIN));
    while (this.rows.length < visible) {
      const row = new RowView(this.rows.length, (frame) => {
        this.choose(frame);
      });
      this.rows.push(row);
      this.content.append(row.node);
    }
    let active: string | undefined;
    this.rows.forEach((view, at) => {
      const place = first + at;
      const frame = at < visible ? frames[place] : undefined;
      view.node.hidden = frame === undefined;
      if (frame === undefined) return;
      const isSelected = frame === this.selected;
      if (isSelected) active = view.node.id;
      view.show(frame, place, frames.length, place * this.rowHeight, isSelected, strings);
    });
    if (active === undefined) this.node.removeAttribute("aria-activedescendant");
    else this.node.setAttribute("aria-activedescendant", active);
  }

  private choose(frame: LoggedFrame): void {
    this.selected = frame;
    this.chosen(frame);
  }

  private press(press: KeyboardEvent): void {
    const place = this.selected === undefined ? -1 : this.frames.indexOf(this.selected);
    const page = Math.max(1, Math.floor(this.height / this.rowHeight) - 1);
    const to = new Map([["ArrowDown", place + 1], ["ArrowUp", place - 1], ["PageDown", place + page], ["PageUp", place - page], ["Home", 0], ["End", this.frames.length - 1]]).get(press.key);
    const frame = to === undefined ? undefined : this.frames[Math.max(0, Math.min(to, this.frames.length - 1))];
    if (to === undefined || press.ctrlKey || press.metaKey || press.altKey) return;
    press.preventDefault();
    if (frame === undefined) return;
    this.choose(frame);
    this.reveal(this.frames.indexOf(frame));
  }

  /** Scrolls so that a row is in sight. */
  private reveal(place: number): void {
    const [top, bottom] = [place * this.rowHeight, (place + 1) * this.rowHeight];
    if (top < this.top) this.node.scrollTop = top;
    else if (bottom > this.top + this.height) this.node.scrollTop = bottom - this.height;
  }
}
