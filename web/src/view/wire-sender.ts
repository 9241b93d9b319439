import { formatSpan } from "../format";
import type { Strings } from "../strings";
import { COPY_FORMATS, errorOf, TEMPLATES, type CopyFormat, type Outcome, type Template } from "../wire-log";
import { make, setData, setText } from "./dom";
import { makeButton, translated } from "./panel-parts";

export interface SenderActions {
  readonly send: (text: string) => void;
  /** The text of a template. */
  readonly fillIn: (template: Template) => string;
  readonly copyAs: (format: CopyFormat, text: string) => void;
}

const TEMPLATE_TEXTS = {
  subscribe: "wireSubscribe",
  unsubscribe: "wireUnsubscribe",
  pace: "wirePace",
  resume: "wireResume",
  auth: "wireAuth",
  malformed: "wireMalformed",
} as const;

const COPY_TEXTS = { wscat: "wireWscat", console: "wireConsole", python: "wirePython" } as const;

/** The send box: templates, a text, what became of it, and the text for other programs. */
export class WireSender {
  readonly node: HTMLElement;
  private readonly template = make("select", "");
  private readonly text = make("textarea", "");
  private readonly submit = make("button", "button small");
  private readonly status = make("p", "wire-outcome");
  private readonly actions: SenderActions;
  private drawn: readonly unknown[] = [];

  constructor(actions: SenderActions) {
    this.actions = actions;
    this.template.dataset["label"] = "wireTemplate";
    this.template.append(option("", "wireTemplate"), ...TEMPLATES.map((template) => option(template, TEMPLATE_TEXTS[template])));
    this.template.addEventListener("change", () => {
      const template = TEMPLATES.find((one) => one === this.template.value);
      // Back to the name of the box, so that the same template can be chosen again.
      this.template.value = "";
      if (template === undefined) return;
      this.text.value = actions.fillIn(template);
      this.text.focus();
    });
    Object.assign(this.text, { rows: 3, spellcheck: false, autocomplete: "off" });
    this.text.setAttribute("autocapitalize", "off");
    this.text.dataset["label"] = "wireText";
    this.text.addEventListener("keydown", (press) => {
      if (press.key !== "Enter" || !(press.ctrlKey || press.metaKey) || press.isComposing) return;
      press.preventDefault();
      this.send();
    });
    this.submit.type = "submit";
    this.submit.dataset["text"] = "chatSend";
    this.status.role = "status";
    const copies = COPY_FORMATS.map((format) => {
      const button = makeButton("button small", COPY_TEXTS[format]);
      button.addEventListener("click", () => {
        actions.copyAs(format, this.text.value);
      });
      return button;
    });
    const label = translated("span", "wire-copy-label", "wireCopyAs");
    label.id = "wire-copy-label";
    const copyAs = make("div", "wire-copy", label, ...copies);
    copyAs.role = "group";
    copyAs.setAttribute("aria-labelledby", label.id);
    const form = make("form", "wire-form", this.text, make("div", "wire-tools", this.template, this.submit, copyAs));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.node = make("div", "wire-sender", form, this.status);
  }

  focus(): void {
    this.text.focus();
  }

  /** Removes the text, which may be a secret: the panel is closed. */
  clear(): void {
    this.text.value = "";
    this.tell("", "none");
  }

  draw(outcome: Outcome | undefined, { wire }: Strings): void {
    if (outcome === undefined || (outcome === this.drawn[0] && wire === this.drawn[1])) return;
    this.drawn = [outcome, wire];
    const { command, status, roundTripMs = 0, answer } = outcome;
    const error = answer === undefined ? undefined : errorOf(answer.tree);
    if (status !== "answered") this.tell(wire.outcome[status](command), status);
    else if (error === undefined) this.tell(wire.outcome.answered(command, formatSpan(roundTripMs)), status);
    else this.tell(wire.outcome.refused(command, formatSpan(roundTripMs), error.code, error.message), "refused");
  }

  /** Says something below the box. */
  tell(sentence: string, kind: string): void {
    setData(this.status, "kind", kind);
    setText(this.status, sentence);
  }

  private send(): void {
    if (this.text.value.trim() === "") this.text.focus();
    else this.actions.send(this.text.value);
  }
}

function option(value: string, text: "wireTemplate" | (typeof TEMPLATE_TEXTS)[Template]): HTMLOptionElement {
  const node = translated("option", "", text);
  node.value = value;
  return node;
}
