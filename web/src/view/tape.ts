import { formatCount, formatMillis, formatPrice } from "../format";
import type { TimeAndSales, SalesRow } from "../market";
import type { Strings } from "../strings";
import { byId, make, setText } from "./dom";

/** One line of time and sales on the screen; it is given another trade instead of being made anew. */
class Line {
  readonly node: HTMLElement;
  private readonly time = make("span", "");
  private readonly price = make("span", "tape-price");
  private readonly size = make("span", "");
  private shown: SalesRow | undefined;
  private top = -1;

  constructor() {
    for (const cell of [this.time, this.price, this.size]) cell.role = "cell";
    this.node = make("div", "tape-row", this.time, this.price, this.size);
    this.node.role = "row";
  }

  show(line: SalesRow, top: number, strings: Strings): void {
    if (top !== this.top) this.node.style.transform = `translateY(${top}px)`;
    this.top = top;
    if (line === this.shown) return;
    this.shown = line;
    if (line.kind === "gap") {
      setText(this.time, strings.missingTrades(formatCount(line.missing)));
      setText(this.price, "");
      setText(this.size, "");
      this.node.dataset["side"] = "hole";
      return;
    }
    setText(this.time, formatMillis(line.time));
    setText(this.price, formatPrice(line.price));
    setText(this.size, formatCount(line.size));
    this.node.dataset["side"] = line.side;
  }
}

/**
 * The tape on the screen, the newest on top. Only lines in sight exist. It stands still while it is paused,
 * and while the reader has scrolled away from the top: then new lines are counted and wait above.
 */
export class TapeView {
  private readonly scroll = byId("tape-scroll", HTMLElement);
  private readonly room = byId("tape-room", HTMLElement);
  private readonly button = byId("tape-pause", HTMLButtonElement);
  private readonly buttonText = byId("tape-pause-text", HTMLElement);
  private readonly lines: Line[] = [];
  private readonly lineHeight: number;
  private height = 0;
  /** How far it is scrolled, as the browser last told: to ask for it would force a layout. */
  private top = 0;
  private tape: TimeAndSales | undefined;
  private isPaused = false;
  /** Held with the whole board, by no button of the tape's. */
  private isHeld = false;
  /** The number after the newest line shown, when the tape stands still. */
  private heldAt: number | undefined;
  private drawn = "";

  constructor(mark: () => void) {
    this.lineHeight = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--tape-row"));
    this.button.addEventListener("click", () => {
      this.toggle();
      mark();
    });
    const scrolled = () => {
      this.top = this.scroll.scrollTop;
      mark();
    };
    this.scroll.addEventListener("scroll", scrolled, { passive: true });
    new ResizeObserver(([entry]) => {
      this.height = entry?.contentRect.height ?? 0;
      mark();
    }).observe(this.scroll);
  }

  choose(tape: TimeAndSales | undefined): void {
    this.tape = tape;
    // What was held were another symbol's lines.
    this.isHeld = false;
    this.isPaused = false;
    this.button.ariaPressed = "false";
    this.heldAt = undefined;
    this.drawn = "";
    this.toTop();
    this.lines.length = 0;
    this.room.replaceChildren();
  }

  toggle(): void {
    this.isPaused = !this.isPaused;
    this.button.ariaPressed = String(this.isPaused);
    if (!this.isPaused) this.toTop();
  }

  /**
   * A key or a wheel scrolls for many frames, and in Chromium what is left of its way is gone even from where a script
   * put the box meanwhile. A smooth scroll of the script's takes the key's place; the jump ends it before it begins.
   */
  private toTop(): void {
    if (this.top === 0) return;
    this.top = 0;
    this.scroll.scrollTo({ top: 0, behavior: "smooth" });
    this.scroll.scrollTo({ top: 0, behavior: "instant" });
  }

  /** Holds the lines that are there, or lets them go on. The reader may still scroll through them. */
  hold(is: "held" | "let go"): void {
    this.isHeld = is === "held";
  }

  draw(strings: Strings): void {
    const { tape, top } = this;
    if (tape === undefined) return;
    const stands = this.isPaused || this.isHeld || top > this.lineHeight;
    this.heldAt = stands ? Math.max(this.heldAt ?? tape.end, tape.start) : undefined;
    const end = this.heldAt ?? tape.end;
    const state = `${end} ${tape.start} ${top} ${this.height} ${tape.revision} ${strings.language}`;
    if (this.drawn === state) return;
    this.drawn = state;
    const waiting = tape.end - end;
    setText(this.buttonText, waiting > 0 ? strings.newTrades(formatCount(waiting)) : this.isPaused ? strings.resume : strings.pause);
    this.drawLines(tape, end, top, strings);
  }

  private drawLines(tape: TimeAndSales, end: number, top: number, strings: Strings): void {
    const total = end - tape.start;
    this.room.style.height = `${total * this.lineHeight}px`;
    const first = Math.max(0, Math.floor(top / this.lineHeight) - 2);
    const wanted = Math.min(total - first, Math.ceil(this.height / this.lineHeight) + 4);
    while (this.lines.length < wanted) {
      const line = new Line();
      this.lines.push(line);
      this.room.append(line.node);
    }
    this.lines.forEach((line, at) => {
      const place = first + at;
      const what = at < wanted ? tape.row(end - 1 - place) : undefined;
      line.node.hidden = what === undefined;
      if (what !== undefined) line.show(what, place * this.lineHeight, strings);
    });
  }
}
