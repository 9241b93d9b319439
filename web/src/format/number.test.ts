import { expect, test } from "vitest";
import { formatChange, formatCount, formatCountdown, formatPercent, formatPrice, formatQuantity, formatRoundedPrice, formatShort, formatShortChinese, formatSpan } from ".";

test("a price has a thousands separator and two decimals", () => {
  expect(formatPrice(1234.5)).toBe("1,234.50");
  expect(formatPrice(187)).toBe("187.00");
});

test("a price below a dollar has four decimals", () => {
  expect(formatPrice(0.1234)).toBe("0.1234");
});

test("a price that is not of whole cents has four decimals", () => {
  expect(formatPrice(99.6459)).toBe("99.6459");
  expect(formatPrice(12_345.678)).toBe("12,345.6780");
  expect(formatPrice(1_234_567.89)).toBe("1,234,567.89");
  expect(formatRoundedPrice(99.6459)).toBe("99.65");
});

test("a negative number has a minus sign as wide as the plus", () => {
  expect(formatChange(-0.35)).toBe("−0.35");
  expect(formatChange(1.2)).toBe("+1.20");
  expect(formatPercent(-0.0123)).toBe("−1.23%");
  expect(formatPercent(0.0054)).toBe("+0.54%");
});

test("a number that rounds to zero has no sign", () => {
  expect(formatChange(-0.001)).toBe("0.00");
  expect(formatChange(0.001)).toBe("0.00");
  expect(formatPercent(-0.000_001)).toBe("0.00%");
});

test("counts have a thousands separator, and large ones a short form", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
  expect(formatShort(12_345_678)).toBe("12.35M");
  expect(formatShort(4_110_000)).toBe("4.110M");
  expect(formatShort(9_876)).toBe("9,876");
});

test("a quantity has the fraction that it has", () => {
  expect([1_200, -10, 0.5, -1_234.25].map(formatQuantity)).toEqual(["1,200", "−10", "0.5", "−1,234.25"]);
});

test("a number that rounds up to the next unit is written in it", () => {
  expect(formatShort(999_949)).toBe("999.9K");
  expect(formatShort(999_950)).toBe("1.000M");
  expect(formatShort(9_999.6)).toBe("10,000");
});

test("Chinese short forms use units of ten thousand", () => {
  expect(formatShortChinese(-123_456)).toBe("−12.35万");
  expect(formatShortChinese(99_995_000)).toBe("1.000亿");
});

test("a duration has a suitable unit", () => {
  expect(formatSpan(0.42)).toBe("0.4 ms");
  expect(formatSpan(42.3)).toBe("42 ms");
  expect(formatSpan(1500)).toBe("1.5 s");
});

test("a countdown rounds up and never goes below zero", () => {
  expect(formatCountdown(1001)).toBe("2 s");
  expect(formatCountdown(-5)).toBe("0 s");
});
