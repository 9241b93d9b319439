import type { Key } from "@tapecast/client";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** The form for an API key, shown if the server requires one. */
export class LoginForm {
  private readonly form = byId("login", HTMLFormElement);
  private readonly message = byId("login-message", HTMLElement);
  private readonly id = byId("login-id", HTMLInputElement);
  private readonly secret = byId("login-secret", HTMLInputElement);

  constructor(submit: (key: Key) => void) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit({ id: this.id.value.trim(), secret: this.secret.value.trim() });
    });
  }

  get isOpen(): boolean {
    return !this.form.hidden;
  }

  /** Opens the form. Does not take the focus from another control. */
  open(reason: "required" | "invalid", { login }: Strings): void {
    this.form.hidden = false;
    setText(this.message, login[reason]);
    for (const input of [this.id, this.secret]) input.ariaInvalid = String(reason === "invalid");
    if (reason === "invalid") this.secret.select();
    else if (document.activeElement === document.body) this.id.focus();
  }

  /** Closes the form and removes the secret from the page. */
  close(): void {
    this.form.hidden = true;
    this.secret.value = "";
  }
}
