/** What the viewer chose, and what is looked at. Pure: where it is kept is told from outside. */
export {
  DEFAULT_SETTINGS,
  languageOf,
  PACES_MS,
  readSettings,
  riseOf,
  RISES,
  THEMES,
  writeSettings,
  type Rise,
  type Settings,
  type Theme,
} from "./settings";
export { readView, writeView, type View } from "./view";
