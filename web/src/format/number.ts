/**
 * Formats numbers with thousands separators and a minus sign as wide as a plus.
 *
 * Hand-written, because creating the browser's `Intl.NumberFormat` takes 60 ms before the first price can be painted,
 * and each of its calls is slower.
 */

/** U+2212. Unlike a hyphen it is as wide as a plus. */
export const MINUS = "−";

/** Shown instead of a missing number. */
export const NONE = "–";

/** A price with two decimals; four if it is below a dollar, where venues quote in hundredths of a cent, or not of whole cents. */
export function formatPrice(dollars: number): string {
  return isWholeCents(dollars) ? formatRoundedPrice(dollars) : fixed(dollars, 4);
}

/** A price with two decimals, four below a dollar, where a longer one would move what is beside it. */
export function formatRoundedPrice(dollars: number): string {
  return fixed(dollars, Math.abs(dollars) < 1 ? 4 : 2);
}

/** Whether a price is a multiple of a cent, up to the rounding of binary numbers. */
function isWholeCents(dollars: number): boolean {
  const cents = dollars * 100;
  return Math.abs(cents - Math.round(cents)) < 0.005;
}

/** A change in dollars with its sign: `+1.20`, `−0.35`, `0.00`. */
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

/** A quantity of shares, with the fraction that it has: `1,200`, `−0.5`. */
export function formatQuantity(shares: number): string {
  return Number.isInteger(shares) ? formatCount(shares) : fixed(shares, 4).replace(/0+$/, "");
}

/** A number in at most six characters: `9,876`, `12.35K`, `4.110M`. */
export function formatShort(count: number): string {
  return short(count, 1_000, ["", "K", "M", "B", "T"]);
}

/** A number in Chinese short form, by powers of ten thousand: `9,876`, `12.35万`, `1.234亿`. */
export function formatShortChinese(count: number): string {
  return short(count, 10_000, ["", "万", "亿", "万亿"]);
}

/** A number of bytes: `512 B`, `3.4 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${fixed(bytes, 0)} B`;
  if (bytes < 1_000_000) return `${fixed(bytes / 1_000, bytes < 10_000 ? 1 : 0)} kB`;
  return `${fixed(bytes / 1_000_000, 1)} MB`;
}

/** A duration in a suitable unit: `0.4 ms`, `12 ms`, `1.5 s`. */
export function formatSpan(ms: number): string {
  if (ms < 10) return `${fixed(ms, 1)} ms`;
  if (ms < 1000) return `${fixed(ms, 0)} ms`;
  return `${fixed(ms / 1000, 1)} s`;
}

/** Remaining time in whole seconds, rounded up. */
export function formatCountdown(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

/** An age in its largest unit, rounded down: `18 s`, `3 min`, `2 h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}

/** Numbers below this are not abbreviated. */
const SHORT = 10_000;
const DIGITS = 4;

/** Four digits and a unit; a number that rounds up to the next unit uses that unit. */
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

/** A number with a fixed number of decimals. One that rounds to zero has no sign. */
function fixed(value: number, decimals: number): string {
  const text = digitsOf(Math.abs(value), decimals);
  const grouped = Math.abs(value) < 999 ? text : text.replace(/(?<!\..*)\B(?=(\d{3})+(?!\d))/g, ",");
  return value < 0 && !isZero(text) ? MINUS + grouped : grouped;
}

/** Like `toFixed`, but by integer arithmetic up to nine digits, which is faster. */
function digitsOf(value: number, decimals: number): string {
  const scale = SCALES[decimals] ?? 1;
  const scaled = Math.round(value * scale);
  if (decimals === 0 || scaled > 1e9) return value.toFixed(decimals);
  return `${Math.floor(scaled / scale)}.${String(scaled % scale).padStart(decimals, "0")}`;
}

const SCALES = [1, 10, 100, 1_000, 10_000] as const;

const isZero = (text: string): boolean => !/[1-9]/.test(text);
