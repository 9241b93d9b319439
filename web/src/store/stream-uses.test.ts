import { expect, test } from "vitest";
import { symbol } from "../../fake/builders";
import type { Client, Streams } from "@tapecast/client";
import { StreamUses } from "./stream-uses";

test("only the first use of a stream subscribes and only the end of the last one unsubscribes", () => {
  const calls: (readonly [string, Streams])[] = [];
  const client: Pick<Client, "subscribe" | "unsubscribe"> = {
    subscribe: (streams) => calls.push(["subscribe", streams]),
    unsubscribe: (streams) => calls.push(["unsubscribe", streams]),
  };
  const uses = new StreamUses(client);
  const [aapl, tsla] = [symbol("AAPL"), symbol("TSLA")];

  const first = uses.use({ trades: [aapl], bars: [aapl] });
  const second = uses.use({ trades: [aapl, tsla] });
  first();
  second();

  expect(calls).toEqual([
    ["subscribe", { trades: [aapl], bars: [aapl] }],
    ["subscribe", { trades: [tsla] }],
    ["unsubscribe", { bars: [aapl] }],
    ["unsubscribe", { trades: [aapl, tsla] }],
  ]);
});
