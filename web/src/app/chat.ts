import type { FullClient, StockSymbol } from "@tapecast/client";
import { randomUserId, runtime, storage, streamUrl } from "../platform";
import { ChatStore } from "../store";
import type { Strings } from "../strings";
import * as view from "../view";

const NAME_KEY = "tapecast.name";
const OWN_KEY = "tapecast.own-messages";

/** The slots of 100 ms between two drawings. */
const SLOTS = 2;

/** The user's name in chat rooms, which is also the session's label in the server's log; a number without a name. */
export const userId = (): string => storage.load(NAME_KEY) ?? randomUserId();

/** What the chat needs from the page. */
export interface ChatHost {
  readonly client: FullClient;
  readonly scheduler: view.FrameScheduler;
  readonly panels: view.SidePanels;
  readonly strings: () => Strings;
}

/** The chat: connects its store with its panel. */
export class Chat {
  private readonly host: ChatHost;
  private readonly store: ChatStore;
  private readonly panel: view.ChatPanel;
  private readonly drawing: view.Invalidation;

  constructor(host: ChatHost) {
    this.host = host;
    this.drawing = host.scheduler.add(SLOTS, () => {
      this.draw();
    });
    const own = {
      load: () => storage.load(OWN_KEY),
      save: (text: string) => {
        storage.save(OWN_KEY, text);
      },
    };
    this.store = new ChatStore(host.client, runtime, own, this.drawing.invalidate);
    const actions: view.ChatActions = {
      choose: (topic) => {
        this.store.choose(topic);
        this.drawing.invalidateNow();
      },
      send: (text) => this.store.send(text),
      rename: (name) => {
        this.rename(name);
      },
      close: () => {
        host.panels.close();
      },
      strings: host.strings,
    };
    this.panel = new view.ChatPanel(actions, storage.load(NAME_KEY) ?? "");
    host.panels.add(this.panel);
  }

  showSymbol(symbol: StockSymbol | undefined): void {
    this.store.showSymbol(symbol);
  }

  /** Time passed, or a panel was opened, or the language changed. */
  readonly tick = (): void => {
    if (this.host.panels.isOpen(this.panel.id) && document.visibilityState === "visible") this.store.seen();
    this.drawing.invalidate();
  };

  /** A name is part of a connection's URL, so a new one takes a new connection. */
  private rename(name: string): void {
    if (name === (storage.load(NAME_KEY) ?? "")) return;
    if (name === "") storage.remove(NAME_KEY);
    else storage.save(NAME_KEY, name);
    this.host.client.moveTo(streamUrl(userId()));
  }

  private draw(): void {
    const { all, activeTopic, unread, presence } = this.store;
    this.panel.draw({ rooms: all, active: activeTopic, unread, presence, now: runtime.now() });
  }
}
