import { CHANNELS, type Client, type Streams } from "@tapecast/client";

/**
 * Counts who uses which stream: the first use subscribes, the end of the last one unsubscribes.
 *
 * Several parts of the page may show one symbol, such as two charts and the watchlist.
 */
export class StreamUses {
  private readonly client: Pick<Client, "subscribe" | "unsubscribe">;
  /** The number of uses by `channel symbol`. */
  private readonly uses = new Map<string, number>();

  constructor(client: Pick<Client, "subscribe" | "unsubscribe">) {
    this.client = client;
  }

  /** Uses streams until the returned function is called, once. */
  use(streams: Streams): () => void {
    this.client.subscribe(this.count(streams, 1));
    return () => {
      this.client.unsubscribe(this.count(streams, -1));
    };
  }

  /** Whether anything uses this stream. */
  isUsed(channel: (typeof CHANNELS)[number], symbol: string): boolean {
    return this.uses.has(`${channel} ${symbol}`);
  }

  /** Counts, and returns the streams whose first use began or whose last one ended. */
  private count(streams: Streams, change: 1 | -1): Streams {
    const turned: Partial<Record<(typeof CHANNELS)[number], readonly string[]>> = {};
    for (const channel of CHANNELS) {
      const symbols = (streams[channel] ?? []).filter((symbol) => {
        const key = `${channel} ${symbol}`;
        const before = this.uses.get(key) ?? 0;
        if (before + change === 0) this.uses.delete(key);
        else this.uses.set(key, before + change);
        return change > 0 ? before === 0 : before === 1;
      });
      if (symbols.length > 0) turned[channel] = symbols;
    }
    return turned;
  }
}
