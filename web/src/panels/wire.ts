import { copyText, echoUrlFrom, messagePackUrlFrom, Probe } from "../platform";
import { loadWireStore, type WireStore } from "../store";
import type { Strings } from "../strings";
import { loadWireView, type Panel, type WireActions, type WireView } from "../view";
import { copyAs, fillIn } from "../wire-log";
import type { PanelSite } from "./host";

/** Shown in the templates if the watchlist is empty. */
const ANY_SYMBOL = "AAPL";

/**
 * The wire. While it is closed there is no store: the client has no listener for messages, nothing is kept, and a trial
 * connection is closed.
 */
export class WirePanel implements Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly view: WireView;
  private readonly makeStore: () => WireStore;
  private readonly site: PanelSite;
  private store: WireStore | undefined;

  static async load(site: PanelSite): Promise<WirePanel> {
    const [Store, View] = await Promise.all([loadWireStore(), loadWireView()]);
    return new WirePanel(site, Store, View);
  }

  private constructor(site: PanelSite, Store: typeof WireStore, View: typeof WireView) {
    this.site = site;
    const { client, now, redraw } = site;
    this.makeStore = () =>
      new Store({
        client,
        now,
        urlOf: (target) => (target === "echo" ? echoUrlFrom : messagePackUrlFrom)(client.address),
        openProbe: (url, events) => new Probe(url, events),
        changed: redraw.invalidate,
      });
    this.view = new View(this.actions());
    this.node = this.view.node;
    this.head = this.view.head;
  }

  open(): void {
    this.store = this.makeStore();
  }

  close(): void {
    this.store?.end();
    this.store = undefined;
    this.view.clear();
  }

  draw(strings: Strings): void {
    if (this.store !== undefined) this.view.draw(this.store, strings);
  }

  focus(): void {
    this.view.focus();
  }

  showsError(): boolean {
    return this.store?.isRefused ?? false;
  }

  private actions(): WireActions {
    const { client, editor, redraw, selected, strings } = this.site;
    /** The next frame shows what the user did. */
    const act = (run: (store: WireStore) => void) => () => {
      if (this.store !== undefined) run(this.store);
      redraw.invalidateNow();
    };
    return {
      choose: (target) => {
        act((store) => { store.choose(target); })();
      },
      connect: act((store) => { store.connect(); }),
      disconnect: act((store) => { store.disconnect(); }),
      clear: act((store) => { store.log.clear(); }),
      send: (text) => {
        act((store) => { store.send(text); })();
      },
      fillIn: (template) => {
        // The page already has everything of the selected symbol.
        const { symbols } = editor.lists;
        const symbol = symbols.find((one) => one !== selected()) ?? symbols[0] ?? ANY_SYMBOL;
        return fillIn(template, { symbol, epoch: client.serverEpoch, keyId: undefined, id: `wire-${this.store?.nextCommand ?? 1}` });
      },
      copyAs: (format, text) => {
        const url = this.store?.connection.address ?? client.address;
        void this.copy(copyAs(format, { url, message: text.trim() === "" ? undefined : text }));
      },
      copy: (text) => {
        void this.copy(text);
      },
      redraw: redraw.invalidateNow,
      strings,
    };
  }

  private async copy(text: string): Promise<void> {
    const { wire } = this.site.strings();
    this.view.tell((await copyText(text, this.node.ownerDocument.defaultView ?? window)) ? wire.copied : wire.notCopied);
  }
}
