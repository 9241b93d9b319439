import type { Millis, Presence } from "@tapecast/client";
import { LOBBY, nameOfRoom, type RoomLine, type SendError, type ShownRoom } from "../topics";
import type { Strings } from "../strings";
import { make, setData, setText } from "./dom";
import { panelSection } from "./panel-parts";

/** What the panel shows. */
export interface ChatState {
  readonly rooms: readonly ShownRoom[];
  readonly active: string;
  readonly presence: Presence | undefined;
  readonly now: Millis;
}

export interface ChatActions {
  readonly choose: (topic: string) => void;
  /** Resolves to why the text was not sent, or undefined. */
  readonly send: (text: string) => Promise<SendError | undefined>;
  /** The user chose another name; an empty one is none. */
  readonly rename: (name: string) => void;
  readonly strings: () => Strings;
}

/** No text is longer than this, so that no message closes the connection. The server's own limit is lower. */
const MAX_LENGTH = 10_000;

const MAX_NAME_LENGTH = 32;

/** Names of those who are present, before the list is cut. */
const MAX_NAMES = 12;

/** Within this many px of its end a log follows new messages. */
const FOLLOW_PX = 24;

/** The chat rooms: their messages, who is there, and a field to write in. Texts of others are only ever text nodes. */
export class ChatView {
  readonly node: HTMLElement;
  readonly head: HTMLElement;
  private readonly tabs = make("div", "segments chat-rooms");
  private readonly presence = make("p", "chat-presence");
  private readonly log = make("div", "chat-log");
  private readonly empty = make("p", "chat-empty");
  private readonly name = make("input", "chat-name");
  private readonly field = make("input", "chat-text");
  private readonly submit = make("button", "button small");
  private readonly status = make("p", "chat-status");
  private readonly actions: ChatActions;
  private readonly nodes = new Map<RoomLine, HTMLElement>();
  private shownTopic = "";
  private shownLines: readonly RoomLine[] = [];
  private language = "";
  private isSending = false;
  private cancelError: () => void = () => undefined;

  constructor(actions: ChatActions, name: string) {
    this.actions = actions;
    Object.assign(this.log, { role: "log", tabIndex: 0 });
    this.log.dataset["label"] = "chatLog";
    this.tabs.role = "group";
    this.tabs.dataset["label"] = "chatRooms";
    this.status.role = "status";
    const { node, head } = panelSection("chat-panel", "chat");
    node.append(this.tabs, this.presence, this.log, this.form(name), this.status);
    this.node = node;
    this.head = head;
  }

  focus(): void {
    if (this.field.disabled) this.log.focus();
    else this.field.focus();
    this.log.scrollTop = this.log.scrollHeight;
  }

  draw(state: ChatState): void {
    const strings = this.actions.strings();
    this.drawTabs(state, strings);
    setText(this.presence, state.presence === undefined ? "" : presenceText(state.presence, strings));
    this.drawLog(state, strings);
    this.drawAccess(state, strings);
  }

