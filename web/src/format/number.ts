/**
 * Numbers as the page shows them: grouped by thousands, with a real minus sign, in figures of one width.
 *
 * Written by hand: the browser's own formatters take 60 ms to be made, before the first price can be painted,
 * and longer for each number.
 */

/** U+2212, as wide as a plus; a hyphen is not. */
export const MINUS = "−";

/** Stands where there is no figure yet. */
export const NONE = "–";

/** Two decimals; four below a dollar, where venues quote in hundredths of a cent. */
export function formatPrice(dollars: number): string {
  return fixed(dollars, Math.abs(dollars) < 1 ? 4 : 2);
}

/** A change in dollars, always with its sign: `+1.20`, `−0.35`, `0.00`. */
export function formatChange(dollars: number): string {
  const text = fixed(dollars, 2);
  return dollars > 0 && !isZero(text) ? `+${text}` : text;
}

/** A ratio as a percentage with its sign: `+0.54%`. */
export function formatPercent(ratio: number): string {
  return `${formatChange(ratio * 100)}%`;
}

/** A whole number with thousands: `12,345`. */
export function formatCount(count: number): string {
  return fixed(count, 0);
}

/** A number in at most six characters: `9,876`, `12.35K`, `4.110M`. */
export function formatShort(count: number): string {
  return short(count, 1_000, ["", "K", "M", "B", "T"]);
}

/** The same by ten thousands, as it is written in Chinese: `9,876`, `12.35万`, `1.234亿`. */
export function formatShortChinese(count: number): string {
  return short(count, 10_000, ["", "万", "亿", "万亿"]);
}

/** A number of bytes: `512 B`, `3.4 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${fixed(bytes, 0)} B`;
  if (bytes < 1_000_000) return `${fixed(bytes / 1_000, bytes < 10_000 ? 1 : 0)} kB`;
  return `${fixed(bytes / 1_000_000, 1)} MB`;
}

/** A stretch of time in the unit that suits it: `0.4 ms`, `12 ms`, `1.5 s`. */
export function formatSpan(ms: number): string {
  if (ms < 10) return `${fixed(ms, 1)} ms`;
  if (ms < 1000) return `${fixed(ms, 0)} ms`;
  return `${fixed(ms / 1000, 1)} s`;
}

/** Whole seconds that remain, never less than they are. */
export function formatCountdown(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

/** Below this a number is short enough as it is. */
const SHORT = 10_000;
const DIGITS = 4;

/** Four digits and a unit; what rounds up to the next unit is told in it. */
function short(value: number, step: number, units: readonly string[]): string {
  let size = Math.abs(value);
  if (size < SHORT) return fixed(value, 0);
  let unit = 0;
  while (unit < units.length - 1 && Number(size.toPrecision(DIGITS)) >= step) {
    size /= step;
    unit += 1;
  }
  return `${value < 0 ? MINUS : ""}${size.toPrecision(DIGITS)}${units[unit] ?? ""}`;
}

/** So many decimals, fewer than three where there are thousands to be grouped; what rounds to zero has no sign. */
function fixed(value: number, decimals: number): string {
  const text = digitsOf(Math.abs(value), decimals);
  const grouped = Math.abs(value) < 999 ? text : text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return value < 0 && !isZero(text) ? MINUS + grouped : grouped;
}

/** As `toFixed` has it. Up to nine digits by whole numbers, whose texts the browser makes in no time. */
function digitsOf(value: number, decimals: number): string {
  const scale = SCALES[decimals] ?? 1;
  const scaled = Math.round(value * scale);
  if (decimals === 0 || scaled > 1e9) return value.toFixed(decimals);
  return `${Math.floor(scaled / scale)}.${String(scaled % scale).padStart(decimals, "0")}`;
}

const SCALES = [1, 10, 100, 1_000, 10_000] as const;

const isZero = (text: string): boolean => !/[1-9]/.test(text);
