import { formatAge, formatBytes, formatCount, NONE, type TimeFormat } from "../../format";
import { byId, make, setData, setText } from "../../view";
import { clientName, FIRST_LIMIT, heldOrder, isFiltered, MAX_LIMIT, SESSION_SORTS, slownessOf, sortedBy, type Rates, type Session, type SessionList, type SessionQuery, type SessionSort } from "../model";
import { SESSION_COLUMNS, type AdminTexts, type SessionColumn } from "../strings";
import { KeyedRows, type Row } from "./keyed-rows";
import { bodyOf, cell, tableRow } from "./parts";

export interface SessionActions {
  readonly open: (id: string) => void;
  readonly ask: (query: Partial<SessionQuery>) => void;
}

/** What a table of sessions shows besides them. */
export interface SessionContext {
  readonly texts: AdminTexts;
  readonly times: TimeFormat;
  /** By session id, in bytes. */
  readonly rates: Rates;
}

/** A filter is sent when nothing was typed for so long. */
const TYPED_MS = 250;

const NUMBERS: readonly SessionColumn[] = ["symbols", "age", "bytes", "rate", "backlog", "stalled", "gaps"];

const isSort = (column: SessionColumn): column is SessionSort & SessionColumn => SESSION_SORTS.some((sort) => sort === column);

/** The sessions: a table that the server sorts and filters. */
export class SessionsView {
  private readonly body = bodyOf("sessions-table");
  private readonly rows = new KeyedRows<Session>(this.body, ({ id }) => id, (id) => new SessionRow(id, this.actions.open, () => this.context));
  private readonly heads = new Map<SessionColumn, HTMLElement>();
  private readonly empty = byId("sessions-empty", HTMLElement);
  private readonly note = byId("sessions-note", HTMLElement);
  private readonly more = byId("sessions-more", HTMLButtonElement);
  private readonly feed = byId("filter-feed", HTMLSelectElement);
  private readonly address = byId("filter-address", HTMLInputElement);
  private readonly actions: SessionActions;
  private context: SessionContext;
  private query: SessionQuery;
  /** The query of the rows that are shown: only under the same one do they keep their places. */
  private shownQuery = "";
  private feeds: readonly string[] = [];

  constructor(actions: SessionActions, context: SessionContext, query: SessionQuery) {
    this.actions = actions;
    this.context = context;
    this.query = query;
    byId("sessions-head", HTMLElement).append(...SESSION_COLUMNS.map((column) => this.makeHead(column)));
    this.listenToFilters();
    this.more.addEventListener("click", () => {
      this.actions.ask({ limit: MAX_LIMIT });
    });
    this.body.addEventListener("keydown", (press) => {
      this.moveFocus(press);
    });
    this.body.addEventListener("focusin", ({ target }) => {
      for (const button of this.buttons()) button.tabIndex = button === target ? 0 : -1;
    });
  }

  /** Writes the texts that stay. */
  translate(context: SessionContext): void {
    this.context = context;
    const { columns, sortBy, sorts } = context.texts;
    for (const [column, head] of this.heads) {
      setText(head, columns[column]);
      if (isSort(column)) head.title = sortBy(sorts[column]);
    }
    this.drawFeeds(this.feeds);
  }

