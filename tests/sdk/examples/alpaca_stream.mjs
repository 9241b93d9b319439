// Streams through Alpaca's JavaScript SDK:
// npm install @alpacahq/alpaca-trade-api, then node alpaca_stream.mjs [ws://host:port/v2/iex]
import { streaming } from "@alpacahq/alpaca-trade-api";

const url = process.argv[2] ?? "ws://127.0.0.1:8080/v2/iex";
const stream = new streaming.StockDataStream({ credentials: { keyId: "any-key", secret: "any-secret" }, url });

stream.onTrade((trade) => console.log(trade.timestampRaw, trade.symbol, trade.size, "at", trade.price));
stream.onQuote((quote) => console.log(quote.timestampRaw, quote.symbol, quote.bidPrice, "/", quote.askPrice));
stream.onBar((bar) => console.log(bar.timestampRaw, bar.symbol, bar.open, bar.high, bar.low, bar.close));
stream.onError((error) => console.error(error));

stream.subscribeForTrades(["AAPL", "NVDA"]);
stream.subscribeForQuotes(["MSFT"]);
stream.subscribeForBars(["*"]);
stream.connect();
