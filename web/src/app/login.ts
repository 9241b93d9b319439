import type { Client, Key } from "@tapecast/client";
import { tabStorage } from "../platform";
import type { Strings } from "../strings";
import * as view from "../view";

const STORAGE_KEY = "tapecast.key";

/** Error codes that ask for authentication: not authenticated, authentication timeout (docs/PROTOCOL.md, "Errors"). */
const AUTH_REQUIRED = [401, 404];
/** The key or the secret is invalid. */
const AUTH_FAILED = 402;

/** Authentication with an API key. An accepted key is stored in session storage, that is for this tab only. */
export class Login {
  private current: Key | undefined = Login.storedKey();
  private readonly form: view.LoginForm;
  private readonly strings: () => Strings;

  constructor(client: Client, strings: () => Strings) {
    this.strings = strings;
    this.form = new view.LoginForm((key) => {
      this.current = key;
      client.authenticate(key);
    });
    client.on("acknowledged", () => {
      this.form.close();
      if (this.current !== undefined) tabStorage.save(STORAGE_KEY, JSON.stringify(this.current));
    });
  }

  /** The key that an earlier page load of this tab stored. */
  static storedKey(): Key | undefined {
    try {
      const stored = JSON.parse(tabStorage.load(STORAGE_KEY) ?? "{}") as Readonly<Record<string, unknown>>;
      const { id, secret } = stored;
      return typeof id === "string" && typeof secret === "string" ? { id, secret } : undefined;
    } catch {
      return undefined;
    }
  }

  get key(): Key | undefined {
    return this.current;
  }

  /** True while the login form is open. */
  get isOpen(): boolean {
    return this.form.isOpen;
  }

  /** Opens the login form if this error code asks for authentication; false for other codes. */
  handleError(code: number): boolean {
    if (code === AUTH_FAILED) {
      this.current = undefined;
      tabStorage.remove(STORAGE_KEY);
      this.form.open("invalid", this.strings());
      return true;
    }
    if (!AUTH_REQUIRED.includes(code)) return false;
    if (!this.form.isOpen) this.form.open("required", this.strings());
    return true;
  }
}
