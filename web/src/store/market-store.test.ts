import { expect, test, vi } from "vitest";
import { cancel, START, symbol, trade } from "../../fake/builders";
import { FakeRuntime } from "../../fake/runtime";
import { Client, HistoryClient, millis, seq, type Trade } from "@tapecast/client";
import { HistoryLoader, MarketStore } from ".";

const AAPL = symbol("AAPL");
const numbered = (number: number): Trade => ({ ...trade(number * 10, 10 + number), id: number, seq: seq(number) });
const gap = (from: number, to: number) => ({ channel: "trades", symbol: AAPL, from: seq(from), to: seq(to), detectedBy: "server" }) as const;

/** A store that watches and has selected AAPL, and the trades requests of its history, which the test answers. */
function opened() {
  const runtime = new FakeRuntime();
  const requests: { readonly start: number; readonly answer: (...numbers: readonly number[]) => void; readonly fail: () => void }[] = [];
  const history = new HistoryClient((path) => {
    if (!path.startsWith("/v2/stocks/trades")) return Promise.resolve(undefined);
    const start = Date.parse(new URLSearchParams(path.split("?")[1]).get("start") ?? "") - START;
    return new Promise((resolve) => {
      const row = (number: number) => ({ i: number, p: 10 + number, s: 10, x: "V", t: new Date(START + number * 10).toISOString() });
      requests.push({
        start,
        answer: (...numbers) => {
          resolve({ trades: { AAPL: numbers.map(row) }, next_page_token: null });
        },
        fail: () => {
          resolve(undefined);
        },
      });
    });
  });
  const client = new Client(runtime, { url: "ws://test/" });
  const store = new MarketStore(client, new HistoryLoader(history, runtime.now, () => undefined), runtime.now);
  store.showSales("shown");
  store.select(AAPL);
  return { runtime, store, requests };
}

const shown = ({ sales }: MarketStore) =>
  sales && Array.from({ length: sales.end }, (_, at) => sales.row(at)).map((row) => (row?.kind === "print" ? row.id : "gap"));

test("missing trades that REST has count as healed and take the warning away", async () => {
  const { store, requests, runtime } = opened();
  requests[0]?.answer();
  await vi.waitFor(() => {
    store.apply([numbered(1)], runtime.now());
    expect(shown(store)).toEqual([1]);
  });
  store.recordGap(gap(2, 3));
  store.apply([numbered(4)], runtime.now());
  const connection = { isLive: true, lastReceived: runtime.now() };
  expect(store.freshness.read(runtime.now(), connection)).toEqual({ kind: "missed", count: 2 });

  await vi.waitFor(() => {
    expect(requests).toHaveLength(2);
  });
  requests[1]?.answer(1, 2, 3, 4);
  await vi.waitFor(() => {
    expect(shown(store)).toEqual([1, 2, 3, 4]);
  });

  expect(store.healed).toBe(2);
  expect(store.freshness.read(runtime.now(), connection)).toMatchObject({ kind: "live" });
});

test("a gap during a request repeats it once instead of racing it, from before the gap", async () => {
  const { store, requests, runtime } = opened();
  requests[0]?.answer(1);
  await vi.waitFor(() => {
    expect(shown(store)).toEqual([1]);
  });

  store.reload();
  store.recordGap(gap(2, 3));
  store.apply([numbered(4)], runtime.now());
  store.recordGap(gap(5, 5));
  expect(requests).toHaveLength(2);
  requests[1]?.answer(1);
  await vi.waitFor(() => {
    expect(requests).toHaveLength(3);
  });
  expect(requests[2]?.start).toBe(10);
  requests[2]?.answer(1, 2, 3, 4, 5);

  await vi.waitFor(() => {
    expect(store.healed).toBe(3);
  });
  expect(shown(store)).toEqual([1, 2, 3, 4, 5]);
  expect(requests).toHaveLength(3);
});

test("missing trades are requested again for a while, and a real gap stays", async () => {
  const { store, requests, runtime } = opened();
  requests[0]?.answer(1);
  await vi.waitFor(() => {
    expect(shown(store)).toEqual([1]);
  });
  store.recordGap(gap(2, 3));

  for (let attempt = 1; attempt <= 5; attempt += 1) {
    requests[attempt]?.fail();
    await vi.waitFor(() => {
      runtime.advance(1_000 * 2 ** attempt);
      store.tick();
      expect(requests).toHaveLength(attempt + 2);
    });
  }
  requests[6]?.answer(1, 3);
  await vi.waitFor(() => {
    expect(store.healed).toBe(1);
  });
  runtime.advance(3_600_000);
  store.tick();

  expect(requests).toHaveLength(7);
  expect(shown(store)).toEqual([1, "gap", 3]);
});

test("a symbol that is only looked at is subscribed to until another one is selected", () => {
  const runtime = new FakeRuntime();
  const client = new Client(runtime, { url: "ws://test/" });
  const store = new MarketStore(client, new HistoryLoader(new HistoryClient(() => Promise.resolve(undefined)), runtime.now, () => undefined), runtime.now);
  client.connect();
  runtime.socket.greet();
  const [KO, XOM] = [symbol("KO"), symbol("XOM")];

  store.watch({ symbols: [AAPL, KO], visited: undefined });
  store.watch({ symbols: [AAPL, KO], visited: XOM });
  expect(store.board.get(XOM)).toBeDefined();
  store.watch({ symbols: [AAPL, KO], visited: undefined });

  expect(store.board.get(XOM)).toBeUndefined();
  expect(runtime.socket.sent).toMatchObject([
    { action: "subscribe", tickers: ["AAPL", "KO"] },
    { action: "subscribe", tickers: ["XOM"], statuses: ["XOM"] },
    { action: "unsubscribe", tickers: ["XOM"], statuses: ["XOM"] },
  ]);
});

test("the trades of a symbol beside the selected one are followed until they are released", () => {
  const { store, requests } = opened();
  const KO = symbol("KO");
  const asked = requests.length;
  const { trades, release } = store.followTrades(KO);
  // The snapshot of the subscription has the last trade.
  expect(requests).toHaveLength(asked);
  store.apply([trade(0, 60, 5, "KO"), { ...trade(1, 61, 5, "KO"), id: 1 }], millis(START));
  expect(trades.latest).toMatchObject({ price: 61, tape: "C" });
  store.apply([cancel(1, "KO")], millis(START));
  expect(trades.latest).toMatchObject({ price: 61, mark: "cancelled" });

  release();
  store.apply([trade(2, 62, 5, "KO")], millis(START));
  expect(trades.latest?.price).toBe(61);
});

test("where the stream is used already, the last trade comes from history", () => {
  const { store, requests } = opened();
  const KO = symbol("KO");
  const first = store.followTrades(KO);
  const asked = requests.length;
  const second = store.followTrades(KO);
  expect(requests).toHaveLength(asked + 1);

  first.release();
  second.release();
  expect(store.followTrades(AAPL).trades).toBe(store.sales);
});
