import { StreamView, type Panel } from "../view";
import type { PanelSite } from "./host";

/** Figures about the stream itself: counters, rates and the latency. */
export class StreamPanel implements Panel {
  private readonly view = new StreamView();
  readonly node = this.view.node;
  readonly head = this.view.head;
  private readonly site: PanelSite;

  constructor(site: PanelSite) {
    this.site = site;
  }

  open(): void {
    // The page counts for its meters anyway.
  }

  close(): void {
    // Nothing was begun.
  }

  draw(): void {
    const { client, store, now } = this.site;
    const time = now();
    this.view.draw(client.counters, store.healed, store.rates.read(time, client.counters), store.meter.read(time));
  }
}
