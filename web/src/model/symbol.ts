/** The text that names an instrument: `AAPL`. (Not `Symbol`: JavaScript has taken that name.) */
export type StockSymbol = string & { readonly __stockSymbol: unique symbol };

/** The longest symbol that the server accepts. */
export const MAX_SYMBOL_LENGTH = 24;

/** Visible ASCII without quote, backslash and comma: the server's own rule. */
const SHAPE = /^[!#-+\--[\]-~]+$/;

/** The text as a symbol, or undefined when it cannot be one. */
export function asSymbol(text: string): StockSymbol | undefined {
  const fits = text.length <= MAX_SYMBOL_LENGTH && SHAPE.test(text);
  return fits ? (text as StockSymbol) : undefined;
}
