import { RISES, ROWS, THEMES, TIME_ZONES, type Settings } from "../settings";
import { LANGUAGES, type PageText, type Strings } from "../strings";
import { byId, make } from "./dom";
import { icon } from "./icons";
import { openAt } from "./popover-menu";

/** The settings in the order of the dialog. */
const OPTIONS = {
  theme: { title: "theme", values: THEMES },
  rise: { title: "colours", values: RISES },
  language: { title: "language", values: ["browser", ...LANGUAGES] },
  timeZone: { title: "timeZone", values: TIME_ZONES },
  rows: { title: "rows", values: ROWS },
  strip: { title: "strip", values: ["shown", "hidden"] },
} as const satisfies Readonly<Record<string, { readonly title: PageText; readonly values: readonly string[] }>>;

type SettingName = keyof typeof OPTIONS;

const TRANSLATED_VALUES: Readonly<Record<string, PageText>> = {
  system: "system",
  dark: "dark",
  light: "light",
  locale: "byLocale",
  green: "greenUp",
  red: "redUp",
  browser: "byBrowser",
  exchange: "exchangeZone",
  normal: "rowsNormal",
  compact: "rowsCompact",
  shown: "shown",
  hidden: "hidden",
};

/** Texts that are the same in every language: a language by its own name, and UTC. */
const UNTRANSLATED_VALUES: Readonly<Record<string, string>> = { en: "English", zh: "简体中文", utc: "UTC" };

/** The settings as groups of radio buttons. */
export class SettingsForm {
  private readonly box = byId("settings-choices", HTMLElement);
  private readonly choose: (settings: Partial<Settings>) => void;

  constructor(choose: (settings: Partial<Settings>) => void, share: () => void) {
    this.choose = choose;
    byId("share", HTMLButtonElement).addEventListener("click", share);
    const button = byId("settings-button", HTMLButtonElement);
    button.append(icon("sliders"));
    openAt(byId("settings", HTMLElement), button);
  }

  /** Creates the groups again after each change: the form is small and mostly closed. */
  draw(settings: Settings, strings: Strings): void {
    const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.id : "";
    const groups = (Object.keys(OPTIONS) as SettingName[]).map((name) => this.groupOf(name, settings[name], strings));
    this.box.replaceChildren(...groups);
    document.getElementById(focused)?.focus();
  }

  private groupOf(name: SettingName, chosen: string, { page }: Strings): HTMLElement {
    const { title, values } = OPTIONS[name];
    const labels = values.map((value) => {
      const input = make("input", "");
      input.type = "radio";
      input.name = name;
      input.id = `choose-${name}-${value}`;
      input.checked = value === chosen;
      input.addEventListener("change", () => {
        this.choose({ [name]: value });
      });
      const key = TRANSLATED_VALUES[value];
      const text = key === undefined ? (UNTRANSLATED_VALUES[value] ?? value) : page[key];
      return make("label", "", input, make("span", "", text));
    });
    return make("fieldset", "choice", make("legend", "", page[title]), make("div", "segments", ...labels));
  }
}
