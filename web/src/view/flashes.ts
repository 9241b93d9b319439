import type { TickFlash, TickFlashes } from "../market";

/** Duration of the bright stage, and end of the dim stage, since the change. */
const LIT_MS = 250;
const DIM_MS = 600;

/**
 * Flashes the elements whose value changed.
 *
 * A flash has three stages (lit, dim, out), each set as an attribute; a faint one begins with the second. A CSS animation
 * would be styled and painted in every frame, for hundreds of elements at once. With `prefers-reduced-motion` the style
 * sheet shows none.
 */
export class Flashes {
  /** Start of the bright stage of each flash. */
  private readonly lit = new Map<HTMLElement, number>();
  private readonly now: () => number;
  private readonly requestFade: () => void;

  /** `requestFade` is called while there are flashes to fade; it has to lead to a call of `fade`. */
  constructor(now: () => number, requestFade: () => void) {
    this.now = now;
    this.requestFade = requestFade;
  }

  /** An element shows another value: it flashes if its history says so. */
  change(node: HTMLElement, ticks: TickFlashes, value: number): void {
    const flash = ticks.change(value, this.now());
    if (flash !== undefined) this.flash(node, flash);
  }

  flash(node: HTMLElement, { direction, strength }: TickFlash): void {
    const isBright = strength === "bright";
    this.lit.set(node, this.now() - (isBright ? 0 : LIT_MS));
    setStage(node, `${direction}-${isBright ? "lit" : "dim"}`);
    this.requestFade();
  }

  /** Moves flashes to the stage of their age. */
  fade(): void {
    const now = this.now();
    for (const [node, since] of this.lit) {
      const age = now - since;
      if (age < LIT_MS) continue;
      const direction = node.dataset["flash"]?.startsWith("up") === true ? "up" : "down";
      setStage(node, `${direction}-${age < DIM_MS ? "dim" : "out"}`);
      if (age >= DIM_MS) this.lit.delete(node);
    }
    if (this.lit.size > 0) this.requestFade();
  }
}

function setStage(node: HTMLElement, stage: string): void {
  if (node.dataset["flash"] !== stage) node.dataset["flash"] = stage;
}
