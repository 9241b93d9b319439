import type { Millis } from "@tapecast/client";
import { preview, readJson, stringOf, valueAt, writeJson, type Node } from "./fold";
import { mask, maskText } from "./mask";
import { readMessagePack, utf8Length } from "./message-pack";

/** The connections of the panel: the page's own, and two that it opens only to try things out. */
export const TARGETS = ["live", "echo", "msgpack"] as const;

export type Target = (typeof TARGETS)[number];

/** A message as a socket has it, without its size. */
export interface RawFrame {
  readonly target: Target;
  readonly direction: "in" | "out";
  readonly at: Millis;
  /** A text, or the bytes of a binary message. */
  readonly data: string | Uint8Array;
}

/** Why a frame is marked: a command of the send box, or the answer to one. */
export interface Mark {
  /** The number of the command, from 1. */
  readonly command: number;
  /** Of the answer, in milliseconds. */
  readonly roundTripMs?: number;
}

/** What the filters compare of one object of a frame. */
export interface ObjectFacts {
  /** `T`, or the action of a command; empty if there is neither. */
  readonly kind: string;
  /** The symbols and topics that it names. */
  readonly symbols: readonly string[];
}

/** What is known of a frame once it was read. */
export interface FrameFacts {
  readonly objects: readonly ObjectFacts[];
  /** Kinds and how often they occur, in order of appearance. */
  readonly kinds: ReadonlyMap<string, number>;
  readonly preview: string;
}

const PREVIEW_LENGTH = 160;

/** A longer text is cut: the ring is for looking at. Messages of the server are far below. */
export const MAX_KEPT = 1_048_576;

/**
 * A message of the log. It is read only when it is drawn or filtered, and then only what is needed is kept, because most
 * messages leave the ring unseen.
 */
export class LoggedFrame {
  /** Rises by 1 with each frame of the log. */
  readonly number: number;
  readonly target: Target;
  readonly direction: "in" | "out";
  readonly at: Millis;
  /** The size on the wire before compression, without the frame's head. */
  readonly bytes: number;
  readonly codec: "text" | "binary";
  mark: Mark | undefined;
  /** The text without secrets, or the value of a binary message. */
  private readonly content: string | Node;
  private known: FrameFacts | undefined;

  constructor(number: number, { target, direction, at, data }: RawFrame) {
    this.number = number;
    this.target = target;
    this.direction = direction;
    this.at = at;
    if (typeof data === "string") {
      this.codec = "text";
      this.bytes = utf8Length(data);
      this.content = maskText(data.length > MAX_KEPT ? data.slice(0, MAX_KEPT) : data);
    } else {
      this.codec = "binary";
      this.bytes = data.length;
      const value = readMessagePack(data);
      this.content = value === undefined ? { kind: "text", text: `0x${[...data.subarray(0, 256)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}` } : mask(value);
    }
  }

  /** The message as a tree. Made anew at each call. */
  get tree(): Node {
    if (typeof this.content !== "string") return this.content;
    return readJson(this.content) ?? { kind: "text", text: this.content };
  }

  /** The message as text, without secrets. */
  get text(): string {
    return typeof this.content === "string" ? this.content : writeJson(this.content);
  }

  get facts(): FrameFacts {
    this.known ??= factsOf(this.tree);
    return this.known;
  }
}

function factsOf(tree: Node): FrameFacts {
  const objects = objectsOf(tree).map((node) => ({ kind: kindOf(node), symbols: symbolsOf(node) }));
  const kinds = new Map<string, number>();
  for (const { kind } of objects) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return { objects, kinds, preview: preview(tree, PREVIEW_LENGTH) };
}

/** The objects of a message: the elements of an array, or the message itself. */
export function objectsOf(tree: Node): readonly Node[] {
  return tree.kind === "array" ? tree.entries.map(({ value }) => value) : [tree];
}

export function kindOf(object: Node): string {
  return stringOf(valueAt(object, "T")) ?? stringOf(valueAt(object, "action")) ?? "";
}

/** `S` and `topic` of an object, and the names in the lists of a command or an acknowledgement. */
function symbolsOf(object: Node): readonly string[] {
  if (object.kind !== "object") return [];
  const names = object.entries.flatMap(({ key, value }) => {
    if (key === "S" || key === "topic") return stringOf(value) ?? [];
    // Sale conditions are lists as well.
    if (value.kind !== "array" || key === "c") return [];
    return value.entries.flatMap(({ value: name }) => stringOf(name) ?? stringOf(valueAt(name, "S")) ?? []);
  });
  return [...new Set(names)];
}
