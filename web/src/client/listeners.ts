type Listener<T> = (value: T) => void;

/** Listeners by the name of what they listen to. Whoever adds one gets the means to remove it. */
export class Listeners<Events extends object> {
  private readonly byName: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  add<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    const set = (this.byName[name] ??= new Set());
    set.add(listener);
    return () => {
      set.delete(listener);
    };
  }

  tell<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    this.byName[name]?.forEach((listener) => {
      listener(value);
    });
  }
}
