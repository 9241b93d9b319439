/** The protocol and nothing else: commands out, frames in, what a close means. */
export { readAssets } from "./assets";
export { closeOf, type Close, type ComeBack } from "./close";
export { isEmpty, subscribe, unsubscribe, type Wants } from "./command";
export { readFrame, type Control, type Frame } from "./read";
