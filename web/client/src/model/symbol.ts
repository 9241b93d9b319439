/** A ticker symbol such as `AAPL`. (`Symbol` is a JavaScript built-in.) */
export type StockSymbol = string & { readonly __stockSymbol: unique symbol };

/** The longest symbol that the server accepts. */
export const MAX_SYMBOL_LENGTH = 24;

/** Visible ASCII without quote, backslash and comma: the rule that the server applies. */
const SHAPE = /^[!#-+\--[\]-~]+$/;

/** The symbol that this text is. Throws a `TypeError` if it is none. */
export function symbolOf(text: string): StockSymbol {
  const symbol = asSymbol(text);
  if (symbol === undefined) throw new TypeError(`not a symbol: ${JSON.stringify(text)}`);
  return symbol;
}

/** Parses a symbol; undefined if the text is not a valid one. */
export function asSymbol(text: string): StockSymbol | undefined {
  const fits = text.length <= MAX_SYMBOL_LENGTH && SHAPE.test(text);
  return fits ? (text as StockSymbol) : undefined;
}
