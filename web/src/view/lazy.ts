/** A part of the page that is loaded later. Calls made before are queued and run in order once it is loaded. */
export class Lazy<Part> {
  private part: Part | undefined;
  private queue: ((part: Part) => void)[] = [];

  constructor(loading: Promise<Part>, onError: () => void) {
    loading.then((part) => {
      this.part = part;
      for (const act of this.queue) act(part);
      this.queue = [];
    }, onError);
  }

  /** The part, or undefined if it is not loaded yet. */
  get loaded(): Part | undefined {
    return this.part;
  }

  whenLoaded(act: (part: Part) => void): void {
    if (this.part === undefined) this.queue.push(act);
    else act(this.part);
  }
}
