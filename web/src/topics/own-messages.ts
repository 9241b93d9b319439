import type { Millis, Seq } from "@tapecast/client";

/** A message by its topic, its number and its time: numbers begin again when a server does. */
const keyOf = (topic: string, seq: Seq, time: Millis): string => `${topic} ${seq} ${time}`;

/** What is remembered: as many messages as a server keeps in five rooms by default. */
const MAX_MESSAGES = 500;

/** Which messages the user published from this browser, also before the page was loaded. */
export class OwnMessages {
  private keys = new Set<string>();
  private isChanged = false;

  /** Adds what `toText` returned, of this page or of another tab; anything else is ignored. */
  merge(text: string | null): void {
    this.keys = new Set([...stored(text), ...this.keys].slice(-MAX_MESSAGES));
  }

  toText(): string {
    return JSON.stringify([...this.keys]);
  }

  has(topic: string, seq: Seq, time: Millis): boolean {
    return this.keys.has(keyOf(topic, seq, time));
  }

  add(topic: string, seq: Seq, time: Millis): void {
    const before = this.keys.size;
    this.keys.add(keyOf(topic, seq, time));
    this.isChanged ||= this.keys.size > before;
  }

  /** Whether messages were added since the last call. */
  takeChanged(): boolean {
    const { isChanged } = this;
    this.isChanged = false;
    return isChanged;
  }
}

function stored(text: string | null): readonly string[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}
