import { getJson, getText } from "../platform";
import { loadSourceStore, type SourceStore } from "../store";
import type { Strings } from "../strings";
import { loadSourceView, type Panel, type SourceView } from "../view";
import type { PanelSite } from "./host";
import { sourceFigures } from "./source-figures";

/** What feeds the page: the server, its feed, its place in a cluster, its history. While it is closed nothing is asked. */
export class SourcePanel implements Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly view: SourceView;
  private readonly makeStore: () => SourceStore;
  private readonly site: PanelSite;
  private store: SourceStore | undefined;
  private roundTrip: number | undefined;
  private stopListening: () => void = () => undefined;

  static async load(site: PanelSite): Promise<SourcePanel> {
    const [Store, View] = await Promise.all([loadSourceStore(), loadSourceView()]);
    return new SourcePanel(site, Store, View);
  }

  private constructor(site: PanelSite, Store: typeof SourceStore, View: typeof SourceView) {
    this.site = site;
    const { key, now, redraw } = site;
    this.makeStore = () =>
      new Store({ getJson: (path) => getJson(path, key()), getText: (path) => getText(path, key()), now, changed: redraw.invalidate });
    this.view = new View();
    this.node = this.view.node;
    this.head = this.view.head;
  }

  open(): void {
    this.store = this.makeStore();
    this.stopListening = this.site.client.on("roundTrip", (ms) => {
      this.roundTrip = ms;
    });
  }

  close(): void {
    this.store?.end();
    this.store = undefined;
    this.stopListening();
    this.roundTrip = undefined;
  }

  draw(strings: Strings): void {
    const { client, store: market, now, selected } = this.site;
    if (this.store === undefined) return;
    this.store.tick({ isLive: client.isAcknowledged, epoch: client.serverEpoch, symbol: selected() });
    const page = { epoch: client.serverEpoch, counters: client.counters, healed: market.healed, reading: market.meter.read(now()), roundTrip: this.roundTrip };
    this.view.draw(sourceFigures(this.store.info, page, now(), strings));
  }

  focus(): void {
    this.view.focus();
  }
}
