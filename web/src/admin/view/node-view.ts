import { formatCount } from "../../format";
import { byId, setText } from "../../view";
import type { AdminTexts } from "../strings";

export interface NodeActions {
  readonly drain: (seconds: number) => void;
  readonly stopDraining: () => void;
  readonly setLogLevel: (level: string) => void;
}

/** How far a node is drained. */
export interface DrainProgress {
  readonly left: number;
  /** The sessions that there were. */
  readonly start: number;
}

/** What an operator does with the node: draining, and its log level. */
export class NodeView {
  private readonly form = byId("drain-form", HTMLFormElement);
  private readonly progress = byId("drain-progress", HTMLElement);
  private readonly bar = byId("drain-bar", HTMLProgressElement);
  private readonly level = byId("log-level", HTMLInputElement);
  private readonly logNote = byId("log-note", HTMLElement);
  /** The level of the latest answer. */
  private known = "";

  constructor(actions: NodeActions) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      actions.drain(byId("drain-seconds", HTMLInputElement).valueAsNumber);
    });
    byId("drain-stop", HTMLButtonElement).addEventListener("click", actions.stopDraining);
    byId("log-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      actions.setLogLevel(this.level.value.trim());
    });
    this.level.addEventListener("input", () => {
      this.noteLog("", "good");
    });
  }

  drawDrain(drain: DrainProgress | undefined, texts: AdminTexts): void {
    const hadFocus = document.activeElement;
    this.form.hidden = drain !== undefined;
    this.progress.hidden = drain === undefined;
    setText(byId("drain-note", HTMLElement), texts.drainNote[drain === undefined ? "accepting" : "draining"]);
    // A control that is hidden loses the focus: the one in its place gets it.
    if (hadFocus instanceof HTMLElement && hadFocus.closest("#drain-form, #drain-progress")?.matches("[hidden]") === true) byId(drain === undefined ? "drain-start" : "drain-stop", HTMLButtonElement).focus();
    if (drain === undefined) return;
    this.bar.max = Math.max(1, drain.start);
    this.bar.value = drain.start - drain.left;
    setText(byId("drain-text", HTMLElement), texts.drained(formatCount(drain.left), formatCount(drain.start)));
  }

  /** Shows the level that is in force, unless another one is being typed. */
  drawLogLevel(level: string | undefined): void {
    if (level === undefined) return;
    if (this.level.value === this.known && document.activeElement !== this.level) this.level.value = level;
    this.known = level;
  }

  /** What became of a change of the level. */
  noteLog(text: string, outcome: "good" | "bad"): void {
    setText(this.logNote, text);
    this.logNote.dataset["outcome"] = outcome;
    this.level.ariaInvalid = String(outcome === "bad");
  }

  /** The level that was typed is in force. */
  acceptLogLevel(): void {
    this.known = this.level.value.trim();
    this.level.value = this.known;
  }
}
