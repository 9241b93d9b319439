import { isBranch, readJson, writeJson, type Entry, type Node } from "./fold";

/** What is shown for a secret. Of fixed length, so that it tells nothing about it. */
export const MASK = "•••";

const MASKED: Node = { kind: "string", text: JSON.stringify(MASK) };
const SECRET = /secret/i;
/** A text without these has no key with `secret` in its name: an escape could write one. */
const SUSPECT = /secret|\\u00/i;
/** The value after a key in a text that is not JSON: quoted, or up to the next mark or the end of the line. */
const VALUE = /(secret[\w-]*\\*["']?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}&]*)/gi;

/** Replaces the value of every key that has `secret` in its name. The secret is not kept anywhere else. */
export function maskText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  const node = readJson(text);
  if (node === undefined) return text.replace(VALUE, `$1"${MASK}"`);
  const masked = mask(node);
  return masked === node ? text : writeJson(masked);
}

/** The same for a value that was read. The value itself if it has no secret. */
export function mask(node: Node, depth = 0): Node {
  if (!isBranch(node)) return maskInString(node);
  // Deeper than any message of the protocol, and than the stack should be trusted with.
  if (depth > MAX_DEPTH) return MASKED;
  const entries: readonly Entry[] = node.entries.map(({ key, value }) => ({ key, value: SECRET.test(key ?? "") ? MASKED : mask(value, depth + 1) }));
  return entries.every(({ value }, at) => value === node.entries[at]?.value) ? node : { kind: node.kind, entries };
}

const MAX_DEPTH = 200;

/** A string may quote a command, as the explanation of an error does. */
function maskInString(node: Node): Node {
  if (node.kind !== "string" || !SUSPECT.test(node.text)) return node;
  const text = JSON.parse(node.text) as string;
  const masked = text.replace(VALUE, `$1"${MASK}"`);
  return masked === text ? node : { kind: "string", text: JSON.stringify(masked) };
}
