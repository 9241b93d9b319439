import { tabStorage } from "./browser";
import type { Client, Key } from "./client";
import * as view from "./view";
import type { Strings } from "./strings";

const KEPT = "tapecast.key";

/** Errors that say: show a key, and in time (section 2 of the protocol). */
const WANTED = [401, 404];
const UNKNOWN = 402;

/** What lets the viewer in, where the server asks for it. A key that opened is kept for this tab, and nowhere else. */
export class Access {
  private held: Key | undefined = Access.kept();
  private readonly form: view.AccessForm;
  private readonly strings: () => Strings;

  constructor(client: Client, strings: () => Strings) {
    this.strings = strings;
    this.form = new view.AccessForm((key) => {
      this.held = key;
      client.authenticate(key);
    });
    client.on("acknowledged", () => {
      this.form.close();
      if (this.held !== undefined) tabStorage.save(KEPT, JSON.stringify(this.held));
    });
  }

  /** The key of an earlier visit of this tab. */
  static kept(): Key | undefined {
    try {
      const kept = JSON.parse(tabStorage.load(KEPT) ?? "{}") as Readonly<Record<string, unknown>>;
      const { id, secret } = kept;
      return typeof id === "string" && typeof secret === "string" ? { id, secret } : undefined;
    } catch {
      return undefined;
    }
  }

  get key(): Key | undefined {
    return this.held;
  }

  /** Whether the viewer is asked for a key at this moment. */
  get isAsked(): boolean {
    return this.form.isOpen;
  }

  /** Answers whether the server refused for want of a key: then the viewer is asked for one. */
  refused(code: number): boolean {
    if (code === UNKNOWN) {
      this.held = undefined;
      tabStorage.forget(KEPT);
      this.form.ask("unknown", this.strings());
      return true;
    }
    if (!WANTED.includes(code)) return false;
    if (!this.form.isOpen) this.form.ask("wanted", this.strings());
    return true;
  }
}
