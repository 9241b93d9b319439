/** User settings and shared views. Pure: the caller stores them. */
export {
  CONFLATION_STEPS_MS,
  DEFAULT_SETTINGS,
  languageOf,
  readSettings,
  riseOf,
  RISES,
  ROWS,
  THEMES,
  TIME_ZONES,
  timeZoneOf,
  writeSettings,
  type Rise,
  type Settings,
  type Theme,
} from "./settings";
export { readSharedView, writeSharedView, type SharedView } from "./shared-view";
