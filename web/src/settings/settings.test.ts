import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import { DEFAULT_SETTINGS, languageOf, readSettings, readSharedView, riseOf, timeZoneOf, writeSettings, writeSharedView } from ".";

test("settings survive serialisation", () => {
  const chosen = { ...DEFAULT_SETTINGS, theme: "dark", conflateMs: 0, interval: 300, timeZone: "utc", columns: { wide: "[]" } } as const;

  expect(readSettings(writeSettings(chosen))).toEqual(chosen);
});

test.each([null, "", "{", "7", '{"theme":"pink","conflateMs":7,"columns":{"wide":7}}'])("stored settings %s yield the defaults", (text) => {
  expect(readSettings(text)).toEqual(DEFAULT_SETTINGS);
});

test("the language is the first supported one of the browser's", () => {
  expect(languageOf(DEFAULT_SETTINGS, ["fr-FR", "zh-TW", "en"])).toBe("zh");
  expect(languageOf(DEFAULT_SETTINGS, ["fr"])).toBe("en");
  expect(languageOf({ ...DEFAULT_SETTINGS, language: "en" }, ["zh-CN"])).toBe("en");
});

test("times are those of the exchange, of UTC or of the browser", () => {
  const zones = (["exchange", "utc", "browser"] as const).map((timeZone) => timeZoneOf({ ...DEFAULT_SETTINGS, timeZone }, "Asia/Tokyo"));

  expect(zones).toEqual(["America/New_York", "UTC", "Asia/Tokyo"]);
});

test.each([
  ["zh-CN", "red"],
  ["ja", "red"],
  ["ko-KR", "red"],
  ["en-US", "green"],
])("in %s a rising price is %s unless the user overrides it", (locale, rise) => {
  expect(riseOf(DEFAULT_SETTINGS, [locale])).toBe(rise);
  expect(riseOf({ ...DEFAULT_SETTINGS, rise: "green" }, [locale])).toBe("green");
});

test("a view survives being written into a URL, with the symbols or the id of its list", () => {
  const view = { symbol: symbol("BRK.B"), interval: 60 } as const;
  const shared = { ...view, list: { symbols: [symbol("BRK.B"), symbol("KO")] } };
  const own = { ...view, list: { id: "k3f9x2" } };

  expect(writeSharedView(shared)).toBe("?symbol=BRK.B&interval=60&list=BRK.B,KO");
  expect(writeSharedView(own)).toBe("?symbol=BRK.B&interval=60&watchlist=k3f9x2");
  for (const written of [shared, own]) expect(readSharedView(new URLSearchParams(writeSharedView(written)))).toEqual(written);
});

test("invalid parts of a URL are ignored", () => {
  const query = new URLSearchParams("symbol=A%20B&interval=7&list=KO,,A%20B");

  expect(readSharedView(query)).toEqual({ symbol: undefined, interval: undefined, list: { symbols: ["KO"] } });
});
