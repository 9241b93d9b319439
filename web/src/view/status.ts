import { readyStateOf, type ClientState, type Gap } from "../client";
import { formatCount, formatCountdown, formatSpan, NONE } from "../format";
import type { Reading } from "../market";
import type { Millis } from "../model";
import { byId, setText } from "./dom";

/** The connection's state by its WebSocket name, why it is so, and how the stream is doing. */
export class Status {
  private readonly box = byId("connection", HTMLElement);
  private readonly name = byId("connection-state", HTMLElement);
  private readonly why = byId("connection-why", HTMLElement);
  private readonly again = byId("connection-again", HTMLButtonElement);
  private readonly rate = byId("meter-rate", HTMLElement);
  private readonly p50 = byId("meter-p50", HTMLElement);
  private readonly p99 = byId("meter-p99", HTMLElement);
  private readonly gapsBox = byId("meter-gaps-box", HTMLElement);
  private readonly gaps = byId("meter-gaps", HTMLElement);
  private readonly notice = byId("notice", HTMLElement);
  private gapCount = 0;

  constructor(connectNow: () => void) {
    this.again.addEventListener("click", connectNow);
  }

  drawState(state: ClientState, now: Millis): void {
    const name = readyStateOf(state);
    setText(this.name, name);
    setText(this.why, reasonOf(state, now));
    this.again.hidden = state.phase !== "waiting" && state.phase !== "ended";
    if (this.box.dataset["state"] === name) return;
    this.box.dataset["state"] = name;
    document.body.dataset["state"] = name;
  }

  drawReading({ perSecond, p50, p99 }: Reading): void {
    setText(this.rate, formatCount(perSecond));
    setText(this.p50, p50 === undefined ? NONE : formatSpan(p50));
    setText(this.p99, p99 === undefined ? NONE : formatSpan(p99));
  }

  addGap({ channel, symbol, from, to }: Gap): void {
    this.gapCount += 1;
    setText(this.gaps, formatCount(this.gapCount));
    this.gapsBox.dataset["bad"] = "";
    this.gapsBox.title = `Newest: ${channel} of ${symbol}, numbers ${from} to ${to} did not come`;
  }

  /** Tells something that is no connection's state, in one sentence; an empty one takes it back. */
  tell(sentence: string): void {
    setText(this.notice, sentence);
    this.notice.hidden = sentence === "";
  }
}

function reasonOf(state: ClientState, now: Millis): string {
  switch (state.phase) {
    case "waiting":
      return `${state.close.sentence} · again in ${formatCountdown(state.until - now)}`;
    case "ended":
      return `${state.close.sentence} · not trying again`;
    case "greeting":
      return "waiting for the greeting";
    case "idle":
    case "connecting":
    case "live":
    case "closing":
      return "";
  }
}
