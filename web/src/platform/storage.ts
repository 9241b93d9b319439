/** Storage that outlives the page, for settings and watchlists. */
export const storage = textStorage(() => localStorage);

/** Storage of this tab, for credentials. */
export const tabStorage = textStorage(() => sessionStorage);

/** Wraps a storage that may be forbidden (private windows) or full. In both cases the page works and stores nothing. */
function textStorage(of: () => Storage) {
  const attempt = <T>(act: () => T, fallback: T): T => {
    try {
      return act();
    } catch {
      return fallback;
    }
  };
  return {
    load: (key: string): string | null => attempt(() => of().getItem(key), null),
    save(key: string, text: string): void {
      attempt(() => {
        of().setItem(key, text);
      }, undefined);
    },
    /** Calls back when another tab changes or clears this key. */
    onChange(key: string, changed: () => void): void {
      addEventListener("storage", (event) => {
        if (event.key === key || event.key === null) changed();
      });
    },
    remove(key: string): void {
      attempt(() => {
        of().removeItem(key);
      }, undefined);
    },
  };
}
