import { THEMES, type Settings } from "../../settings";
import { byId } from "../../view";
import type { AdminTexts } from "../strings";

/** How the page looks, for this browser. */
export type Preferences = Pick<Settings, "theme" | "language">;

const LANGUAGE_NAMES = { en: "English", zh: "简体中文" } as const;

/** The choice of theme and language. */
export class PreferencesView {
  private readonly theme = byId("theme", HTMLSelectElement);
  private readonly language = byId("language", HTMLSelectElement);

  constructor(chosen: (preferences: Preferences) => void) {
    for (const select of [this.theme, this.language]) {
      select.addEventListener("change", () => {
        chosen({ theme: THEMES.find((theme) => theme === this.theme.value) ?? "system", language: this.language.value as Preferences["language"] });
      });
    }
  }

  draw({ theme, language }: Preferences, { themes, byBrowser }: AdminTexts): void {
    this.theme.replaceChildren(...THEMES.map((one) => new Option(themes[one], one, false, one === theme)));
    const languages = Object.entries({ browser: byBrowser, ...LANGUAGE_NAMES });
    this.language.replaceChildren(...languages.map(([one, name]) => new Option(name, one, false, one === language)));
  }
}
