import { runtimeOf, type Key, type Runtime } from "./client";
import { millis, type Millis } from "./model";

/** The browser as the client's runtime. */
export const runtime: Runtime = { ...runtimeOf(window), now: wallClock() };

/**
 * A wall clock with sub-millisecond resolution.
 *
 * `Date.now` has whole milliseconds. `performance.now` is finer, but drifts from the wall clock when the machine sleeps
 * or the clock is set, so it is aligned to `Date.now` whenever the two differ by more than 2 ms.
 */
function wallClock(): () => Millis {
  let offset = performance.timeOrigin;
  return () => {
    const coarse = Date.now();
    if (Math.abs(performance.now() + offset - coarse) > 2) offset = coarse + 0.5 - performance.now();
    return millis(performance.now() + offset);
  };
}

/** The URL of the stream. The random user id distinguishes the sessions in the server's log. */
export function streamUrl(): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const userId = 1 + Math.floor(Math.random() * 9_999);
  return `${scheme}//${location.host}/websocket/connect?userId=${userId}`;
}

/** Sends a GET request, with credentials if there is a key; undefined if it fails. */
export async function getJson(path: string, key: Key | undefined): Promise<unknown> {
  const credentials = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  try {
    const response = await fetch(path, { headers: { Accept: "application/json", ...credentials } });
    return response.ok ? ((await response.json()) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

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
    remove(key: string): void {
      attempt(() => {
        of().removeItem(key);
      }, undefined);
    },
  };
}

/** The URL of the page, whose query describes the current view. Changes add no entry to the browser's history. */
export const address = {
  query: (): URLSearchParams => new URLSearchParams(location.search),
  write(query: string): void {
    if (query !== location.search) history.replaceState(null, "", query === "" ? location.pathname : query);
  },
  /** Copies the URL to the clipboard; false if that is not permitted. */
  async copy(): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(location.href);
      return true;
    } catch {
      return false;
    }
  },
};
