import { formatAge, formatBytes, formatCount, NONE } from "../../format";
import { byId, icon, make, setData, setText } from "../../view";
import { slownessOf, stallCause, type SessionDetail } from "../model";
import { DETAIL_ROWS, type AdminTexts, type DetailRow } from "../strings";
import { FigureList } from "./parts";
import type { SessionContext } from "./sessions-view";

export interface DetailActions {
  readonly mute: (session: SessionDetail) => void;
  readonly disconnect: (session: SessionDetail) => void;
  readonly closed: () => void;
}

/** One session: why it is slow, its figures and its subscriptions, at the side of the page. */
export class SessionDetailView {
  private readonly dialog = byId("detail", HTMLDialogElement);
  private readonly title = byId("detail-title", HTMLElement);
  private readonly mute = byId("detail-mute", HTMLButtonElement);
  private readonly disconnect = byId("detail-disconnect", HTMLButtonElement);
  private readonly pace = make("span", "pace");
  private readonly reason = make("span", "reason-text");
  private readonly cause = make("p", "fact");
  private readonly gone = make("p", "fact");
  private readonly figures = new FigureList<DetailRow>(DETAIL_ROWS);
  private readonly lists = make("div", "");
  /** What the lists show. */
  private listed = "";
  private session: SessionDetail | undefined;

  constructor(actions: DetailActions) {
    const close = byId("detail-close", HTMLButtonElement);
    close.append(icon("close"));
    close.addEventListener("click", () => {
      this.dialog.close();
    });
    // A press beside the drawer.
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("close", actions.closed);
    this.mute.addEventListener("click", () => {
      if (this.session !== undefined) actions.mute(this.session);
    });
    this.disconnect.addEventListener("click", () => {
      if (this.session !== undefined) actions.disconnect(this.session);
    });
    this.cause.id = "detail-cause";
    this.gone.id = "detail-gone";
    this.gone.role = "status";
    byId("detail-body", HTMLElement).append(make("p", "verdict figure", this.pace, this.reason), this.cause, this.gone, this.figures.node, this.lists);
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  open(address: string): void {
    this.session = undefined;
    this.lists.replaceChildren();
    this.listed = "";
    setText(this.title, address);
    this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  /** Shows a session, or the last figures of one that has ended; nothing until they are known. */
  draw(session: SessionDetail | undefined, state: "open" | "gone", context: SessionContext): void {
    const { texts } = context;
    this.session = session;
    this.figures.node.hidden = session === undefined;
    this.mute.disabled = this.disconnect.disabled = session === undefined || state === "gone";
    this.mute.ariaPressed = String(session?.isMuted === true);
    setText(this.mute, session?.isMuted === true ? texts.unmute : texts.mute);
    setText(this.gone, state === "gone" ? texts.gone : "");
    const cause = session && state === "open" ? stallCause(session) : undefined;
    setText(this.cause, cause === undefined ? "" : texts.stallCauses[cause]);
    if (session === undefined) {
      setText(this.pace, "");
      setText(this.reason, state === "gone" ? "" : texts.loading);
      return;
    }
    const { pace, symptoms } = slownessOf(session);
    setText(this.title, session.address);
    setData(this.dialog, "pace", pace);
    setText(this.pace, texts.paces[pace]);
    setText(this.reason, texts.reason(symptoms));
    this.figures.draw(texts.detail, valuesOf(session, context));
    const listed = JSON.stringify([texts.tag, session.subscriptions, session.topics, session.options]);
    if (listed !== this.listed) this.lists.replaceChildren(...listsOf(session, texts));
    this.listed = listed;
  }
}

function valuesOf(session: SessionDetail, { texts, times, rates }: SessionContext): Readonly<Record<DetailRow, string | undefined>> {
  const { opened, ageMs, codec, hasDeflate, hasTls } = session;
  const rate = rates.of(session.id);
  const age = formatAge(ageMs);
  return {
    id: session.id,
    feed: session.feed === "" ? undefined : session.feed,
    key: session.key ?? NONE,
    opened: opened === undefined ? age : `${times.moment(opened, opened + ageMs)} · ${texts.ago(age)}`,
    client: session.userAgent ?? NONE,
    transport: [hasTls ? "TLS" : "TCP", codec, hasDeflate && "deflate"].filter(Boolean).join(" · "),
    backlog: formatBytes(session.backlogBytes),
    stalled: session.stalledMs === 0 ? texts.no : formatAge(session.stalledMs),
    idle: texts.ago(formatAge(session.idleMs)),
    sent: texts.sent(formatBytes(session.bytes), formatCount(session.frames), texts.short(session.objects)),
    rate: rate === undefined ? NONE : texts.perSecond(formatBytes(rate)),
    conflated: formatCount(session.conflated),
    gaps: texts.gapsOf(formatCount(session.gaps), formatCount(session.missed)),
    muted: session.isMuted ? texts.yes : texts.no,
    alerts: formatCount(session.alerts),
  };
}

function listsOf({ subscriptions, topics, options }: SessionDetail, texts: AdminTexts): readonly HTMLElement[] {
  const list = (title: string, names: readonly string[], rest: number) =>
    make("div", "names", make("h4", "", title), make("p", "", make("span", "", names.join(" ")), rest > 0 ? ` ${texts.more(formatCount(rest))}` : ""));
  const channels = subscriptions.map(({ channel, count, symbols }) => list(texts.channel(channel, formatCount(count)), symbols, count - symbols.length));
  const isEmpty = channels.length === 0 && topics.length === 0;
  return [
    make("h3", "", texts.subscriptions),
    ...(isEmpty ? [make("p", "empty", texts.nothingSubscribed)] : channels),
    ...(topics.length === 0 ? [] : [list(texts.channel(texts.topics, formatCount(topics.length)), topics, 0)]),
    ...(options.length === 0 ? [] : [make("h3", "", texts.options), make("dl", "figures", ...options.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value))))]),
  ];
}
