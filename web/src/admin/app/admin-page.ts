import { formatAge, formatCount, TimeFormat, TimeZone } from "../../format";
import { copyText, runtime, storage, tabStorage } from "../../platform";
import { DEFAULT_SETTINGS, languageOf, readSettings } from "../../settings";
import { byId, Notice, setData } from "../../view";
import {
  FIRST_QUERY,
  isFirst,
  Rates,
  readDrainedSessions,
  readKeys,
  readNewKey,
  readOverview,
  readRefusals,
  readSession,
  readSessionDetail,
  readSessions,
  sessionsPath,
  slowCount,
  type Answer,
  type Failure,
  type KeyRequest,
  type NewKey,
  type Overview,
  type Result,
  type SessionDetail,
} from "../model";
import { ADMIN_TEXTS, type AdminTexts, type ServerState } from "../strings";
import { AccessView, BATCHES, Confirmation, KeysView, NodeView, OverviewView, PreferencesView, RefusalsView, SessionDetailView, SessionsView, translatePage, type Preferences, type SessionContext } from "../view";
import { AdminApi, anything } from "./api";
import { Poll } from "./poll";

const TOKEN_KEY = "tapecast.adminToken";
const PREFERENCES_KEY = "tapecast.admin";

/** How often is looked whether an answer is late. */
const TICK_MS = 500;

