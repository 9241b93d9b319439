import { asSymbol, price, shares, type StockSymbol } from "@tapecast/client";
import { isSection, type ListItem } from "./list-items";
import type { Position } from "./positions";

/** The formats in which a list is exported: that of TradingView, and CSV with positions. */
export const LIST_FORMATS = ["tradingview", "csv"] as const;

export type ListFormat = (typeof LIST_FORMATS)[number];

/** A symbol of an imported text, with the section that it is in. */
export interface ImportedSymbol {
  readonly symbol: StockSymbol;
  /** The name of its section; undefined above the first one. */
  readonly section: string | undefined;
  readonly position: Position | undefined;
}

export interface ImportedList {
  readonly symbols: readonly ImportedSymbol[];
  /** What is no symbol, section or number, as it was written. */
  readonly notUnderstood: readonly string[];
}

/** Begins the name of a section in the format of TradingView. */
const SECTION = "###";

const HEADS: Readonly<Record<"symbol" | "quantity" | "cost" | "section", readonly string[]>> = {
  symbol: ["symbol", "ticker"],
  quantity: ["quantity", "qty", "shares"],
  cost: ["cost", "average cost", "avg cost", "cost per share"],
  section: ["section"],
};

/**
 * Reads a list: CSV with a header that names a column `symbol`, TradingView's `###Section,NASDAQ:AAPL,…`, or plain text
 * such as `AAPL, tsla IBM`.
 */
export function readListFile(text: string): ImportedList {
  const plain = text.replace(/^\uFEFF/, "");
  return readCsv(plain) ?? (plain.includes(SECTION) ? readTokens(plain.split(/[,\r\n]+/)) : readTokens(plain.split(/[\s,;|]+/)));
}

/** A list as text. The exchange is what TradingView tells symbols of one name apart by. */
export function writeListFile(format: ListFormat, items: readonly ListItem[], of: { readonly exchange: (symbol: StockSymbol) => string; readonly position: (symbol: StockSymbol) => Position | undefined }): string {
  if (format === "tradingview") {
    const tokens = items.map((item) => {
      // A comma or a line break would end the name.
      if (isSection(item)) return `${SECTION}${item.name.replace(/[,\r\n]+/g, " ")}`;
      const exchange = of.exchange(item);
      return exchange === "" ? item : `${exchange}:${item}`;
    });
    return `${tokens.join(",")}\n`;
  }
  let section = "";
  const hasSections = items.some(isSection);
  const lines = items.flatMap((item) => {
    if (isSection(item)) {
      section = item.name;
      return [];
    }
    const position = of.position(item);
    return [[item, position?.quantity ?? "", position?.cost ?? "", ...(hasSections ? [section] : [])].map((field) => quoted(String(field))).join(",")];
  });
  return `${[["symbol", "quantity", "cost", ...(hasSections ? ["section"] : [])].join(","), ...lines].join("\r\n")}\r\n`;
}

function readTokens(tokens: readonly string[]): ImportedList {
  let section: string | undefined;
  const symbols: ImportedSymbol[] = [];
  const notUnderstood: string[] = [];
  for (const token of tokens.map((one) => one.trim()).filter((one) => one !== "")) {
    const symbol = symbolIn(token);
    if (token.startsWith(SECTION)) section = token.slice(SECTION.length).trim();
    else if (symbol === undefined) notUnderstood.push(token);
    else symbols.push({ symbol, section, position: undefined });
  }
  return { symbols, notUnderstood };
}

/** The symbol of `AAPL` or `NASDAQ:AAPL`. */
function symbolIn(token: string): StockSymbol | undefined {
  const name = token.slice(token.lastIndexOf(":") + 1).toUpperCase();
  return name === "" ? undefined : asSymbol(name);
}

function readCsv(text: string): ImportedList | undefined {
  const end = text.search(/[\r\n]/);
  const head = end < 0 ? text : text.slice(0, end);
  const separator = [",", ";", "\t"].find((one) => head.includes(one)) ?? ",";
  const [first = [], ...rows] = recordsOf(text, separator);
  const names = first.map((name) => name.trim().toLowerCase());
  const at = (column: keyof typeof HEADS) => names.findIndex((name) => HEADS[column].includes(name));
  const [symbolAt, quantityAt, costAt, sectionAt] = [at("symbol"), at("quantity"), at("cost"), at("section")];
  if (symbolAt < 0) return undefined;
  const symbols: ImportedSymbol[] = [];
  const notUnderstood: string[] = [];
  for (const row of rows) {
    const [named = "", quantity = "", cost = "", section = ""] = [symbolAt, quantityAt, costAt, sectionAt].map((column) => row[column]?.trim() ?? "");
    const symbol = symbolIn(named);
    if (symbol === undefined) {
      if (row.some((field) => field.trim() !== "")) notUnderstood.push(named === "" ? row.join(separator) : named);
      continue;
    }
    const position = quantity === "" && cost === "" ? undefined : positionIn(quantity, cost, separator === ";" ? "," : ".");
    if (position === "invalid") notUnderstood.push(`${named} ${[quantity, cost].filter((field) => field !== "").join(" × ")}`);
    symbols.push({ symbol, section: section === "" ? undefined : section, position: position === "invalid" ? undefined : position });
  }
  return { symbols, notUnderstood };
}

function positionIn(quantity: string, cost: string, decimal: "." | ","): Position | "invalid" {
  const [amount, dollars] = [readNumber(quantity, decimal), readNumber(cost, decimal)];
  if (amount === undefined || dollars === undefined || amount === 0 || dollars < 0) return "invalid";
  return { quantity: shares(amount), cost: price(dollars) };
}

/** A number such as `1,234.5`, `$12.30`, `-5` or `−5`; undefined for any other text. */
export function readNumber(text: string, decimal: "." | "," = "."): number | undefined {
  const thousands = decimal === "." ? /,(?=\d{3})/g : /\.(?=\d{3})/g;
  const plain = text.trim().replace("−", "-").replace(/^(-?)\$/, "$1").replace(thousands, "").replace(decimal, ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : undefined;
}

/** The records of a text by RFC 4180. */
function recordsOf(text: string, separator: string): readonly (readonly string[])[] {
  const records: string[][] = [[]];
  let field = "";
  let isQuoted = false;
  const endField = () => {
    records.at(-1)?.push(field);
    field = "";
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (isQuoted && letter === '"' && text.charAt(at + 1) === '"') {
      field += letter;
      at += 1;
    } else if (letter === '"') isQuoted = !isQuoted;
    else if (isQuoted) field += letter;
    else if (letter === separator) endField();
    else if (letter === "\n") {
      endField();
      records.push([]);
    } else if (letter !== "\r") field += letter;
  }
  endField();
  return records;
}

/** A field of CSV. One that a spreadsheet would take for a formula is marked as text. */
function quoted(field: string): string {
  const text = /^[=+@\t]/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
