/** What the page says, in each of its languages. Pure text: where it stands is the view's business. */
import { english } from "./en";
import type { Language, Words } from "./words";
import { chinese } from "./zh";

export { COLUMNS, LANGUAGES, type ColumnId, type Language, type PageWord, type Words } from "./words";

export const WORDS: Readonly<Record<Language, Words>> = { en: english, zh: chinese };
