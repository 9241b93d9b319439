type Listener<T> = (value: T) => void;

/** A typed event emitter. */
export class Listeners<Events extends object> {
  private readonly byName: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Adds a listener; returns a function that removes it. */
  add<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const set = (this.byName[name] ??= new Set());
    set.add(listener);
    return () => {
      set.delete(listener);
    };
  }

  /** False if an event of this name would reach nobody, so that it need not be made. */
  has(name: keyof Events): boolean {
    return (this.byName[name]?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    this.byName[name]?.forEach((listener) => {
      listener(value);
    });
  }
}
