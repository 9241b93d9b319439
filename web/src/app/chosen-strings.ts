import { languageOf, timeZoneOf, type Settings } from "../settings";
import { stringsOf, type Strings } from "../strings";

/** The strings in the language and the time zone of the settings. */
export function chosenStrings(settings: Settings): Strings {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return stringsOf(languageOf(settings, navigator.languages), timeZoneOf(settings, timeZone));
}
