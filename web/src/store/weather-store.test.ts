import { expect, test } from "vitest";
import { FakeRuntime } from "../../fake/runtime";
import { FullClient } from "@tapecast/client";
import { cityOf } from "../topics";
import { WeatherStore } from ".";

const weather = (city: string, sq: number, data: unknown) => ({ T: "m", S: `weather:${city}`, d: data, t: "2026-11-20T14:30:00Z", sq });

test("the weather is that of the shown city, the newest, or none", () => {
  const runtime = new FakeRuntime();
  const client = new FullClient(runtime, { url: "ws://test/" });
  const store = new WeatherStore(client);
  client.connect();
  runtime.socket.greet();
  store.show(cityOf("NYSE"));
  store.show(cityOf("NASDAQ"));
  runtime.socket.receive({ T: "subscription", x: { id: 1, epoch: "k3" } });
  expect(runtime.socket.sent.slice(1)).toMatchObject([{ topics: ["weather:new-york"], x: { snapshot: true } }]);
  runtime.socket.receive({ T: "subscription", topics: ["weather:new-york"], x: { id: 2, epoch: "k3" } });

  runtime.socket.receive({ ...weather("new-york", 7, { temp_c: 20 }), sn: true }, weather("new-york", 8, { temp_c: 21 }));
  expect(store.weather).toMatchObject({ temperature: 21 });
  runtime.socket.receive(weather("new-york", 9, "nothing of the kind"));
  expect(store.weather).toBeUndefined();

  runtime.socket.receive(weather("new-york", 10, { temp_c: 22 }));
  store.show(cityOf("LSE"));
  runtime.socket.receive(weather("new-york", 11, { temp_c: 23 }));
  expect(store.weather).toBeUndefined();
  expect(runtime.socket.sent.slice(2)).toMatchObject([{ action: "unsubscribe", topics: ["weather:new-york"] }, { topics: ["weather:london"] }]);
});
