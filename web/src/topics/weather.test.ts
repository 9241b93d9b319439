import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { START } from "../../fake/builders";
import { millis, seq, type Message } from "@tapecast/client";
import { chinese } from "../strings/zh";
import { english } from "../strings/en";
import { cityOf, readWeather, weatherTopic } from ".";

const message = (data: unknown): Message => ({
  ...{ topic: "weather:new-york", seq: seq(1), conflated: 0, origin: "live", time: millis(START), by: "desk", data, takesBack: undefined },
});

test("the city of an exchange has a topic and a time zone", () => {
  expect(["NASDAQ", "nyse", "", "LSE", "XXXX"].map((name) => cityOf(name)?.id)).toEqual(["new-york", "new-york", "new-york", "london", undefined]);
  expect(weatherTopic("hong-kong")).toBe("weather:hong-kong");
});

test("each city whose weather the server publishes has an exchange, a time zone and a name in both languages", () => {
  const names = ["AMS", "CHX", "XETRA", "HKEX", "JSE", "LSE", "BME", "BSE", "NYSE", "Euronext", "B3", "KRX", "SSE", "SGX", "ASX", "TSE", "TSX", "SIX"];
  const cities = names.map((name) => cityOf(name));
  const published = [...readFileSync("../src/topics/weather/city.rs", "utf8").matchAll(/ {4}city\("([a-z-]+)"/g)].map(([, id]) => id);

  expect(published).toHaveLength(18);
  expect(cities.map((city) => city?.id)).toEqual(published);
  for (const { cities: named } of [english, chinese]) expect(Object.keys(named).sort()).toEqual(published);
  for (const city of cities) expect(new Intl.DateTimeFormat("en", { timeZone: city?.timeZone }).resolvedOptions().timeZone).not.toBe("UTC");
});

test("the weather is read from a message", () => {
  const data = { temp_c: 21.3, wind_ms: 4.1, condition: "rain", humidity: 0.71, more: true };

  expect(readWeather(message(data))).toEqual({ time: START, temperature: 21.3, wind: 4.1, condition: "rain", humidity: 0.71 });
});

test("what is missing, of another type or impossible is not known", () => {
  expect(readWeather(message({ temp_c: -3 }))).toMatchObject({ temperature: -3, wind: undefined, condition: undefined });
  expect(readWeather(message({ temp_c: "21", wind_ms: 4, condition: "<b>", humidity: 71 }))).toMatchObject({
    ...{ temperature: undefined, wind: 4, condition: undefined, humidity: undefined },
  });
});

test.each([null, 7, "rain", [], {}, { temp_c: 4_000 }])("data %j is no weather", (data) => {
  expect(readWeather(message(data))).toBeUndefined();
});
