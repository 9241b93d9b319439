import type { Entry, Node } from "./fold";

/** MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md): what the server sends and reads. */

/** Nesting beyond this is refused, as the server does: its messages are a few levels deep. */
const MAX_DEPTH = 64;
/** The type of the timestamp extension. */
const TIMESTAMP = -1;

/** Decodes one value. Integers keep all digits, times all nanoseconds. Undefined if the bytes are not exactly one value. */
export function readMessagePack(bytes: Uint8Array): Node | undefined {
  try {
    const reader = new Reader(bytes);
    const value = reader.value(0);
    return reader.isAtEnd ? value : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  value(depth: number): Node {
    if (depth > MAX_DEPTH) throw new RangeError("nested too deeply");
    const type = this.uint(1);
    if (type < 0x80) return number(type);
    if (type < 0x90) return this.map(type & 0x0f, depth);
    if (type < 0xa0) return this.array(type & 0x0f, depth);
    if (type < 0xc0) return this.string(type & 0x1f);
    if (type >= 0xe0) return number(type - 0x100);
    switch (type) {
      case 0xc0: return { kind: "null", text: "null" };
      case 0xc2: return { kind: "boolean", text: "false" };
      case 0xc3: return { kind: "boolean", text: "true" };
      case 0xc4: case 0xc5: case 0xc6: return { kind: "bytes", text: hex(this.take(this.uint(width(type, 0xc4)))) };
      case 0xc7: case 0xc8: case 0xc9: return this.extension(this.uint(width(type, 0xc7)));
      case 0xca: return number(this.view.getFloat32(this.skip(4)));
      case 0xcb: return number(this.view.getFloat64(this.skip(8)));
      case 0xcc: case 0xcd: case 0xce: return number(this.uint(width(type, 0xcc)));
      case 0xcf: return { kind: "number", text: this.view.getBigUint64(this.skip(8)).toString() };
      case 0xd0: return number(this.view.getInt8(this.skip(1)));
      case 0xd1: return number(this.view.getInt16(this.skip(2)));
      case 0xd2: return number(this.view.getInt32(this.skip(4)));
      case 0xd3: return { kind: "number", text: this.view.getBigInt64(this.skip(8)).toString() };
      case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return this.extension(2 ** (type - 0xd4));
      case 0xd9: case 0xda: case 0xdb: return this.string(this.uint(width(type, 0xd9)));
      case 0xdc: case 0xdd: return this.array(this.uint(2 * width(type, 0xdc)), depth);
      case 0xde: case 0xdf: return this.map(this.uint(2 * width(type, 0xde)), depth);
      default: throw new RangeError("a type that does not exist");
    }
  }

  private array(length: number, depth: number): Node {
    const entries: Entry[] = [];
    for (let left = length; left > 0; left -= 1) entries.push({ key: undefined, value: this.value(depth + 1) });
    return { kind: "array", entries };
  }

  private map(length: number, depth: number): Node {
    const entries: Entry[] = [];
    for (let left = length; left > 0; left -= 1) {
      const key = this.value(depth + 1);
      entries.push({ key: key.kind === "string" ? (JSON.parse(key.text) as string) : "text" in key ? key.text : "?", value: this.value(depth + 1) });
    }
    return { kind: "object", entries };
  }

  private string(length: number): Node {
    return { kind: "string", text: JSON.stringify(textOf(this.take(length))) };
  }

  private extension(length: number): Node {
    const type = this.view.getInt8(this.skip(1));
    const data = this.take(length);
    const view = new DataView(data.buffer, data.byteOffset, length);
    const time = type === TIMESTAMP ? timestamp(view) : undefined;
    return time === undefined ? { kind: "bytes", text: `${type}: ${hex(data)}` } : { kind: "time", text: time };
  }

  private uint(length: number): number {
    const at = this.skip(length);
    return length === 1 ? this.view.getUint8(at) : length === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  private take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  /** Where the next bytes are. */
  private skip(length: number): number {
    const { at } = this;
    if (at + length > this.bytes.length) throw new RangeError("cut off");
    this.at += length;
    return at;
  }
}

/** The number of bytes of a length or an integer: 1, 2, 4 for the types from this one on. */
const width = (type: number, first: number): number => 2 ** (type - first);

const number = (value: number): Node => ({ kind: "number", text: String(value) });

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** RFC 3339 with the nanoseconds that are there; undefined for a length that the extension has not. */
function timestamp(view: DataView): string | undefined {
  const read = (): readonly [seconds: bigint, nanoseconds: number] | undefined => {
    switch (view.byteLength) {
      case 4: return [BigInt(view.getUint32(0)), 0];
      case 8: return [view.getBigUint64(0) & 0x3_ffff_ffffn, view.getUint32(0) >>> 2];
      case 12: return [view.getBigInt64(4), view.getUint32(0)];
      default: return undefined;
    }
  };
  const [seconds, nanoseconds] = read() ?? [];
  const date = new Date(Number(seconds) * 1_000);
  if (seconds === undefined || nanoseconds === undefined || Number.isNaN(date.getTime())) return undefined;
  const fraction = nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0")}`;
  return `${date.toISOString().slice(0, -5)}${fraction}Z`;
}

/** UTF-8. What is not becomes the replacement character. */
function textOf(bytes: Uint8Array): string {
  const escaped = [...bytes].map((byte) => (byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`));
  try {
    return decodeURIComponent(escaped.join(""));
  } catch {
    return [...bytes].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : "\ufffd")).join("");
  }
}

/** Encodes a value of JSON. */
export function writeMessagePack(value: unknown): Uint8Array {
  const bytes: number[] = [];
  write(value, bytes);
  return Uint8Array.from(bytes);
}

function write(value: unknown, to: number[]): void {
  if (value === null || value === undefined) to.push(0xc0);
  else if (typeof value === "boolean") to.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(value, to);
  else if (typeof value === "string") writeString(value, to);
  else if (Array.isArray(value)) {
    writeHead(value.length, [0x90, 0x0f], [0xdc, 0xdd], to);
    for (const item of value as readonly unknown[]) write(item, to);
  } else {
    const entries = Object.entries(value);
    writeHead(entries.length, [0x80, 0x0f], [0xde, 0xdf], to);
    for (const [key, item] of entries) {
      writeString(key, to);
      write(item, to);
    }
  }
}

function writeNumber(value: number, to: number[]): void {
  if (Number.isInteger(value) && value >= 0 && value < 0x80) to.push(value);
  else if (Number.isInteger(value) && value < 0 && value >= -0x20) to.push(value + 0x100);
  else if (Number.isSafeInteger(value)) append(0xd3, 8, (view) => { view.setBigInt64(0, BigInt(value)); }, to);
  else append(0xcb, 8, (view) => { view.setFloat64(0, value); }, to);
}

function writeString(text: string, to: number[]): void {
  const bytes = utf8(text);
  if (bytes.length >= 0x20 && bytes.length < 0x100) to.push(0xd9, bytes.length);
  else writeHead(bytes.length, [0xa0, 0x1f], [0xda, 0xdb], to);
  for (const byte of bytes) to.push(byte);
}

/** A length: within the type's byte, in 16 bits or in 32 bits. */
function writeHead(length: number, [fix, max]: readonly [number, number], [short, long]: readonly [number, number], to: number[]): void {
  if (length <= max) to.push(fix | length);
  else if (length < 0x1_0000) append(short, 2, (view) => { view.setUint16(0, length); }, to);
  else append(long, 4, (view) => { view.setUint32(0, length); }, to);
}

function append(type: number, length: number, set: (view: DataView) => void, to: number[]): void {
  const bytes = new Uint8Array(length);
  set(new DataView(bytes.buffer));
  to.push(type, ...bytes);
}

/** The bytes of a text in UTF-8. A lone surrogate becomes the replacement character. */
export function utf8(text: string): readonly number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const point = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x1_0000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
  }
  return bytes;
}

/** The number of bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // Two units of a pair are four bytes.
    if (unit >= 0xd800 && (text.codePointAt(at) ?? 0) > 0xffff) at += 1;
  }
  return length;
}
