import { expect, test } from "vitest";
import { serverUrlOf, streamUrlOf } from "./address";

test.each([
  ["http://127.0.0.1:8080", "ws://127.0.0.1:8080/v2/iex"],
  ["https://example.org/tapecast/", "wss://example.org/tapecast/v2/iex"],
  ["ws://127.0.0.1:8080/websocket/connect?userId=3", "ws://127.0.0.1:8080/websocket/connect?userId=3"],
  ["wss://example.org/v2/sip#top", "wss://example.org/v2/sip"],
  ["/", "wss://page.example/v2/iex"],
  ["v2/sip", "wss://page.example/below/v2/sip"],
])("the stream of %s is %s", (address, stream) => {
  expect(streamUrlOf(address, "https://page.example/below/index.html")).toBe(stream);
});

test.each(["localhost:8080", "ftp://example.org/", "127.0.0.1:8080"])("`%s` is not an address", (address) => {
  expect(() => streamUrlOf(address, undefined)).toThrow(TypeError);
});

test.each([
  ["ws://127.0.0.1:8080/v2/iex", "http://127.0.0.1:8080/"],
  ["wss://example.org/tapecast/websocket/connect?userId=3", "https://example.org/tapecast/"],
  ["wss://example.org/somewhere/else", "https://example.org/"],
])("the server of %s is at %s", (stream, server) => {
  expect(serverUrlOf(stream)).toBe(server);
});
