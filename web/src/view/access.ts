import type { Key } from "../client";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** Asks the viewer for a key where the server wants one. */
export class AccessForm {
  private readonly form = byId("access", HTMLFormElement);
  private readonly why = byId("access-why", HTMLElement);
  private readonly id = byId("access-id", HTMLInputElement);
  private readonly secret = byId("access-secret", HTMLInputElement);

  constructor(show: (key: Key) => void) {
    this.form.addEventListener("submit", (submit) => {
      submit.preventDefault();
      show({ id: this.id.value.trim(), secret: this.secret.value.trim() });
    });
  }

  get isOpen(): boolean {
    return !this.form.hidden;
  }

  /** Opens it; who types or chooses something elsewhere is left alone. */
  ask(why: "wanted" | "unknown", { login }: Strings): void {
    this.form.hidden = false;
    setText(this.why, login[why === "wanted" ? "required" : "invalid"]);
    for (const input of [this.id, this.secret]) input.ariaInvalid = String(why === "unknown");
    if (why === "unknown") this.secret.select();
    else if (document.activeElement === document.body) this.id.focus();
  }

  /** The secret does not stay in the page. */
  close(): void {
    this.form.hidden = true;
    this.secret.value = "";
  }
}
