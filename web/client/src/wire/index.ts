/** The protocol (docs/PROTOCOL.md): encodes commands and REST queries, decodes frames and REST responses, interprets close codes. */
export { conditionText, readAlertControl, removeAlerts, setAlert, type AlertControl, type AlertEntry } from "./alert";
export { readAssets } from "./assets";
export { closeOf, CLOSES, type Close, type ReconnectAdvice } from "./close";
export { auth, isEmpty, subscribe, unsubscribe, type Extensions, type Key, type Resume, type StreamSelection } from "./command";
export type { Control, Acknowledgement, FeedNotice, ServerError } from "./control";
export {
  barsPath,
  millisecondBefore,
  readBars,
  readTrades,
  tradesPath,
  type BarsQuery,
  type Page,
  type Timeframe,
} from "./history";
export { readFrame, type Frame, type ObjectReader } from "./read";
export { keysOf, TickerDeltas, type TickerField } from "./ticker-delta";
export { keyOf, readTokenControl, type TokenControl, type TokenKey } from "./token";
export { presence, publish, readTopicControl, subscribeTopics, unsubscribeTopics, type Presence, type Published, type TopicControl } from "./topic";
