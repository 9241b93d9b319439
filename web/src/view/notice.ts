import type { Strings } from "../strings";
import { byId, setText } from "./dom";
import { icon } from "./icons";

/** How long a notice stays without the pointer or the focus on it. */
const INFO_MS = 6_000;
const ACTION_MS = 8_000;

export interface NoticeOptions {
  /**
   * An information leaves by itself. An error and an alert stay until they are dismissed. A state stays until `endState`: it describes
   * something that lasts.
   */
  readonly kind: "info" | "error" | "alert" | "state";
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** The distance of a notice to what is below and above it, in px. */
const DISTANCE = 10;

/**
 * One sentence over the page, with at most one action. It can be dismissed, and moves nothing but a panel on a small screen, which leaves
 * it room: what is written in would be covered otherwise.
 */
export class Notice {
  private readonly box = byId("notice", HTMLElement);
  private readonly text = byId("notice-text", HTMLElement);
  private readonly button = byId("notice-action", HTMLButtonElement);
  private readonly strings: () => Pick<Strings, "dismiss">;
  private run: () => void = () => undefined;
  private kind: NoticeOptions["kind"] | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private staysMs: number | undefined;

  constructor(strings: () => Pick<Strings, "dismiss">) {
    this.strings = strings;
    this.button.addEventListener("click", () => {
      const { run } = this;
      this.hide();
      run();
    });
    const close = byId("notice-close", HTMLButtonElement);
    close.append(icon("close"));
    close.addEventListener("click", () => {
      this.hide();
    });
    new ResizeObserver(() => {
      const { offsetHeight } = this.box;
      document.documentElement.style.setProperty("--notice-space", `${offsetHeight === 0 ? 0 : offsetHeight + 2 * DISTANCE}px`);
    }).observe(this.box);
    for (const event of ["pointerenter", "focusin"] as const) {
      this.box.addEventListener(event, () => {
        clearTimeout(this.timer);
      });
    }
    for (const event of ["pointerleave", "focusout"] as const) {
      this.box.addEventListener(event, () => {
        this.leaveLater();
      });
    }
  }

  show(sentence: string, { kind, action }: NoticeOptions): void {
    this.kind = kind;
    this.run = action?.run ?? (() => undefined);
    this.staysMs = kind !== "info" ? undefined : action === undefined ? INFO_MS : ACTION_MS;
    this.button.hidden = action === undefined;
    setText(this.button, action?.label ?? "");
    byId("notice-close", HTMLButtonElement).ariaLabel = this.strings().dismiss;
    this.box.dataset["kind"] = kind;
    // Again to the top: a dialog or a popover may have opened since.
    if (this.box.matches(":popover-open")) this.box.hidePopover();
    this.box.showPopover();
    setText(this.text, sentence);
    this.leaveLater();
  }

  /** The state that a notice describes is over. */
  endState(): void {
    if (this.kind === "state") this.hide();
  }

  /** Hides a notice with an action that is no longer possible. */
  endAction(): void {
    if (!this.button.hidden) this.hide();
  }

  private hide(): void {
    clearTimeout(this.timer);
    this.kind = undefined;
    if (this.box.matches(":popover-open")) this.box.hidePopover();
  }

  private leaveLater(): void {
    clearTimeout(this.timer);
    if (this.staysMs === undefined || this.kind === undefined) return;
    this.timer = setTimeout(() => {
      if (!this.box.matches(":hover, :focus-within")) this.hide();
    }, this.staysMs);
  }
}
