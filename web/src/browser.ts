import { runtimeOf, type Key, type Runtime } from "./client";
import { millis, type Millis } from "./model";

/** The browser as the rooms below want it: the only place that touches its clock, its storage and its network. */
export const runtime: Runtime = { ...runtimeOf(window), now: wallClock() };

/**
 * The time of day with fractions of a millisecond. `Date.now` has none, and `performance.now` walks
 * away from it when the machine sleeps or its clock is set; so the one is held to the other.
 */
function wallClock(): () => Millis {
  let offset = performance.timeOrigin;
  return () => {
    const coarse = Date.now();
    if (Math.abs(performance.now() + offset - coarse) > 2) offset = coarse + 0.5 - performance.now();
    return millis(performance.now() + offset);
  };
}

/** A number that tells this page's session from another in the server's log. */
export function streamUrl(): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const userId = 1 + Math.floor(Math.random() * 9_999);
  return `${scheme}//${location.host}/websocket/connect?userId=${userId}`;
}

/** The body of an answer to who has this key, or none; undefined when there is no answer to be had. */
export async function getJson(path: string, key: Key | undefined): Promise<unknown> {
  const shown = key === undefined ? {} : { "APCA-API-KEY-ID": key.id, "APCA-API-SECRET-KEY": key.secret };
  try {
    const response = await fetch(path, { headers: { Accept: "application/json", ...shown } });
    return response.ok ? ((await response.json()) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text from visit to visit; where storage is forbidden it is forgotten. */
export const storage = keeper(() => localStorage);

/** Keeps a text as long as this tab is open. */
export const tabStorage = keeper(() => sessionStorage);

function keeper(of: () => Storage) {
  /** Private windows and full discs: the page works, it only forgets. */
  const tried = <T>(act: () => T, otherwise: T): T => {
    try {
      return act();
    } catch {
      return otherwise;
    }
  };
  return {
    load: (key: string): string | null => tried(() => of().getItem(key), null),
    save(key: string, text: string): void {
      tried(() => {
        of().setItem(key, text);
      }, undefined);
    },
    forget(key: string): void {
      tried(() => {
        of().removeItem(key);
      }, undefined);
    },
  };
}

/** The page's address holds what is looked at; it changes without a new entry in the history. */
export const address = {
  query: (): URLSearchParams => new URLSearchParams(location.search),
  write(query: string): void {
    if (query !== location.search) history.replaceState(null, "", query === "" ? location.pathname : query);
  },
  /** Answers whether the address is in the clipboard now. */
  async copy(): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(location.href);
      return true;
    } catch {
      return false;
    }
  },
};
