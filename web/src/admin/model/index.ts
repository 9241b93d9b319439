/** What the server tells its operators, and what follows from it. Pure: no network, no clock, no DOM. */
export { Answer, type Failure, type Result } from "./answer";
export { clientName } from "./client-name";
export { keyRequest, readKeys, readNewKey, type ApiKey, type KeyForm, type KeyRequest, type NewKey } from "./key";
export { nodeLateness } from "./node-lateness";
export { readDrainedSessions, readOverview, type Overview, type Used } from "./overview";
export { Rates } from "./rates";
export { readRefusals, type Refusal } from "./refusal";
export { readSession, readSessionDetail, readSessions, type ChannelSubscription, type Session, type SessionDetail, type SessionList } from "./session";
export { FIRST_LIMIT, FIRST_QUERY, isFirst, heldOrder, isFiltered, MAX_LIMIT, SESSION_SORTS, sessionsPath, sortedBy, type SessionQuery, type SessionSort } from "./session-query";
export { slowCount, slownessOf, stallCause, type Pace, type Slowness, type Symptom } from "./slowness";
