/** A part of the page that is fetched after the rest. What is asked of it until then is done, in order, when it is there. */
export class Later<Part> {
  private part: Part | undefined;
  private asked: ((part: Part) => void)[] = [];

  constructor(made: Promise<Part>, missing: () => void) {
    made.then((part) => {
      this.part = part;
      for (const act of this.asked) act(part);
      this.asked = [];
    }, missing);
  }

  /** The part, if it is there. */
  get now(): Part | undefined {
    return this.part;
  }

  do(act: (part: Part) => void): void {
    if (this.part === undefined) this.asked.push(act);
    else act(this.part);
  }
}
