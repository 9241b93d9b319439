import { formatCount } from "../../format";
import { byId, make, setData, setText } from "../../view";
import { keyRequest, type ApiKey, type KeyRequest, type NewKey } from "../model";
import type { AdminTexts } from "../strings";
import { KeyedRows, type Row } from "./keyed-rows";
import { bodyOf, button, cell, tableRow } from "./parts";

export interface KeyActions {
  readonly make: (request: KeyRequest) => void;
  readonly rotate: (key: ApiKey) => void;
  readonly revoke: (key: ApiKey) => void;
  readonly copy: (text: string) => Promise<boolean>;
}

/** The keys, the form for a new one, and its secret, which is shown once. */
export class KeysView {
  private readonly rows: KeyedRows<ApiKey>;
  private readonly empty = byId("keys-empty", HTMLElement);
  private readonly newKey = byId("new-key", HTMLButtonElement);
  private readonly form = byId("key-form", HTMLFormElement);
  private readonly dialog = byId("key-dialog", HTMLDialogElement);
  private readonly status = byId("key-status", HTMLElement);
  private readonly secretDialog = byId("secret-dialog", HTMLDialogElement);
  private readonly secretFields = { id: byId("secret-id", HTMLInputElement), secret: byId("secret-secret", HTMLTextAreaElement) };
  private readonly secretStatus = byId("secret-status", HTMLElement);
  private texts: AdminTexts;

  constructor(actions: KeyActions, texts: AdminTexts) {
    this.texts = texts;
    this.rows = new KeyedRows(bodyOf("keys-table"), ({ id }) => id, () => new KeyRow(actions, () => this.texts));
    this.newKey.addEventListener("click", () => {
      this.form.reset();
      setText(this.status, "");
      this.dialog.showModal();
    });
    byId("key-cancel", HTMLButtonElement).addEventListener("click", () => {
      this.dialog.close();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      actions.make(this.request());
    });
    this.listenToSecret(actions);
  }

  /** Shows the keys: undefined until they are known, `none` if the server has no file for them. */
  draw(keys: readonly ApiKey[] | "none" | undefined, texts: AdminTexts): void {
    this.texts = texts;
    const shown = keys === "none" || keys === undefined ? [] : keys;
    this.rows.draw(shown);
    this.newKey.disabled = keys === "none" || keys === undefined;
    byId("keys-table", HTMLTableElement).hidden = shown.length === 0;
    setText(this.empty, keys === undefined ? texts.loading : keys === "none" ? texts.noKeyFile : keys.length === 0 ? texts.noKeys : "");
  }

  /** Why no key was made: the form stays. */
  refuse(why: string): void {
    setText(this.status, why);
  }

  /** Shows the secret of a new key in place of its form. */
  showSecret({ id, secret }: NewKey, title: string): void {
    this.dialog.close();
    setText(byId("secret-title", HTMLElement), title);
    setText(this.secretStatus, "");
    this.secretFields.id.value = id;
    this.secretFields.secret.value = secret;
    this.secretDialog.showModal();
    byId("copy-secret", HTMLButtonElement).focus();
  }

  private listenToSecret(actions: KeyActions): void {
    for (const [name, input] of Object.entries(this.secretFields)) {
      input.addEventListener("focus", () => {
        input.select();
      });
      byId(`copy-${name}`, HTMLButtonElement).addEventListener("click", () => {
        void actions.copy(input.value).then((isCopied) => {
          if (!isCopied) input.select();
          setText(this.secretStatus, isCopied ? this.texts.copied : this.texts.notCopied);
        });
      });
    }
    // The secret would be lost by a slip of the finger.
    this.secretDialog.addEventListener("cancel", (event) => {
      event.preventDefault();
    });
    this.secretDialog.addEventListener("close", () => {
      this.secretFields.secret.value = "";
    });
  }

  private request(): KeyRequest {
    const text = (name: string) => byId(`key-${name}`, HTMLInputElement).value;
    return keyRequest({
      ...{ id: text("id"), feeds: text("feeds"), symbols: text("symbols"), maxSessions: text("max-sessions"), maxSymbols: text("max-symbols") },
      mayControl: byId("key-control", HTMLInputElement).checked,
    });
  }
}

class KeyRow implements Row<ApiKey> {
  private readonly id = cell("c-key-id");
  private readonly scope = make("span", "");
  private readonly limits = make("small", "");
  private readonly sessions = cell("number figure");
  private readonly rotate: HTMLButtonElement;
  private readonly revoke: HTMLButtonElement;
  private readonly texts: () => AdminTexts;
  private key: ApiKey | undefined;
  readonly node: HTMLElement;

  constructor(actions: KeyActions, texts: () => AdminTexts) {
    this.texts = texts;
    this.rotate = button("button small", "", () => {
      if (this.key !== undefined) actions.rotate(this.key);
    });
    this.revoke = button("button small danger", "", () => {
      if (this.key !== undefined) actions.revoke(this.key);
    });
    this.node = tableRow(this.id, cell("c-scope", this.scope, this.limits), this.sessions, cell("c-actions", this.rotate, this.revoke));
  }

  draw(key: ApiKey): void {
    const texts = this.texts();
    const { id, feeds, symbols, maxSessions, maxSymbols, mayControl } = key;
    this.key = key;
    const count = (limit: number | undefined) => (limit === undefined ? undefined : formatCount(limit));
    setText(this.id, id);
    setText(this.scope, feeds === undefined && symbols === undefined ? texts.anything : texts.scope(feeds, symbols));
    setText(this.limits, [texts.limits(count(maxSessions), count(maxSymbols)), mayControl && texts.control].filter(Boolean).join(" · "));
    setText(this.sessions, formatCount(key.sessions));
    setData(this.sessions, "label", texts.page.sessions);
    setText(this.rotate, texts.rotate);
    setText(this.revoke, texts.revoke);
    this.rotate.ariaLabel = `${texts.rotate} ${id}`;
    this.revoke.ariaLabel = `${texts.revoke} ${id}`;
  }
}
