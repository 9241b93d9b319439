import { FLAGS, type Flag } from "../market";
import type { PageText, Strings } from "../strings";
import { make } from "./dom";
import { flagMark } from "./flag-mark";
import { Floating } from "./floating";
import { makeButton } from "./panel-parts";
import { menuChoice } from "./popover-menu";

/** What the menu of a row offers. */
export interface RowMenuContent {
  /** The accessible name. */
  readonly label: string;
  readonly choices: readonly { readonly text: PageText; readonly run: () => void }[];
  /** Of a symbol. */
  readonly flags?: { readonly current: Flag | undefined; readonly choose: (flag: Flag | undefined) => void };
}

/** The menu of a row: opened by the second button, the menu key, a press on the flag or a long touch. */
export class RowMenu {
  private readonly box: Floating;
  readonly node: HTMLElement;
  private readonly strings: () => Strings;

  /** `closed` is called when the menu had the focus and closed without a choice. */
  constructor(strings: () => Strings, closed: () => void) {
    this.strings = strings;
    this.box = new Floating("row-menu", "dialog", (hadFocus) => {
      if (hadFocus) closed();
    });
    this.node = this.box.node;
    this.node.addEventListener("keydown", (press) => {
      this.press(press);
    });
  }

  open(at: DOMRect, { label, choices, flags }: RowMenuContent): void {
    const { page } = this.strings();
    const buttons = choices.map(({ text, run }) => menuChoice(page[text], () => { this.box.close(); }, run));
    this.node.ariaLabel = label;
    this.node.replaceChildren(...(flags === undefined ? [] : [this.flagChoices(flags)]), ...buttons);
    this.box.open(at);
    const first = this.node.querySelector<HTMLElement>("[aria-pressed=true]") ?? this.node.querySelector("button");
    first?.focus();
  }

  private flagChoices({ current, choose }: NonNullable<RowMenuContent["flags"]>): HTMLElement {
    const { page, rows } = this.strings();
    const group = make("div", "flag-choices", ...[undefined, ...FLAGS].map((flag) => {
      const button = makeButton("flag-choice");
      button.append(flagMark(flag));
      button.ariaPressed = String(flag === current);
      button.ariaLabel = flag === undefined ? page.noFlag : rows.flags[flag];
      button.title = button.ariaLabel;
      button.addEventListener("click", () => {
        this.box.close();
        choose(flag);
      });
      return button;
    }));
    group.role = "group";
    group.ariaLabel = page.flag;
    return group;
  }

  /** Arrow keys go from choice to choice. */
  private press(press: KeyboardEvent): void {
    const step = ({ ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 } as Readonly<Partial<Record<string, number>>>)[press.key];
    if (step === undefined) return;
    press.preventDefault();
    const all = [...this.node.querySelectorAll("button")];
    const at = all.findIndex((button) => button === this.node.ownerDocument.activeElement);
    all[(at + step + all.length) % all.length]?.focus();
  }
}
