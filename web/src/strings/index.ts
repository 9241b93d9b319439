/** The texts of the user interface in every supported language. */
import { TimeFormat, TimeZone } from "../format";
import { english } from "./en";
import type { Language, Strings, Texts } from "./strings";
import { chinese } from "./zh";

export { COLUMNS, LANGUAGES, SOURCE_ROWS, type ColumnId, type Language, type PageText, type SourceGroup, type SourceRow, type Strings } from "./strings";

export const TEXTS: Readonly<Record<Language, Texts>> = { en: english, zh: chinese };

/** The texts of a language, with times in a zone of the IANA database. */
export function stringsOf(language: Language, zone: string): Strings {
  const texts = TEXTS[language];
  return { ...texts, times: new TimeFormat(new TimeZone(zone), texts.tag) };
}
