import { byId, setText } from "../../view";

/** The form for the admin token. While it is open nothing else is shown. */
export class AccessView {
  private readonly form = byId("login", HTMLFormElement);
  private readonly message = byId("login-message", HTMLElement);
  private readonly token = byId("login-token", HTMLInputElement);
  private readonly forgetButton = byId("forget-token", HTMLButtonElement);

  constructor(submit: (token: string) => void, forget: () => void) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(this.token.value.trim());
    });
    this.forgetButton.addEventListener("click", forget);
  }

  open(message: string, reason: "required" | "invalid"): void {
    this.show("locked");
    setText(this.message, message);
    this.token.ariaInvalid = String(reason === "invalid");
    if (reason === "invalid") this.token.select();
    else if (document.activeElement === document.body) this.token.focus();
  }

  /** Closes the form and removes the token from it. */
  close(hasToken: boolean): void {
    this.show("open");
    this.token.value = "";
    this.forgetButton.hidden = !hasToken;
  }

  private show(access: "locked" | "open"): void {
    this.form.hidden = access === "open";
    byId("panels", HTMLElement).hidden = access === "locked";
    byId("meters", HTMLElement).hidden = access === "locked";
    if (access === "locked") {
      this.forgetButton.hidden = true;
      for (const dialog of document.querySelectorAll("dialog")) if (dialog.open) dialog.close();
    }
  }
}
