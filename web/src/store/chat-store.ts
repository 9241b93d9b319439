import { RequestError, type FullClient, type Presence, type Runtime, type StockSymbol } from "@tapecast/client";
import { ChatRoom, LOBBY, OwnMessages, roomOf, type RoomAccess, type SendError, type ShownRoom } from "../topics";

/** Codes of errors about topics (docs/PROTOCOL.md, "Topics"). */
const ERRORS: Readonly<Partial<Record<number | string, Exclude<SendError["kind"], "tooFast" | "muted" | "other">>>> = {
  430: "noRoom",
  431: "notPermitted",
  432: "tooLong",
  500: "unanswered",
  timeout: "unanswered",
  disconnected: "disconnected",
};

/** A symbol that is selected for less long is passed over by the arrow keys: its room is not entered. */
const ENTER_MS = 300;

/** Presence is asked for at most this often. */
const PRESENCE_MS = 10_000;

/** Where it is kept which messages are the user's own. */
export interface OwnMessageStorage {
  readonly load: () => string | null;
  readonly save: (text: string) => void;
}

/** The chat rooms of the page: the lobby, that of the selected symbol, and those in which the user wrote. */
export class ChatStore {
  private readonly client: FullClient;
  private readonly runtime: Runtime;
  private readonly changed: () => void;
  private readonly own = new OwnMessages();
  private readonly ownStorage: OwnMessageStorage;
  private readonly rooms = new Map<string, ChatRoom>();
  /** Rooms in which this session may not publish. */
  private readonly readOnly = new Set<string>();
  /** Rooms that stay when another symbol is selected. */
  private readonly kept = new Set<string>([LOBBY]);
  private active = LOBBY;
  private presences = new Map<string, Presence>();
  private askedAt = Number.NEGATIVE_INFINITY;
  private cancelEnter: () => void = () => undefined;

  /** `changed` is called when something that is shown may have changed. */
  constructor(client: FullClient, runtime: Runtime, ownStorage: OwnMessageStorage, changed: () => void) {
    this.ownStorage = ownStorage;
    this.own.merge(ownStorage.load());
    this.client = client;
    this.runtime = runtime;
    this.changed = changed;
    const { topics } = client;
    topics.on("message", (message) => {
      this.update(message.topic, (room) => { room.apply(message); });
    });
    topics.on("gap", ({ topic, from, to }) => {
      this.update(topic, (room) => { room.addGap(to - from + 1); });
    });
    topics.on("restart", ({ topic }) => {
      this.update(topic, (room) => { room.clear(); });
    });
    topics.on("status", ({ topic, status }) => {
      // A server of another kind, or the same with other settings.
      if (status === "pending") this.readOnly.delete(topic);
      if (status === "subscribed" && topic === this.active) this.askedAt = Number.NEGATIVE_INFINITY;
      changed();
    });
    this.enter(LOBBY);
  }

  get all(): readonly ShownRoom[] {
    return [...this.rooms.values()].map((room) => ({ room, access: this.accessOf(room.topic) }));
  }

  get activeTopic(): string {
    return this.active;
  }

  get unread(): number {
    return [...this.rooms.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  get presence(): Presence | undefined {
    return this.presences.get(this.active);
  }

  /** Enters the room of the selected symbol and leaves that of the previous one. */
  showSymbol(symbol: StockSymbol | undefined): void {
    this.cancelEnter();
    this.cancelEnter = this.runtime.after(ENTER_MS, () => {
      this.enterOnly(symbol === undefined ? undefined : roomOf(symbol));
    });
  }

  choose(topic: string): void {
    if (!this.rooms.has(topic)) return;
    this.active = topic;
    this.askedAt = Number.NEGATIVE_INFINITY;
    this.changed();
  }

  /** The room in view is seen. Asks for its presence now and then. */
  seen(): void {
    const room = this.rooms.get(this.active);
    if (room !== undefined && room.unread > 0) {
      room.markRead();
      this.changed();
    }
    const isThere = this.client.topics.statusOf(this.active) === "subscribed";
    if (isThere && this.runtime.now() - this.askedAt >= PRESENCE_MS) void this.askPresence();
  }

  /** Sends a text to the room in view; undefined if it is published. */
  async send(text: string): Promise<SendError | undefined> {
    const topic = this.active;
    this.kept.add(topic);
    try {
      const { seq } = await this.client.topics.publish(topic, { text });
      this.update(topic, (room) => { room.markOwn(seq); });
      return undefined;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const reason = errorOf(error);
      if (reason.kind === "notPermitted") this.readOnly.add(topic);
      this.changed();
      return reason;
    }
  }

  private update(topic: string, act: (room: ChatRoom) => void): void {
    const room = this.rooms.get(topic);
    if (room === undefined) return;
    act(room);
    if (this.own.takeChanged()) {
      // Another tab may have stored its own meanwhile.
      this.own.merge(this.ownStorage.load());
      this.ownStorage.save(this.own.toText());
    }
    this.changed();
  }

  private enterOnly(topic: string | undefined): void {
    const left = [...this.rooms.keys()].filter((known) => known !== topic && !this.kept.has(known));
    const wasInSymbol = left.includes(this.active);
    this.client.topics.unsubscribe(left);
    for (const known of left) this.rooms.delete(known);
    if (topic !== undefined) this.enter(topic);
    if (wasInSymbol) this.choose(topic ?? LOBBY);
    this.changed();
  }

  private enter(topic: string): void {
    if (this.rooms.has(topic)) return;
    this.rooms.set(topic, new ChatRoom(topic, this.runtime.now(), this.own));
    this.client.topics.subscribe([topic], { history: "all" });
  }

  private accessOf(topic: string): RoomAccess {
    const status = this.client.topics.statusOf(topic);
    if (status === "rejected") return "missing";
    if (status !== "subscribed") return "connecting";
    return this.readOnly.has(topic) ? "readOnly" : "open";
  }

  private async askPresence(): Promise<void> {
    const topic = this.active;
    this.askedAt = this.runtime.now();
    try {
      this.presences.set(topic, await this.client.topics.presence(topic));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      // Not told, or no answer: nothing is shown.
      this.presences.delete(topic);
    }
    this.changed();
  }
}

function errorOf({ code, message, retryMs }: RequestError): SendError {
  // The server tells a mute by its explanation alone (docs/TOPICS.md, "Moderation").
  const seconds = code === 431 ? /muted for (\d+) s/.exec(message)?.[1] : undefined;
  if (seconds !== undefined) return { kind: "muted", seconds: Number(seconds) };
  if (code === 433) return { kind: "tooFast", retryMs: retryMs ?? 1_000 };
  const kind = ERRORS[code];
  return kind === undefined ? { kind: "other", code, message } : { kind };
}
