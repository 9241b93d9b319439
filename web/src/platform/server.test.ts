import { expect, test } from "vitest";
import { echoUrlFrom, messagePackUrlFrom, serverUrlFrom, streamUrlFrom } from "./server";

test("the stream and REST are found beside the page, also below a path of a proxy", () => {
  expect(streamUrlFrom("http://127.0.0.1:8080/?list=a#b", "3")).toBe("ws://127.0.0.1:8080/websocket/connect?userId=3");
  expect(streamUrlFrom("https://example.org/tapecast/", "3")).toBe("wss://example.org/tapecast/websocket/connect?userId=3");
  expect(streamUrlFrom("https://example.org/tapecast/index.html?a=/b/c", "3")).toBe("wss://example.org/tapecast/websocket/connect?userId=3");
  expect(streamUrlFrom("http://localhost/", "Ann & 安")).toBe("ws://localhost/websocket/connect?userId=Ann%20%26%20%E5%AE%89");
  expect(serverUrlFrom("http://localhost:8080/", "/v2/assets?status=active")).toBe("http://localhost:8080/v2/assets?status=active");
  expect(serverUrlFrom("https://example.org/tapecast/", "/v2/assets")).toBe("https://example.org/tapecast/v2/assets");
});

test("/echo and the stream in MessagePack are found beside the stream", () => {
  expect(echoUrlFrom("wss://example.org/tapecast/websocket/connect?userId=3")).toBe("wss://example.org/tapecast/echo");
  expect(echoUrlFrom("ws://127.0.0.1:8080/v2/iex")).toBe("ws://127.0.0.1:8080/echo");
  expect(messagePackUrlFrom("ws://127.0.0.1:8080/websocket/connect?userId=3")).toBe("ws://127.0.0.1:8080/websocket/connect?userId=3&codec=msgpack");
});
