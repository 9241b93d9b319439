import { readyStateOf, type ClientState, type Gap } from "../client";
import { formatCount, formatCountdown, formatSpan, NONE } from "../format";
import type { Freshness, Reading } from "../market";
import type { Millis } from "../model";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** The connection's state by its WebSocket name, why it is so, and how fresh the feed is. */
export class Status {
  private readonly box = byId("connection", HTMLElement);
  private readonly name = byId("connection-state", HTMLElement);
  private readonly fresh = byId("connection-fresh", HTMLElement);
  private readonly why = byId("connection-why", HTMLElement);
  private readonly again = byId("connection-again", HTMLButtonElement);
  private readonly rate = byId("meter-rate", HTMLElement);
  private readonly p50 = byId("meter-p50", HTMLElement);
  private readonly p99 = byId("meter-p99", HTMLElement);
  private readonly trip = byId("meter-trip", HTMLElement);
  private readonly gapsBox = byId("meter-gaps-box", HTMLElement);
  private readonly gaps = byId("meter-gaps", HTMLElement);
  private readonly notice = byId("notice", HTMLElement);

  constructor(connectNow: () => void) {
    this.again.addEventListener("click", connectNow);
  }

  drawState(state: ClientState, freshness: Freshness, now: Millis, strings: Strings): void {
    const name = readyStateOf(state);
    setText(this.name, name);
    setText(this.why, strings.connection(state, formatCountdown(state.phase === "waiting" ? state.until - now : 0)));
    setText(this.fresh, textOf(freshness, strings));
    this.fresh.dataset["is"] = freshness.kind;
    this.again.hidden = state.phase !== "waiting" && state.phase !== "ended";
    if (this.box.dataset["state"] === name) return;
    this.box.dataset["state"] = name;
    document.body.dataset["state"] = name;
  }

  drawReading({ perSecond, p50, p99 }: Reading, roundTrip: number | undefined): void {
    setText(this.rate, formatCount(perSecond));
    setText(this.p50, p50 === undefined ? NONE : formatSpan(p50));
    setText(this.p99, p99 === undefined ? NONE : formatSpan(p99));
    setText(this.trip, roundTrip === undefined ? NONE : formatSpan(roundTrip));
  }

  drawGaps(gaps: number, newest: Gap | undefined, strings: Strings): void {
    setText(this.gaps, formatCount(gaps));
    if (gaps > 0) this.gapsBox.dataset["bad"] = "";
    this.gapsBox.title = newest === undefined ? strings.noGaps : strings.latestGap(newest.symbol, newest.from, newest.to);
  }

  /** Tells something that is no connection's state, in one sentence; an empty one takes it back. */
  tell(sentence: string): void {
    setText(this.notice, sentence);
    this.notice.hidden = sentence === "";
  }
}

function textOf(freshness: Freshness, { freshness: texts }: Strings): string {
  switch (freshness.kind) {
    case "off":
      return texts.off;
    case "lost":
      return texts.lost(formatCountdown(freshness.silentMs));
    case "missed":
      return texts.missed(formatCount(freshness.count));
    case "quiet":
      return texts.quiet(formatCountdown(freshness.ageMs));
    case "live":
      return texts.live;
  }
}