  private form(name: string): HTMLFormElement {
    Object.assign(this.name, { type: "text", maxLength: MAX_NAME_LENGTH, value: name, autocomplete: "nickname", spellcheck: false });
    this.name.dataset["label"] = "chatName";
    Object.assign(this.field, { type: "text", maxLength: MAX_LENGTH, autocomplete: "off", enterKeyHint: "send" });
    this.field.dataset["label"] = "chatText";
    this.submit.type = "submit";
    this.submit.dataset["text"] = "chatSend";
    this.name.addEventListener("change", () => {
      this.name.value = this.name.value.trim();
      this.actions.rename(this.name.value);
    });
    const form = make("form", "chat-form", this.name, this.field, this.submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    return form;
  }

  /** Sends what is written. It stays in the field until the server confirms it. */
  private async send(): Promise<void> {
    const text = this.field.value.trim();
    if (text === "" || this.isSending) return;
    this.isSending = true;
    this.showError("");
    const error = await this.actions.send(text);
    this.isSending = false;
    if (error !== undefined) this.showError(this.actions.strings().chat.error(error));
    else if (this.field.value.trim() === text) this.field.value = "";
    if (error?.kind === "tooFast") this.clearErrorAfter(error.retryMs);
  }

  private showError(sentence: string): void {
    this.cancelError();
    setText(this.status, sentence);
    setData(this.status, "kind", "error");
  }

  private clearErrorAfter(ms: number): void {
    const timer = setTimeout(() => {
      setText(this.status, "");
    }, ms);
    this.cancelError = () => {
      clearTimeout(timer);
    };
  }

  private drawTabs({ rooms, active }: ChatState, strings: Strings): void {
    const wanted = rooms.map(({ room }) => room.topic);
    const drawn = [...this.tabs.children].map((tab) => (tab instanceof HTMLElement ? tab.dataset["topic"] : ""));
    if (wanted.join() !== drawn.join()) this.tabs.replaceChildren(...wanted.map((topic) => this.tabOf(topic)));
    rooms.forEach(({ room }, at) => {
      const tab = this.tabs.children[at];
      if (!(tab instanceof HTMLElement)) return;
      const name = roomName(room.topic, strings);
      tab.ariaPressed = String(room.topic === active);
      tab.title = room.unread === 0 ? "" : strings.chat.unread(room.unread);
      setText(tab, room.unread === 0 ? name : `${name} (${room.unread})`);
    });
  }

  private tabOf(topic: string): HTMLButtonElement {
    const tab = make("button", "chat-room");
    tab.type = "button";
    tab.dataset["topic"] = topic;
    tab.addEventListener("click", () => {
      this.actions.choose(topic);
    });
    return tab;
  }

  /** Adds and removes the nodes of lines that are new or gone; the others stay as they are. */
  private drawLog({ rooms, active, now }: ChatState, strings: Strings): void {
    const lines = rooms.find(({ room }) => room.topic === active)?.room.lines ?? [];
    if (active === this.shownTopic && lines === this.shownLines && strings.language === this.language) return;
    const isOther = active !== this.shownTopic || strings.language !== this.language;
    const isFollowing = isOther || this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < FOLLOW_PX;
    if (isOther) {
      this.nodes.clear();
      this.showError("");
    }
    Object.assign(this, { shownTopic: active, shownLines: lines, language: strings.language });
    const known = new Set(lines);
    for (const [line, node] of this.nodes) {
      if (known.has(line)) continue;
      node.remove();
      this.nodes.delete(line);
    }
    if (isOther) this.log.replaceChildren();
    lines.forEach((line, at) => {
      if (this.nodes.has(line)) return;
      const node = lineNode(line, now, strings);
      this.nodes.set(line, node);
      this.log.insertBefore(node, this.log.children[at] ?? null);
    });
    if (isFollowing) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Says what cannot be done, and why the room is empty. */
  private drawAccess({ rooms, active }: ChatState, strings: Strings): void {
    const shown = rooms.find(({ room }) => room.topic === active);
    const access = shown?.access ?? "missing";
    const isServerWithout = rooms.every((one) => one.access === "missing");
    this.field.disabled = access !== "open";
    this.submit.disabled = access !== "open";
    const { chat } = strings;
    const [missing, nothing] = [isServerWithout ? chat.noTopics : chat.noRoom(roomName(active, strings)), chat.empty];
    const isEmpty = shown === undefined || shown.room.lines.length === 0;
    const text = access === "missing" ? missing : access === "connecting" ? chat.connecting : isEmpty ? nothing : "";
    setText(this.empty, text);
    if (text === "" || !isEmpty) this.empty.remove();
    else if (!this.empty.isConnected) this.log.replaceChildren(this.empty);
    if (access === "readOnly") {
      setText(this.status, chat.readOnly);
      setData(this.status, "kind", "note");
    } else if (this.status.dataset["kind"] === "note") {
      setText(this.status, "");
    }
  }
}

function roomName(topic: string, { chat }: Strings): string {
  return topic === LOBBY ? chat.lobby : nameOfRoom(topic);
}

function presenceText({ sessions, list }: Presence, { chat }: Strings): string {
  const names = list.slice(0, MAX_NAMES).join(", ") + (list.length > MAX_NAMES ? ", …" : "");
  return names === "" ? chat.present(sessions) : `${chat.present(sessions)}: ${names}`;
}

function lineNode(line: RoomLine, now: Millis, { chat, times }: Strings): HTMLElement {
  if (line.kind === "gap") return make("p", "chat-note", chat.gap(line.count));
  const time = make("time", "chat-time", times.moment(line.time, now).slice(0, -3));
  if (line.kind === "takenBack") return make("p", "chat-note", time, " ", chat.takenBack);
  const name = make("b", "chat-by", line.isOwn ? chat.you : line.by === "" ? chat.nameless : line.by);
  const node = make("p", "chat-line", time, " ", name, " ", make("span", "chat-words", line.text));
  node.dataset["own"] = String(line.isOwn);
  return node;
}
