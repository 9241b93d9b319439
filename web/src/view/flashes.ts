/** Duration of the bright stage, and end of the dim stage, since the change. */
const LIT_MS = 250;
const DIM_MS = 600;

/**
 * Flashes the elements whose value changed.
 *
 * A flash has three stages (lit, dim, out), each set as an attribute. A CSS animation would be styled and painted in
 * every frame, for hundreds of elements at once. With `prefers-reduced-motion` only the text colour changes, until the
 * next change.
 */
export class Flashes {
  /** Start of each flash, oldest first. */
  private readonly lit = new Map<HTMLElement, number>();
  private readonly now: () => number;
  private readonly requestFade: () => void;

  /** `requestFade` is called while there are flashes to fade; it has to lead to a call of `fade`. */
  constructor(now: () => number, requestFade: () => void) {
    this.now = now;
    this.requestFade = requestFade;
  }

  flash(node: HTMLElement, direction: "up" | "down"): void {
    // Delete first: a map keeps the position of an existing key.
    this.lit.delete(node);
    this.lit.set(node, this.now());
    setStage(node, `${direction}-lit`);
    this.requestFade();
  }

  /** Moves flashes to the stage of their age. */
  fade(): void {
    const now = this.now();
    for (const [node, since] of this.lit) {
      const age = now - since;
      if (age < LIT_MS) break;
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
