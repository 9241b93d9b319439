import { make, setData, setText } from "./dom";

/** Marks the first bar of all that the server has: nothing is to be found on its left. */
export class HistoryStart {
  private readonly text = make("span", "");
  readonly node = make("p", "history-start", this.text);
  private x: number | undefined;

  constructor() {
    this.node.hidden = true;
  }

  /** Shows a text at the first bar, on that side of it where there is more room; hides it if the bar is not in sight. */
  draw(x: number | undefined, width: number, text: string): void {
    this.node.hidden = x === undefined;
    if (x === undefined) return;
    setText(this.text, text);
    setData(this.node, "side", x < width / 2 ? "right" : "left");
    if (x !== this.x) this.node.style.transform = `translateX(${x}px)`;
    this.x = x;
  }
}
