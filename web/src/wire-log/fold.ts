/** A value of a message as a tree that can be shown folded. Numbers and strings keep the digits and escapes of the wire. */
export type Node = Scalar | Branch;

export interface Scalar {
  /** `text` is what is not JSON, `time` and `bytes` are of MessagePack. */
  readonly kind: "string" | "number" | "boolean" | "null" | "time" | "bytes" | "text";
  /** As JSON writes it, with the quotes of a string. */
  readonly text: string;
}

export interface Branch {
  readonly kind: "object" | "array";
  readonly entries: readonly Entry[];
}

export interface Entry {
  /** Undefined in an array. */
  readonly key: string | undefined;
  readonly value: Node;
}

export const isBranch = (node: Node): node is Branch => node.kind === "object" || node.kind === "array";

/** Strings, marks, and runs of what is neither: numbers and the three words. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Reads a JSON text. `JSON.parse` would lose the digits of a price (`190.10`) and of a large integer, and a key that is
 * there twice. Without recursion, so that deep nesting cannot exhaust the stack. Undefined if it is not JSON.
 */
export function readJson(text: string): Node | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const root: Entry[] = [];
  const open: Entry[][] = [root];
  let key: string | undefined;
  let string: string | undefined;
  const add = (value: Node) => {
    open.at(-1)?.push({ key, value });
    key = undefined;
  };
  const flush = () => {
    if (string !== undefined) add({ kind: "string", text: string });
    string = undefined;
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === ":") {
      key = string === undefined ? undefined : (JSON.parse(string) as string);
      string = undefined;
      continue;
    }
    flush();
    if (token === "{" || token === "[") {
      const entries: Entry[] = [];
      add({ kind: token === "{" ? "object" : "array", entries });
      open.push(entries);
    } else if (token === "}" || token === "]") open.pop();
    else if (token.startsWith('"')) string = token;
    else if (token !== ",") add({ kind: wordKind(token), text: token });
  }
  flush();
  return root[0]?.value;
}

function wordKind(token: string): "boolean" | "null" | "number" {
  return token === "null" ? "null" : token === "true" || token === "false" ? "boolean" : "number";
}

/** The text of a string node, undefined for others. */
export function stringOf(node: Node | undefined): string | undefined {
  return node?.kind === "string" ? (JSON.parse(node.text) as string) : undefined;
}

/** The value of a key; the last one counts, as for the server. */
export function valueAt(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "object" ? node.entries.filter((entry) => entry.key === key).at(-1)?.value : undefined;
}

/** The beginning of a value on one line, at most `length` characters with an ellipsis if something was left out. */
export function preview(node: Node, length: number): string {
  let text = "";
  // What remains to be written, last first.
  const rest: (Node | string)[] = [node];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === "string") text += next;
    else if (!isBranch(next)) text += next.text;
    else {
      const [start, end] = next.kind === "object" ? ["{", "}"] : ["[", "]"];
      rest.push(end);
      const shown = next.entries.slice(0, length);
      for (const [at, { key, value }] of [...shown.entries()].reverse()) {
        rest.push(value, `${at === 0 ? "" : ", "}${key === undefined ? "" : `${key}: `}`);
      }
      rest.push(start);
    }
    if (text.length > length) return visible(`${text.slice(0, length - 1)}…`);
  }
  return visible(text);
}

/** The whole value as JSON on one line, except for times and bytes, which JSON has not and which become strings. */
export function writeJson(node: Node): string {
  const parts: string[] = [];
  const rest: (Node | string)[] = [node];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === "string") parts.push(next);
    else if (!isBranch(next)) parts.push(next.kind === "time" || next.kind === "bytes" ? JSON.stringify(next.text) : next.text);
    else {
      const [start, end] = next.kind === "object" ? ["{", "}"] : ["[", "]"];
      rest.push(end);
      for (const [at, { key, value }] of [...next.entries.entries()].reverse()) {
        rest.push(value, `${at === 0 ? "" : ","}${key === undefined ? "" : `${JSON.stringify(key)}:`}`);
      }
      rest.push(start);
    }
  }
  return parts.join("");
}

/** Control characters, and those that change the direction of the text after them or are not seen. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Shows characters that are not seen or would reorder the text as escapes. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
