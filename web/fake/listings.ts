/** An instrument of the fake market. */
export interface Listing {
  readonly symbol: string;
  readonly name: string;
  readonly exchange: string;
  readonly open: number;
}

const KNOWN: readonly Listing[] = [
  { symbol: "AAPL", name: "Apple Inc.", exchange: "NASDAQ", open: 227.5 },
  { symbol: "MSFT", name: "Microsoft Corporation", exchange: "NASDAQ", open: 421.3 },
  { symbol: "NVDA", name: "NVIDIA Corporation", exchange: "NASDAQ", open: 134.8 },
  { symbol: "TSLA", name: "Tesla, Inc.", exchange: "NASDAQ", open: 352.6 },
  { symbol: "AMZN", name: "Amazon.com, Inc.", exchange: "NASDAQ", open: 201.7 },
  { symbol: "GOOGL", name: "Alphabet Inc. Class A", exchange: "NASDAQ", open: 171.2 },
  { symbol: "META", name: "Meta Platforms, Inc. Class A", exchange: "NASDAQ", open: 561.1 },
  { symbol: "JPM", name: "JPMorgan Chase & Co.", exchange: "NYSE", open: 243.1 },
  { symbol: "KO", name: "The Coca-Cola Company", exchange: "NYSE", open: 62.9 },
  { symbol: "INTC", name: "Intel Corporation", exchange: "NASDAQ", open: 24.4 },
  { symbol: "XOM", name: "Exxon Mobil Corporation", exchange: "NYSE", open: 120.3 },
];

/** `T001` to `T200`: enough for a watchlist of 200 rows. */
const MORE: readonly Listing[] = Array.from({ length: 200 }, (_, at) => ({
  symbol: `T${String(at + 1).padStart(3, "0")}`,
  name: `Test Company ${at + 1}`,
  exchange: "NYSE",
  open: 10 + at,
}));

/** `EDGE0` to `EDGE3`: prices just below the next number of digits. */
const EDGES: readonly Listing[] = [0.99, 9.98, 99.9, 999.6].map((open, digits) => ({ symbol: `EDGE${digits}`, name: `Edge of ${digits} Digits`, exchange: "NYSE", open }));

export const LISTINGS: readonly Listing[] = [...KNOWN, ...EDGES, ...MORE];

/** The symbols that `FakeServer.step` trades by default. */
export const KNOWN_SYMBOLS: readonly string[] = KNOWN.map(({ symbol }) => symbol);
