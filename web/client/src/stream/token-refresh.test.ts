import { expect, test } from "vitest";
import { FakeRuntime } from "../../../fake/runtime";
import { closeOf, keyOf } from "../wire";
import { Client, TokenRefresh } from ".";

const EXPIRED = closeOf(3000);

/** A client with a first token `t1`, whose log-in then gives `t2`, `t3` and so on; some calls fail. */
function connected({ failures = 0 } = {}) {
  const runtime = new FakeRuntime();
  const key = keyOf("t1");
  const client = new Client(runtime, { url: "ws://test/", key });
  const errors: number[] = [];
  client.on("serverError", ({ code }) => errors.push(code));
  let calls = 0;
  new TokenRefresh(client, key, () => {
    calls += 1;
    return calls <= failures ? Promise.reject(new Error("the log-in is away")) : Promise.resolve(`t${calls - failures + 1}`);
  });
  client.connect();
  runtime.socket.greet();
  const tokens = () => runtime.sockets.flatMap(({ sent }) => sent as { action: string; key: string; secret: string }[]).filter(({ action }) => action === "auth");
  const calledTimes = () => calls;
  return { runtime, client, errors, tokens, calledTimes };
}

/** Lets promises that are settled have their effect. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test("a client with a token opts in to the notice of its end, and sends a newer one on the same connection", async () => {
  const { runtime, tokens } = connected();
  expect(runtime.socket.sent).toMatchObject([{ action: "auth", key: "jwt", secret: "t1" }, { action: "subscribe", x: {} }]);

  runtime.socket.receive({ T: "expiry", in_ms: 60_000 });
  await settle();

  expect(tokens().map(({ secret }) => secret)).toEqual(["t1", "t2"]);
  expect(runtime.sockets).toHaveLength(1);
});

test("a client whose token has ended connects with a newer one", async () => {
  const { runtime, client, tokens } = connected();

  runtime.socket.receive({ T: "error", code: 402, msg: "auth failed", why: "the token has expired" });
  runtime.socket.remoteClose(EXPIRED.code, EXPIRED.reason);
  await settle();
  runtime.socket.greet();

  expect(runtime.sockets).toHaveLength(2);
  expect(client.state.phase).toBe("live");
  expect(tokens().map(({ secret }) => secret)).toEqual(["t1", "t2"]);
});

test("a token that is refused after a reconnect is replaced once, and a second refusal is told", async () => {
  const { runtime, errors, tokens } = connected();
  const refuse = () => {
    runtime.socket.receive({ T: "error", code: 402, msg: "auth failed" });
    runtime.socket.receive({ T: "error", code: 401, msg: "not authenticated", x: { id: 1 } });
  };

  refuse();
  await settle();
  runtime.socket.greet();
  expect(errors).toEqual([]);
  expect(tokens().map(({ secret }) => secret)).toEqual(["t1", "t2"]);
  refuse();
  await settle();
  expect(errors).toEqual([402, 401]);

  runtime.socket.receive({ T: "success", msg: "authenticated" });
  refuse();
  await settle();
  expect(tokens().at(-1)?.secret).toBe("t2");
  runtime.socket.greet();
  expect(tokens().at(-1)?.secret).toBe("t3");
});

test("a token that cannot be fetched is fetched again, until the client is closed", async () => {
  const { runtime, client, tokens, calledTimes } = connected({ failures: 2 });
  runtime.socket.receive({ T: "expiry", in_ms: 60_000 });
  runtime.socket.receive({ T: "expiry", in_ms: 60_000 });
  await settle();
  expect(calledTimes()).toBe(1);
  runtime.advance(5_000);
  await settle();
  runtime.advance(5_000);
  await settle();
  expect(tokens().map(({ secret }) => secret)).toEqual(["t1", "t2"]);

  client.close();
  runtime.socket.remoteClose(1000);
  expect(client.state.phase).toBe("ended");
  expect(calledTimes()).toBe(3);
});
