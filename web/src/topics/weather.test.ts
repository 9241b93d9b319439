import { expect, test } from "vitest";
import { START } from "../../fake/builders";
import { millis, seq, type Message } from "../model";
import { cityOf, readWeather, weatherTopic } from ".";

const message = (data: unknown): Message => ({
  ...{ topic: "weather:new-york", seq: seq(1), conflated: 0, origin: "live", time: millis(START), by: "desk", data, takesBack: undefined },
});

test("the city of an exchange has a topic and a time zone", () => {
  expect(["NASDAQ", "nyse", "", "LSE", "XXXX"].map((name) => cityOf(name)?.id)).toEqual(["new-york", "new-york", "new-york", "london", undefined]);
  expect(weatherTopic("hong-kong")).toBe("weather:hong-kong");
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
