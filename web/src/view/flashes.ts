/** How long a figure that moved is lit, and until when its light is dim, from the movement on. */
const LIT_MS = 250;
const DIM_MS = 600;

/**
 * The figures that are lit because they moved. A light has three stages, bright, dim and out, and each is one
 * attribute: an animation would be styled and painted anew in every frame, for hundreds of figures at once.
 * Who wants less motion sees the colour alone, which stays until the next movement.
 */
export class Flashes {
  /** When each was lit, the oldest first. */
  private readonly lit = new Map<HTMLElement, number>();
  private readonly now: () => number;
  private readonly burns: () => void;

  /** Calls back when there is something that has to fade. */
  constructor(now: () => number, burns: () => void) {
    this.now = now;
    this.burns = burns;
  }

  light(node: HTMLElement, direction: "up" | "down"): void {
    // To the end of the line.
    this.lit.delete(node);
    this.lit.set(node, this.now());
    turn(node, `${direction}-lit`);
    this.burns();
  }

  /** Turns on all lights whose time has come. */
  fade(): void {
    const now = this.now();
    for (const [node, since] of this.lit) {
      const age = now - since;
      if (age < LIT_MS) break;
      const direction = node.dataset["flash"]?.startsWith("up") === true ? "up" : "down";
      turn(node, `${direction}-${age < DIM_MS ? "dim" : "out"}`);
      if (age >= DIM_MS) this.lit.delete(node);
    }
    if (this.lit.size > 0) this.burns();
  }
}

function turn(node: HTMLElement, flash: string): void {
  if (node.dataset["flash"] !== flash) node.dataset["flash"] = flash;
}
