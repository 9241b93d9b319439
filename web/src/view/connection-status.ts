import { readyStateOf, type ClientState, type Gap, type Millis } from "@tapecast/client";
import { formatAge, formatCount, formatCountdown, formatSpan, NONE } from "../format";
import type { Freshness, Reading } from "../market";
import type { Strings } from "../strings";
import { byId, setData, setText } from "./dom";

/** The freshness of what the page shows: during a pause that of the moment of the pause. */
export type ShownFreshness = Freshness | { readonly kind: "paused"; readonly since: Millis };

/** The top bar's connection state, freshness and meters. */
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

  constructor(connectNow: () => void) {
    this.retry.addEventListener("click", connectNow);
  }

  drawState(state: ClientState, freshness: ShownFreshness, now: Millis, strings: Strings): void {
    const name = readyStateOf(state);
    setText(this.name, strings.readyStates[name]);
    setData(this.name, "state", name);
    const isStale = freshness.kind === "stale";
    const isRetrying = isStale && state.phase === "connecting";
    const reason = strings.connection(state, formatCountdown(state.phase === "waiting" ? state.until - now : 0));
    setText(this.reason, isRetrying ? strings.reconnecting : reason);
    if (this.reason.title !== reason) this.reason.title = reason;
    setText(this.freshness, textOf(freshness, now, strings));
    // The button keeps its place during an attempt: a row of attempts must not move what is beside it.
    this.retry.hidden = state.phase !== "waiting" && state.phase !== "ended" && !isRetrying;
    this.retry.disabled = isRetrying;
    const { textContent } = this.freshness;
    if (this.freshness.title !== textContent) this.freshness.title = textContent;
    setData(this.freshness, "kind", freshness.kind);
    setData(this.box, "tone", toneOf(state, isStale));
    setData(document.body, "stale", String(isStale));
  }

  drawReading({ perSecond, p50, p99 }: Reading, roundTrip: number | undefined): void {
    setText(this.rate, formatCount(perSecond));
    setText(this.p50, p50 === undefined ? NONE : formatSpan(p50));
    setText(this.p99, p99 === undefined ? NONE : formatSpan(p99));
    setText(this.roundTrip, roundTrip === undefined ? NONE : formatSpan(roundTrip));
  }

  /** Shows the number of gaps, with a warning while objects are missing that were not recovered. */
  drawGaps(gaps: number, missing: number, latest: Gap | undefined, strings: Strings): void {
    setText(this.gaps, formatCount(gaps));
    this.gapsBox.toggleAttribute("data-bad", missing > 0);
    this.gapsBox.title = latest === undefined ? strings.noGaps : strings.latestGap(latest.symbol, latest.from, latest.to);
  }
}

/** The colour of the connection state. It is the same during a whole row of attempts. */
function toneOf(state: ClientState, isStale: boolean): "good" | "warning" | "bad" {
  if (state.phase === "ended") return "bad";
  return state.phase === "live" && !isStale ? "good" : "warning";
}

function textOf(freshness: ShownFreshness, now: Millis, { freshness: texts, times }: Strings): string {
  switch (freshness.kind) {
    case "off":
      return texts.off;
    case "stale":
    case "paused":
      return texts[freshness.kind](times.moment(freshness.since, now), formatAge(now - freshness.since));
    case "missed":
      return texts.missed(formatCount(freshness.count));
    case "quiet":
      return texts.quiet(formatCountdown(freshness.ageMs));
    case "live":
      return texts.live;
  }
}
