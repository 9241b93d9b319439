import type { AdminTexts, Question } from "../strings";
import { byId, make, setText, translateTexts } from "../../view";

/** A cell of a table. The roles are explicit, because narrow pages lay the rows out as grids. */
export function cell(className = "", ...children: readonly (Node | string)[]): HTMLTableCellElement {
  const node = make("td", className, ...children);
  node.role = "cell";
  return node;
}

export function tableRow(...cells: readonly HTMLElement[]): HTMLTableRowElement {
  const node = make("tr", "", ...cells);
  node.role = "row";
  return node;
}

/** The body of the table with this id. */
export function bodyOf(table: string): HTMLElement {
  const body = byId(table, HTMLTableElement).tBodies[0];
  if (body === undefined) throw new Error(`the table \`${table}\` has no body`);
  return body;
}

export function button(className: string, text: string, press: () => void): HTMLButtonElement {
  const node = make("button", className, text);
  node.type = "button";
  node.addEventListener("click", press);
  return node;
}

/** Names and figures, below each other. */
export class FigureList<Name extends string> {
  readonly node: HTMLDListElement;
  private readonly rows: ReadonlyMap<Name, { readonly box: HTMLElement; readonly name: HTMLElement; readonly value: HTMLElement }>;

  constructor(names: readonly Name[]) {
    this.rows = new Map(
      names.map((id) => {
        const [name, value] = [make("dt", ""), make("dd", "figure")];
        const box = make("div", "", name, value);
        box.dataset["figure"] = id;
        return [id, { box, name, value }];
      }),
    );
    this.node = make("dl", "figures", ...[...this.rows.values()].map(({ box }) => box));
  }

  /** Shows these values. A row without one is left out. */
  draw(names: Readonly<Record<Name, string>>, values: Readonly<Record<Name, string | undefined>>): void {
    for (const [id, { box, name, value }] of this.rows) {
      box.hidden = values[id] === undefined;
      setText(name, names[id]);
      setText(value, values[id] ?? "");
    }
  }
}

/** Asks before something that cannot be undone. */
export class Confirmation {
  private readonly dialog = byId("confirm", HTMLDialogElement);
  private confirmed: () => void = () => undefined;

  constructor() {
    this.dialog.addEventListener("close", () => {
      if (this.dialog.returnValue === "ok") this.confirmed();
    });
  }

  ask({ title, text, action }: Question, confirmed: () => void): void {
    setText(byId("confirm-title", HTMLElement), title);
    setText(byId("confirm-text", HTMLElement), text);
    setText(byId("confirm-ok", HTMLButtonElement), action);
    this.confirmed = confirmed;
    this.dialog.returnValue = "";
    this.dialog.showModal();
    byId("confirm-cancel", HTMLButtonElement).focus();
  }
}

/** Writes the static texts of the page. */
export function translatePage(texts: AdminTexts): void {
  const { page, tag } = texts;
  document.documentElement.lang = tag;
  translateTexts(document, texts);
  const hints: Readonly<Partial<Record<string, string>>> = page;
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-hint]")) input.placeholder = hints[input.dataset["hint"] ?? ""] ?? "";
}
