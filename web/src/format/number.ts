/** Numbers as the page shows them: grouped by thousands, with a real minus sign, in figures of one width. */

/** U+2212, as wide as a plus; a hyphen is not. */
export const MINUS = "−";

/** Stands where there is no figure yet. */
export const NONE = "–";

const cents = decimals(2);
const fractions = decimals(4);
const tenths = decimals(1);
const whole = decimals(0);
const short = new Intl.NumberFormat("en-US", {
  notation: "compact",
  minimumSignificantDigits: 4,
  maximumSignificantDigits: 4,
});

function decimals(digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Two decimals; four below a dollar, where venues quote in hundredths of a cent. */
export function formatPrice(dollars: number): string {
  return write(Math.abs(dollars) < 1 ? fractions : cents, dollars);
}

/** A change in dollars, always with its sign: `+1.20`, `−0.35`, `0.00`. */
export function formatChange(dollars: number): string {
  return sign(dollars, cents);
}

/** A ratio as a percentage with its sign: `+0.54%`. */
export function formatPercent(ratio: number): string {
  return `${sign(ratio * 100, cents)}%`;
}

/** A whole number with thousands: `12,345`. */
export function formatCount(count: number): string {
  return write(whole, count);
}

/** A number in at most six characters: `9,876`, `12.35K`, `4.110M`. */
export function formatShort(count: number): string {
  return write(Math.abs(count) < 10_000 ? whole : short, count);
}

const shortChinese = new Intl.NumberFormat("zh-CN", {
  notation: "compact",
  minimumSignificantDigits: 4,
  maximumSignificantDigits: 4,
});

/** The same by ten thousands, as it is written in Chinese: `9,876`, `12.35万`, `1.234亿`. */
export function formatShortChinese(count: number): string {
  return write(Math.abs(count) < 10_000 ? whole : shortChinese, count);
}

/** A number of bytes: `512 B`, `3.4 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${write(whole, bytes)} B`;
  if (bytes < 1_000_000) return `${write(bytes < 10_000 ? tenths : whole, bytes / 1_000)} kB`;
  return `${write(tenths, bytes / 1_000_000)} MB`;
}

/** A stretch of time in the unit that suits it: `0.4 ms`, `12 ms`, `1.5 s`. */
export function formatSpan(ms: number): string {
  if (ms < 10) return `${write(tenths, ms)} ms`;
  if (ms < 1000) return `${write(whole, ms)} ms`;
  return `${write(tenths, ms / 1000)} s`;
}

/** Whole seconds that remain, never less than they are. */
export function formatCountdown(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

function sign(value: number, digits: Intl.NumberFormat): string {
  const text = write(digits, value);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** Writes a number; what rounds to zero has no sign. */
function write(digits: Intl.NumberFormat, value: number): string {
  const text = digits.format(value);
  if (!text.startsWith("-")) return text;
  return /[1-9]/.test(text) ? MINUS + text.slice(1) : text.slice(1);
}
