import { RISES, THEMES, type Settings } from "../settings";
import { LANGUAGES, type PageText, type Strings } from "../strings";
import { byId, make } from "./dom";

/** What can be chosen, in the order in which it stands in the dialog. */
const CHOICES = {
  theme: { word: "theme", values: THEMES },
  rise: { word: "colours", values: RISES },
  language: { word: "language", values: ["browser", ...LANGUAGES] },
  strip: { word: "strip", values: ["shown", "hidden"] },
} as const satisfies Readonly<Record<string, { readonly word: PageText; readonly values: readonly string[] }>>;

type Key = keyof typeof CHOICES;

const WORD_OF: Readonly<Record<string, PageText>> = {
  system: "system",
  dark: "dark",
  light: "light",
  locale: "byLocale",
  green: "greenUp",
  red: "redUp",
  browser: "byBrowser",
};

/** Languages are named in themselves, a switch by a sign. */
const TEXT_OF: Readonly<Record<string, string>> = { en: "English", zh: "简体中文", shown: "✓", hidden: "✕" };

/** The choices of the viewer, as groups of radio buttons. */
export class Choices {
  private readonly box = byId("settings-choices", HTMLElement);
  private readonly choose: (settings: Partial<Settings>) => void;

  constructor(choose: (settings: Partial<Settings>) => void, share: () => void) {
    this.choose = choose;
    byId("share", HTMLButtonElement).addEventListener("click", share);
  }

  /** Made anew at each change of language or of what is chosen: it is small, and mostly shut. */
  draw(settings: Settings, strings: Strings): void {
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.id : "";
    const groups = (Object.keys(CHOICES) as Key[]).map((key) => this.groupOf(key, settings[key], strings));
    this.box.replaceChildren(...groups);
    document.getElementById(focused)?.focus();
  }

  private groupOf(key: Key, chosen: string, { page }: Strings): HTMLElement {
    const { word, values } = CHOICES[key];
    const labels = values.map((value) => {
      const input = make("input", "");
      input.type = "radio";
      input.name = key;
      input.id = `choose-${key}-${value}`;
      input.checked = value === chosen;
      input.addEventListener("change", () => {
        this.choose({ [key]: value });
      });
      const named = WORD_OF[value];
      const text = named === undefined ? (TEXT_OF[value] ?? value) : page[named];
      return make("label", "", input, make("span", "", text));
    });
    const group = make("fieldset", "choice", make("legend", "", page[word]), make("div", "segments", ...labels));
    return group;
  }
}