  /** The feeds of the server, among which is chosen if there are several. */
  drawFeeds(feeds: readonly string[]): void {
    this.feeds = feeds;
    this.feed.hidden = feeds.length < 2;
    const options = [["", this.context.texts.allFeeds] as const, ...feeds.map((feed) => [feed, feed] as const)];
    const drawn = [...this.feed.options].map(({ text, value }) => `${value} ${text}`).join();
    if (drawn === options.map((option) => option.join(" ")).join()) return;
    this.feed.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === this.query.feed)));
  }

  /** Shows the sessions, or why the server does not understand the query. */
  draw(list: SessionList | undefined, query: SessionQuery, refusal: string | undefined): void {
    const { texts } = this.context;
    this.query = query;
    for (const [column, head] of this.heads) {
      const sort = query.sort === column ? (query.order === "desc" ? "descending" : "ascending") : "none";
      if (isSort(column)) head.closest("th")?.setAttribute("aria-sort", sort);
    }
    const sessions = refusal === undefined ? (list?.sessions ?? []) : [];
    const shown = JSON.stringify(query);
    const next = sessions.map(({ id }) => id);
    const held = shown === this.shownQuery && this.isPointedAt() ? heldOrder(this.rows.ids, next) : next;
    this.shownQuery = shown;
    const found = new Map(sessions.map((session) => [session.id, session]));
    this.rows.draw(held.flatMap((id) => found.get(id) ?? []));
    const [first] = this.buttons();
    if (first !== undefined && !this.buttons().some(({ tabIndex }) => tabIndex === 0)) first.tabIndex = 0;
    const isHeld = held.join() !== next.join();
    this.address.ariaInvalid = String(refusal !== undefined);
    const counts = list && refusal === undefined && texts.listed(sessions.length, list.matching, list.open);
    setText(this.note, [counts, isHeld && texts.held].filter(Boolean).join(" · "));
    this.empty.hidden = sessions.length > 0;
    setText(this.empty, refusal ?? (list === undefined ? texts.loading : isFiltered(query) ? texts.noMatch : texts.noSessions));
    this.more.hidden = list === undefined || refusal !== undefined || list.matching <= sessions.length || query.limit > FIRST_LIMIT;
  }

  private makeHead(column: SessionColumn): HTMLElement {
    const head = make("th", `c-${column}`);
    head.scope = "col";
    head.role = "columnheader";
    if (NUMBERS.includes(column)) head.classList.add("number");
    if (!isSort(column)) {
      this.heads.set(column, head);
      return head;
    }
    const button = make("button", "sort");
    button.type = "button";
    button.addEventListener("click", () => {
      this.actions.ask(sortedBy(this.query, column));
    });
    this.heads.set(column, button);
    head.append(button);
    return head;
  }

  private listenToFilters(): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const typed = (input: HTMLInputElement, filter: "address" | "key") => {
      input.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          this.actions.ask({ [filter]: input.value });
        }, TYPED_MS);
      });
    };
    typed(this.address, "address");
    typed(byId("filter-key", HTMLInputElement), "key");
    this.feed.addEventListener("change", () => {
      this.actions.ask({ feed: this.feed.value });
    });
    const muted = byId("filter-muted", HTMLInputElement);
    muted.addEventListener("change", () => {
      this.actions.ask({ isMutedOnly: muted.checked });
    });
    byId("filters", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
    });
  }

  /** Whether the user is about to choose a row, which must not move away. */
  private isPointedAt(): boolean {
    const isHovered = matchMedia("(hover: hover)").matches && this.body.matches(":hover");
    return isHovered || this.body.querySelector(":focus-visible") !== null;
  }

  private buttons(): readonly HTMLButtonElement[] {
    return [...this.body.querySelectorAll<HTMLButtonElement>(".open")];
  }

  private moveFocus(press: KeyboardEvent): void {
    const buttons = this.buttons();
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = new Map([["ArrowDown", at + 1], ["ArrowUp", at - 1], ["Home", 0], ["End", buttons.length - 1]]).get(press.key);
    if (at < 0 || to === undefined) return;
    press.preventDefault();
    buttons[Math.min(Math.max(to, 0), buttons.length - 1)]?.focus();
  }
}

/** A session in the table. The whole row is pressed; its button is what the keyboard reaches. */
class SessionRow implements Row<Session> {
  readonly node: HTMLElement;
  private readonly open = make("button", "open");
  private readonly muted = make("span", "tag");
  private readonly pace = make("span", "pace");
  private readonly reason = make("span", "reason-text");
  private readonly cells: Readonly<Record<Exclude<SessionColumn, "address" | "why">, HTMLElement>>;
  private readonly context: () => SessionContext;

  constructor(id: string, open: (id: string) => void, context: () => SessionContext) {
    this.context = context;
    this.open.type = "button";
    this.open.tabIndex = -1;
    const figure = (column: SessionColumn) => cell(`c-${column} number figure`);
    this.cells = {
      ...{ key: cell("c-key"), client: cell("c-client") },
      ...{ symbols: figure("symbols"), age: figure("age"), bytes: figure("bytes"), rate: figure("rate") },
      ...{ backlog: figure("backlog"), stalled: figure("stalled"), gaps: figure("gaps") },
    };
    const { key, client, symbols, age, bytes, rate, backlog, stalled, gaps } = this.cells;
    this.node = tableRow(cell("c-address", this.open, make("small", "session-id", id), this.muted), key, client, symbols, age, bytes, rate, backlog, stalled, gaps, cell("c-why figure", this.pace, this.reason));
    this.node.dataset["id"] = id;
    this.node.addEventListener("click", () => {
      open(id);
    });
  }

  draw(session: Session): void {
    const { texts, rates } = this.context();
    const { pace, symptoms } = slownessOf(session);
    const rate = rates.of(session.id);
    setData(this.node, "pace", pace);
    setText(this.open, session.address);
    setText(this.muted, session.isMuted ? texts.muted : "");
    setText(this.cells.key, session.key ?? NONE);
    if (this.cells.key.title !== (session.key ?? "")) this.cells.key.title = session.key ?? "";
    setText(this.cells.client, session.userAgent === undefined ? NONE : clientName(session.userAgent));
    if (this.cells.client.title !== (session.userAgent ?? "")) this.cells.client.title = session.userAgent ?? "";
    setText(this.cells.symbols, formatCount(session.symbols));
    setText(this.cells.age, formatAge(session.ageMs));
    setText(this.cells.bytes, formatBytes(session.bytes));
    setText(this.cells.rate, rate === undefined ? NONE : texts.perSecond(formatBytes(rate)));
    setText(this.cells.backlog, formatBytes(session.backlogBytes));
    setText(this.cells.stalled, session.stalledMs === 0 ? NONE : formatAge(session.stalledMs));
    setText(this.cells.gaps, formatCount(session.gaps));
    setText(this.pace, texts.paces[pace]);
    setText(this.reason, texts.reason(symptoms));
  }
}
