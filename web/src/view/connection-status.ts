import { readyStateOf, type ClientState, type Gap } from "../client";
import { formatCount, formatCountdown, formatSpan, NONE } from "../format";
import type { Freshness, Reading } from "../market";
import type { Millis } from "../model";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** The top bar's connection state, freshness and meters, and the notice below it. */
export class ConnectionStatus {
  private readonly box = byId("connection", HTMLElement);
  private readonly name = byId("connection-state", HTMLElement);
  private readonly freshness = byId("connection-freshness", HTMLElement);
  private readonly reason = byId("connection-reason", HTMLElement);
  private readonly retry = byId("connection-retry", HTMLButtonElement);
  private readonly rate = byId("meter-rate", HTMLElement);
  private readonly p50 = byId("meter-p50", HTMLElement);
  private readonly p99 = byId("meter-p99", HTMLElement);
  private readonly roundTrip = byId("meter-round-trip", HTMLElement);
  private readonly gapsBox = byId("meter-gaps-box", HTMLElement);
  private readonly gaps = byId("meter-gaps", HTMLElement);
  private readonly notice = byId("notice", HTMLElement);

  constructor(connectNow: () => void) {
    this.retry.addEventListener("click", connectNow);
  }

  drawState(state: ClientState, freshness: Freshness, now: Millis, strings: Strings): void {
    const name = readyStateOf(state);
    setText(this.name, name);
    setText(this.reason, strings.connection(state, formatCountdown(state.phase === "waiting" ? state.until - now : 0)));
    setText(this.freshness, textOf(freshness, strings));
    this.freshness.dataset["kind"] = freshness.kind;
    this.retry.hidden = state.phase !== "waiting" && state.phase !== "ended";
    if (this.box.dataset["state"] === name) return;
    this.box.dataset["state"] = name;
    document.body.dataset["state"] = name;
  }

  drawReading({ perSecond, p50, p99 }: Reading, roundTrip: number | undefined): void {
    setText(this.rate, formatCount(perSecond));
    setText(this.p50, p50 === undefined ? NONE : formatSpan(p50));
    setText(this.p99, p99 === undefined ? NONE : formatSpan(p99));
    setText(this.roundTrip, roundTrip === undefined ? NONE : formatSpan(roundTrip));
  }

  drawGaps(gaps: number, latest: Gap | undefined, strings: Strings): void {
    setText(this.gaps, formatCount(gaps));
    if (gaps > 0) this.gapsBox.dataset["bad"] = "";
    this.gapsBox.title = latest === undefined ? strings.noGaps : strings.latestGap(latest.symbol, latest.from, latest.to);
  }

  /** Shows a notice of one sentence; an empty one hides it. */
  showNotice(sentence: string): void {
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
