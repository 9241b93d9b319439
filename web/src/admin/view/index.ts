/** The parts of the admin page. Each draws what it is given and reports user input through callbacks. */
export { AccessView } from "./access-view";
export { KeysView } from "./keys-view";
export { NodeView, type DrainProgress } from "./node-view";
export { BATCHES, OverviewView, type OverviewContext } from "./overview-view";
export { Confirmation, translatePage } from "./parts";
export { PreferencesView, type Preferences } from "./preferences-view";
export { RefusalsView } from "./refusals-view";
export { SessionDetailView } from "./session-detail";
export { SessionsView, type SessionContext } from "./sessions-view";
