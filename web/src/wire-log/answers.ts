import type { Millis } from "@tapecast/client";
import { isBranch, stringOf, valueAt, type Node } from "./fold";
import { kindOf, objectsOf, type LoggedFrame, type Mark } from "./frame";

/** The kinds of objects that answer a command. */
const ANSWERS = new Set(["success", "subscription", "error", "published", "presence", "alerts"]);
/** Errors that no command caused: authentication timeout and slow client (docs/PROTOCOL.md, "Errors"). */
const UNASKED_ERRORS = new Set(["404", "407"]);

interface Pending {
  /** Of the send box; undefined for a command of the page itself. */
  readonly command: number | undefined;
  /** `x.id`, as JSON. */
  readonly id: string | undefined;
  readonly at: Millis;
}

/**
 * Finds the answers to commands on one connection.
 *
 * The server answers commands in order, each once. An answer that repeats an id belongs to the command with it, another
 * one to the oldest command. `/echo` answers each message with itself.
 */
export class Answers {
  private readonly protocol: "stream" | "echo";
  private pending: Pending[] = [];

  constructor(protocol: "stream" | "echo") {
    this.protocol = protocol;
  }

  /** A message is sent: one of the send box has a number, one of the page has none. */
  sent({ tree, at }: LoggedFrame, command: number | undefined): void {
    this.pending.push({ command, id: idOf(tree), at });
  }

  /** The mark of a received message, if it answers a command of the send box. */
  received({ tree, at }: LoggedFrame): Mark | undefined {
    const answered = this.protocol === "echo" ? this.pending.shift() : this.takeFor(tree);
    return answered?.command === undefined ? undefined : { command: answered.command, roundTripMs: at - answered.at };
  }

  /** The connection ended: nothing more is answered. Returns the commands of the send box that had no answer. */
  end(): readonly number[] {
    const lost = this.pending.flatMap(({ command }) => command ?? []);
    this.pending = [];
    return lost;
  }

  private takeFor(tree: Node): Pending | undefined {
    // Control objects come alone, in an array of one.
    const [object, second] = objectsOf(tree);
    if (object === undefined || second !== undefined || this.pending.length === 0 || !isAnswer(object)) return undefined;
    const id = idOf(object);
    if (id === undefined) return this.pending.shift();
    const place = this.pending.findIndex((one) => one.id === id);
    // What was sent before it and is still here was answered before the log began to listen.
    return place < 0 ? undefined : this.pending.splice(0, place + 1).at(-1);
  }
}

function isAnswer(object: Node): boolean {
  const kind = kindOf(object);
  if (!ANSWERS.has(kind)) return false;
  if (kind === "success") return stringOf(valueAt(object, "msg")) !== "connected";
  const code = valueAt(object, "code");
  return kind !== "error" || code === undefined || isBranch(code) || !UNASKED_ERRORS.has(code.text);
}

function idOf(node: Node): string | undefined {
  const id = valueAt(valueAt(node, "x"), "id");
  return id === undefined || isBranch(id) || id.kind === "null" ? undefined : id.text;
}

/** The code and the sentence of an answer that is an error. */
export function errorOf(tree: Node): { readonly code: string; readonly message: string } | undefined {
  const [object] = objectsOf(tree);
  if (object === undefined || kindOf(object) !== "error") return undefined;
  const code = valueAt(object, "code");
  const [message, why] = [stringOf(valueAt(object, "msg")) ?? "", stringOf(valueAt(object, "why"))];
  return { code: code === undefined || isBranch(code) ? "" : code.text, message: why === undefined ? message : `${message}: ${why}` };
}
