/** The texts of the user interface in every supported language. */
import { english } from "./en";
import type { Language, Strings } from "./strings";
import { chinese } from "./zh";

export { COLUMNS, LANGUAGES, type ColumnId, type Language, type PageText, type Strings } from "./strings";

export const STRINGS: Readonly<Record<Language, Strings>> = { en: english, zh: chinese };
