/** The protocol and nothing else: commands and queries out, frames and answers in, what a close means. */
export { readAssets } from "./assets";
export { closeOf, type Close, type ComeBack } from "./close";
export { auth, isEmpty, subscribe, unsubscribe, type Extensions, type Key, type Resume, type Wants } from "./command";
export type { Control, Granted } from "./control";
export {
  barsPath,
  justBefore,
  readBars,
  readTrades,
  tradesPath,
  type BarsQuery,
  type Page,
  type Timeframe,
} from "./history";
export { readFrame, type Frame } from "./read";
