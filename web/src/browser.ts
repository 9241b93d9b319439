import { worldOf, type World } from "./client";
import { millis, type Millis } from "./model";

/** The browser as the rooms below want it: the only place that touches its clock, its storage and its network. */
export const world: World = { ...worldOf(window), now: wallClock() };

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

/** The body of an answer; undefined when there is none to be had. */
export async function getJson(path: string): Promise<unknown> {
  try {
    const response = await fetch(path, { headers: { Accept: "application/json" } });
    return response.ok ? ((await response.json()) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text from visit to visit; where storage is forbidden it is forgotten. */
export const storage = {
  load(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  save(key: string, text: string): void {
    try {
      localStorage.setItem(key, text);
    } catch {
      // Private windows and full discs: the page works, it only forgets.
    }
  },
};

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
