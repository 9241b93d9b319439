import { make } from "./dom";

/** The distance of a floating box to the edges of its window, in px. */
const MARGIN_PX = 6;

/**
 * A box over the page, beside a place of it. A press outside, Escape and `close` close it.
 *
 * Not a popover of kind `auto`: those close at the release of the press that opened them.
 */
export class Floating {
  readonly node: HTMLElement;
  private readonly closed: (hadFocus: boolean) => void;
  private stopListening: () => void = () => undefined;

  /** `closed` is called with whether the focus was in the box. */
  constructor(className: string, role: string, closed: (hadFocus: boolean) => void) {
    this.node = make("div", `popover ${className}`);
    Object.assign(this.node, { popover: "manual", role });
    this.closed = closed;
    this.node.addEventListener("keydown", (press) => {
      if (press.key !== "Escape") return;
      press.stopPropagation();
      this.close();
    });
  }

  get isOpen(): boolean {
    return this.node.matches(":popover-open");
  }

  /** Opens below a place, or above it where there is more room. */
  open({ left, top, bottom }: DOMRect): void {
    this.close();
    this.node.showPopover();
    const { ownerDocument } = this.node;
    const { innerWidth, innerHeight } = ownerDocument.defaultView ?? window;
    const { width, height } = this.node.getBoundingClientRect();
    const isBelow = bottom + height + MARGIN_PX <= innerHeight || top < innerHeight - bottom;
    const y = isBelow ? Math.min(bottom, innerHeight - height - MARGIN_PX) : top - height;
    const x = Math.min(left, innerWidth - width - MARGIN_PX);
    this.node.style.inset = `${Math.max(MARGIN_PX, y)}px auto auto ${Math.max(MARGIN_PX, x)}px`;
    const press = ({ target }: PointerEvent) => {
      if (!(target instanceof Node && this.node.contains(target))) this.close();
    };
    ownerDocument.addEventListener("pointerdown", press, { capture: true });
    this.stopListening = () => {
      ownerDocument.removeEventListener("pointerdown", press, { capture: true });
    };
  }

  close(): void {
    this.stopListening();
    if (!this.isOpen) return;
    const hadFocus = this.node.contains(this.node.ownerDocument.activeElement);
    this.node.hidePopover();
    this.closed(hadFocus);
  }
}