/** The admin page: it asks the server, draws the answers, and sends what the operator does. */
export class AdminPage {
  private preferences: Preferences = readSettings(storage.load(PREFERENCES_KEY));
  private texts: AdminTexts = this.chosenTexts();
  private readonly zone = new TimeZone(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  private times = new TimeFormat(this.zone, this.texts.tag);
  private readonly api = new AdminApi(tabStorage.load(TOKEN_KEY) ?? undefined);
  private access: "unknown" | "open" | "locked" = "unknown";
  private query = FIRST_QUERY;
  /** The session whose details are shown. */
  private chosen: { readonly id: string; state: "open" | "gone" } | undefined;
  private drainStart: number | undefined;

  private readonly feedRates = new Rates();
  private readonly sessionRates = new Rates();

  private readonly overview = new Poll(
    (signal) => this.api.get("overview", readOverview, signal),
    (result) => {
      this.takeOverview(result);
    },
  );
  private readonly sessions = new Poll(
    (signal) => this.api.get(sessionsPath(this.query), readSessions, signal),
    (result) => {
      if ("value" in result) this.sessionRates.add(runtime.now(), new Map(result.value.sessions.map(({ id, bytes }) => [id, bytes])));
      this.afterAnswer(result);
    },
  );
  /** The slowest of all sessions, while others are listed. */
  private readonly slowest = this.poll((signal) => this.api.get(sessionsPath(FIRST_QUERY), readSessions, signal));
  private readonly keys = this.poll((signal) => this.api.get("keys", readKeys, signal));
  private readonly refusals = this.poll((signal) => this.api.get("refusals?limit=100", readRefusals, signal));
  private readonly detail = new Poll(
    (signal) => this.api.get(`sessions/${encodeURIComponent(this.chosen?.id ?? "")}`, readSessionDetail, signal),
    (result) => {
      if (this.chosen !== undefined && "failure" in result && result.failure.status === 404) this.chosen.state = "gone";
      this.afterAnswer(result);
    },
  );

  private readonly notice = new Notice(() => this.texts);
  private readonly confirmation = new Confirmation();
  private readonly accessView = new AccessView(
    (token) => {
      this.useToken(token);
    },
    () => {
      this.forgetToken();
    },
  );
  private readonly overviewView = new OverviewView({ texts: this.texts, rates: this.feedRates });
  private readonly nodeView = new NodeView({
    drain: (seconds) => {
      const open = formatCount(this.overview.answer.value?.sessions.open ?? 0);
      this.confirmation.ask(this.texts.askDrain(open, seconds), () => {
        void this.drain(seconds);
      });
    },
    stopDraining: () => {
      this.change("DELETE", "drain", undefined, () => this.texts.drainStopped);
    },
    setLogLevel: (level) => void this.setLogLevel(level),
  });
  private readonly sessionsView = new SessionsView(
    {
      open: (id) => {
        this.openSession(id);
      },
      ask: (query) => {
        this.query = { ...this.query, ...query };
        this.sessions.again();
        this.run();
      },
    },
    this.context(),
    this.query,
  );
  private readonly detailView = new SessionDetailView({
    mute: (session) => void this.mute(session),
    disconnect: (session) => {
      this.disconnect(session);
    },
    closed: () => {
      this.chosen = undefined;
      this.detail.stop();
    },
  });
  private readonly keysView = new KeysView(
    {
      make: (request) => void this.makeKey(request),
      rotate: ({ id }) => {
        this.confirmation.ask(this.texts.askRotate(id), () => void this.rotateKey(id));
      },
      revoke: ({ id, sessions }) => {
        this.confirmation.ask(this.texts.askRevoke(id, formatCount(sessions)), () => {
          this.change("DELETE", keyPath(id), undefined, () => this.texts.revoked(id));
        });
      },
      copy: (text) => copyText(text),
    },
    this.texts,
  );
  private readonly refusalsView = new RefusalsView(this.context());
  private readonly preferencesView = new PreferencesView((preferences) => {
    this.preferences = preferences;
    storage.save(PREFERENCES_KEY, JSON.stringify({ ...DEFAULT_SETTINGS, ...preferences }));
    this.applyPreferences();
  });

  start(): void {
    this.applyPreferences();
    document.addEventListener("visibilitychange", () => {
      this.draw();
      this.run();
    });
    setInterval(() => {
      this.drawFreshness();
    }, TICK_MS);
    this.run();
  }

  private poll<Value>(ask: (signal: AbortSignal) => Promise<Result<Value>>): Poll<Value> {
    return new Poll(ask, (result) => {
      this.afterAnswer(result);
    });
  }

  /** Asks while the page is visible and may ask. Until the first answer it is unknown whether a token is needed: only one question is asked. */
  private run(): void {
    const { overview, sessions, keys, refusals, detail } = this;
    const isOn = document.visibilityState === "visible" && this.access !== "locked";
    const isOpen = isOn && this.access === "open";
    const polls: readonly (readonly [poll: { start: () => void; stop: () => void }, isAsked: boolean])[] = [
      [overview, isOn],
      [sessions, isOpen],
      [this.slowest, isOpen && !isFirst(this.query)],
      [keys, isOpen && this.hasKeys()],
      [refusals, isOpen],
      [detail, isOpen && this.chosen?.state === "open"],
    ];
    for (const [poll, isAsked] of polls) {
      if (isAsked) poll.start();
      else poll.stop();
    }
  }

  /** Whether the server has a file of keys. */
  private hasKeys(): boolean {
    return this.overview.answer.value?.keys !== undefined;
  }

  /** Asks everything now: something was changed. */
  private askAgain(): void {
    if (this.access !== "open") return;
    this.overview.again();
    this.sessions.again();
    if (this.hasKeys()) this.keys.again();
    if (this.chosen?.state === "open") this.detail.again();
  }

  private takeOverview(result: Result<Overview>): void {
    if ("value" in result) {
      const { value } = result;
      const objects = value.feeds.flatMap(({ name = "", objects }) => (objects === undefined ? [] : [[name, objects] as const]));
      const batch = value.cluster?.batch;
      this.feedRates.add(runtime.now(), new Map([...objects, ...(batch === undefined ? [] : [[BATCHES, batch] as const])]));
      this.drainStart = value.isDraining ? Math.max(this.drainStart ?? 0, value.sessions.open ?? 0) : undefined;
      if (this.access === "open") this.run();
      else this.unlock();
    }
    this.afterAnswer(result);
  }

  private afterAnswer(result: Result<unknown>): void {
    // Too many wrong tokens came from here: the server looks at none for a while.
    const isBarred = this.access !== "open" && "failure" in result && result.failure.status === 429;
    if ("failure" in result && (isBarred || isForbidden(result.failure))) this.lock(result.failure);
    else this.draw();
  }

  private unlock(): void {
    this.access = "open";
    if (this.api.token !== undefined) tabStorage.save(TOKEN_KEY, this.api.token);
    this.accessView.close(this.api.token !== undefined);
    this.run();
  }

  /** Access ends: nothing that was shown stays. */
  private lock({ status, message }: Failure): void {
    const hadToken = this.api.token !== undefined;
    this.api.token = undefined;
    tabStorage.remove(TOKEN_KEY);
    this.access = "locked";
    const answers: readonly Answer<unknown>[] = [this.overview, this.sessions, this.slowest, this.keys, this.refusals, this.detail].map(({ answer }) => answer);
    for (const answer of answers) answer.forget();
    this.run();
    const { tokenInvalid, tokenRequired } = this.texts;
    const sentence = hadToken ? tokenInvalid : tokenRequired;
    // The server lets in none from here, whatever the token: it says why.
    this.accessView.open((status === 403 || status === 429) && message !== "" ? this.texts.failed(status, message) : sentence, hadToken ? "invalid" : "required");
    this.draw();
  }

  private useToken(token: string): void {
    this.api.token = token;
    this.access = "unknown";
    this.run();
  }

  private forgetToken(): void {
    this.lock({ status: undefined, message: "" });
  }

  private openSession(id: string): void {
    const session = this.sessions.answer.value?.sessions.find((session) => session.id === id);
    this.chosen = { id, state: "open" };
    this.detail.answer.forget();
    this.detailView.open(session?.address ?? id);
    this.detail.again();
    this.draw();
  }

  private async mute({ id, isMuted }: SessionDetail): Promise<void> {
    const result = await this.api.change("PUT", `${sessionPath(id)}/muted`, { muted: !isMuted }, readSession);
    this.told(result, () => "");
  }

  private disconnect({ id, address }: SessionDetail): void {
    this.confirmation.ask(this.texts.askDisconnect(address), () => {
      void this.api.change("DELETE", sessionPath(id), undefined, anything).then((result) => {
        const isGone = "failure" in result && result.failure.status === 404;
        if ("value" in result || isGone) this.detailView.close();
        this.told(isGone ? { value: true } : result, () => (isGone ? this.texts.isGone : this.texts.disconnected(address)));
      });
    });
  }

  private async drain(seconds: number): Promise<void> {
    const result = await this.api.change("POST", "drain", { seconds }, readDrainedSessions);
    if ("value" in result) this.drainStart = result.value;
    this.told(result, () => this.texts.drainStarted);
  }

  private async setLogLevel(level: string): Promise<void> {
    const result = await this.api.change("PUT", "log-level", { level }, anything);
    const isSet = "value" in result;
    if (isSet) this.nodeView.acceptLogLevel();
    this.nodeView.noteLog(isSet ? this.texts.logSet(level) : this.failureText(result.failure), isSet ? "good" : "bad");
    this.askAgain();
  }

  private async makeKey(request: KeyRequest): Promise<void> {
    const result = await this.api.change("POST", "keys", request, readNewKey);
    if ("failure" in result) this.keysView.refuse(this.failureText(result.failure));
    else this.showSecret(result.value, this.texts.madeTitle);
  }

  private async rotateKey(id: string): Promise<void> {
    const result = await this.api.change("POST", `${keyPath(id)}/rotate`, undefined, readNewKey);
    if ("value" in result) this.showSecret(result.value, this.texts.rotatedTitle);
    else this.told(result, () => "");
  }

  private showSecret(key: NewKey, title: string): void {
    this.keysView.showSecret(key, title);
    this.askAgain();
  }

  /** Sends a change that answers nothing to read, and says what came of it. */
  private change(method: "POST" | "DELETE", path: string, body: object | undefined, done: () => string): void {
    void this.api.change(method, path, body, anything).then((result) => {
      this.told(result, done);
    });
  }

  private told(result: Result<unknown>, done: () => string): void {
    if ("failure" in result) {
      if (isForbidden(result.failure)) this.lock(result.failure);
      else this.notice.show(this.failureText(result.failure), { kind: "error" });
    } else if (done() !== "") {
      this.notice.show(done(), { kind: "info" });
    }
    this.askAgain();
  }

  /** What the server says to a question that it refuses with this status. */
  private refusalOf({ failure }: Answer<unknown>, status: number): string | undefined {
    return failure?.status === status ? this.failureText(failure) : undefined;
  }

  private failureText({ status, message }: Failure): string {
    return status === undefined ? this.texts.noAnswer : this.texts.failed(status, message);
  }

  private chosenTexts(): AdminTexts {
    return ADMIN_TEXTS[languageOf({ ...DEFAULT_SETTINGS, ...this.preferences }, navigator.languages)];
  }

  private context(): SessionContext {
    return { texts: this.texts, times: this.times, rates: this.sessionRates };
  }

  private applyPreferences(): void {
    this.texts = this.chosenTexts();
    this.times = new TimeFormat(this.zone, this.texts.tag);
    document.documentElement.dataset["theme"] = this.preferences.theme;
    translatePage(this.texts);
    this.sessionsView.translate(this.context());
    this.preferencesView.draw(this.preferences, this.texts);
    this.draw();
  }

  private draw(): void {
    const { texts } = this;
    const context = this.context();
    const { value: overview } = this.overview.answer;
    const { value: list } = this.sessions.answer;
    this.overviewView.draw(overview, this.slow(), { texts, rates: this.feedRates });
    this.nodeView.drawDrain(overview?.isDraining === true ? { left: overview.sessions.open ?? 0, start: this.drainStart ?? 0 } : undefined, texts);
    this.nodeView.drawLogLevel(overview?.logLevel);
    this.sessionsView.drawFeeds(overview?.feeds.flatMap(({ name }) => name ?? []) ?? []);
    this.sessionsView.draw(list, this.query, this.refusalOf(this.sessions.answer, 400));
    this.keysView.draw(overview !== undefined && !this.hasKeys() ? "none" : this.keys.answer.value, texts);
    this.refusalsView.draw(this.refusals.answer.value, runtime.now(), context);
    if (this.detailView.isOpen) this.detailView.draw(this.detail.answer.value, this.chosen?.state ?? "gone", context);
    this.drawFreshness();
  }

  /** The number of slow sessions: all that are among those with the largest backlogs. */
  private slow(): { readonly count: number; readonly text: string } | undefined {
    const list = (isFirst(this.query) ? this.sessions : this.slowest).answer.value;
    if (list === undefined) return undefined;
    const count = slowCount(list.sessions);
    const isAll = count < list.sessions.length || list.sessions.length === list.matching;
    return { count, text: isAll ? formatCount(count) : this.texts.orMore(formatCount(count)) };
  }

  /** Says how old the figures are. Those of an old answer are grey, wherever they are. */
  private drawFreshness(): void {
    const now = runtime.now();
    const { texts, overview } = this;
    const { answer } = overview;
    const mark = (id: string, { isStale }: { readonly isStale: boolean }) => {
      setData(byId(id, HTMLElement), "stale", String(isStale));
    };
    const isStale = answer.isStale(now);
    setData(document.body, "stale", String(isStale));
    for (const [id, { answer: part }] of [["sessions", this.sessions], ["refusals", this.refusals]] as const) mark(id, { isStale: part.isStale(now) });
    mark("keys", { isStale: this.hasKeys() ? this.keys.answer.isStale(now) : isStale });
    mark("detail", { isStale: this.detail.answer.isStale(now) });
    const { at, value } = answer;
    const state: ServerState = this.access === "locked" ? "locked" : value === undefined ? (answer.failure === undefined ? "waiting" : "stale") : isStale ? "stale" : value.isDraining ? "draining" : value.isReady ? "ready" : "notReady";
    const freshness = at === undefined ? "" : isStale ? `${texts.asOf(this.times.second(at))} · ${texts.silent(formatAge(now - at))}` : texts.asOf(this.times.second(at));
    this.overviewView.drawState(state, freshness, this.aboutServer(state, value));
  }

  /** Why the server is not ready, or else what it is. */
  private aboutServer(state: ServerState, value: Overview | undefined): string {
    const { failure } = this.overview.answer;
    if (state === "stale" && failure !== undefined) return this.failureText(failure);
    if (state === "notReady" && value?.reason !== undefined) return value.reason;
    return [value?.version, value?.revision, value?.node].filter((part) => part !== undefined).join(" · ");
  }
}

/** No token is known, or it is refused, or the server lets in none from here. */
const isForbidden = ({ status }: Failure): boolean => status === 401 || status === 403;

const sessionPath = (id: string): string => `sessions/${encodeURIComponent(id)}`;
const keyPath = (id: string): string => `keys/${encodeURIComponent(id)}`;
