import type { StockSymbol } from "@tapecast/client";
import { randomUserId, runtime, storage, streamUrl } from "../platform";
import { ChatStore } from "../store";
import type { Strings } from "../strings";
import { ChatView, type Badge, type ChatActions, type Panel } from "../view";
import type { PanelSite } from "./host";

const NAME_KEY = "tapecast.name";
const OWN_KEY = "tapecast.own-messages";

/** The user's name in chat rooms, which is also the session's label in the server's log; a number without a name. */
export const userId = (): string => storage.load(NAME_KEY) ?? randomUserId();

/** The chat. Its rooms are joined while it is closed too, because its button counts unread messages. */
export class ChatPanel implements Panel {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly store: ChatStore;
  private readonly view: ChatView;
  private readonly site: PanelSite;

  constructor(site: PanelSite) {
    this.site = site;
    const own = {
      load: () => storage.load(OWN_KEY),
      save: (text: string) => {
        storage.save(OWN_KEY, text);
      },
    };
    this.store = new ChatStore(site.client, runtime, own, site.redraw.invalidate);
    const actions: ChatActions = {
      choose: (topic) => {
        this.store.choose(topic);
        site.redraw.invalidateNow();
      },
      send: (text) => this.store.send(text),
      rename: (name) => {
        this.rename(name);
      },
      strings: site.strings,
    };
    this.view = new ChatView(actions, storage.load(NAME_KEY) ?? "");
    this.node = this.view.node;
    this.head = this.view.head;
  }

  open(): void {
    // The rooms are joined already.
  }

  close(): void {
    // As above.
  }

  select(symbol: StockSymbol | undefined): void {
    this.store.showSymbol(symbol);
  }

  draw(): void {
    if (document.visibilityState === "visible") this.store.seen();
    const { all, activeTopic, presence } = this.store;
    this.view.draw({ rooms: all, active: activeTopic, presence, now: this.site.now() });
  }

  focus(): void {
    this.draw();
    this.view.focus();
  }

  badge({ chat }: Strings): Badge {
    const { unread } = this.store;
    return { count: unread, words: chat.unread(unread) };
  }

  /** A name is part of a connection's URL, so a new one takes a new connection. */
  private rename(name: string): void {
    if (name === (storage.load(NAME_KEY) ?? "")) return;
    if (name === "") storage.remove(NAME_KEY);
    else storage.save(NAME_KEY, name);
    this.site.client.moveTo(streamUrl(userId()));
  }
}
