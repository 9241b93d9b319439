/**
 * The messages of a connection, to be looked at: a ring of them, filters, folding, the answers to commands, and texts to
 * send and to copy. Pure: no socket, no clock, no DOM. Secrets are removed where a message enters the log.
 */
export { Answers, errorOf } from "./answers";
export { COPY_FORMATS, copyAs, type Command, type CopyFormat } from "./copy-as";
export { isFiltering, kindsOf, matches, matchesObject, NO_FILTER, type Filter } from "./filter";
export { isBranch, preview, visible, type Branch, type Entry, type Node, type Scalar } from "./fold";
export { objectsOf, TARGETS, type LoggedFrame, type Mark, type Target } from "./frame";
export { CAPACITY, FrameLog } from "./log";
export { maskText } from "./mask";
export { writeMessagePack } from "./message-pack";
export type { Outcome, WireConnection } from "./state";
export { fillIn, TEMPLATES, type Template, type TemplateContext } from "./templates";
export { Timeline, type SocketState, type StateChange } from "./timeline";
