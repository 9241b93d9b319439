/** The texts of the admin page in every supported language. They are apart from those of the dashboard, which does not load them. */
import type { Language } from "../../strings";
import { english } from "./en";
import type { AdminTexts } from "./texts";
import { chinese } from "./zh";

export { DETAIL_ROWS, FEED_ROWS, SESSION_COLUMNS, type AdminTexts, type DetailRow, type FeedRow, type PageText, type Question, type ServerState, type SessionColumn } from "./texts";

export const ADMIN_TEXTS: Readonly<Record<Language, AdminTexts>> = { en: english, zh: chinese };
