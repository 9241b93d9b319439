"""Streams through Alpaca's Python SDK: pip install alpaca-py, then python alpaca_stream.py [ws://host:port/v2/iex]."""

import sys

from alpaca.data.live import StockDataStream

url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/v2/iex"
stream = StockDataStream("any-key", "any-secret", url_override=url)


async def on_trade(trade):
    print(f"{trade.timestamp:%H:%M:%S.%f} {trade.symbol} {trade.size:.0f} at {trade.price}", flush=True)


async def on_quote(quote):
    print(f"{quote.timestamp:%H:%M:%S.%f} {quote.symbol} {quote.bid_price} / {quote.ask_price}", flush=True)


async def on_bar(bar):
    print(f"{bar.timestamp:%H:%M:%S} {bar.symbol} {bar.open} {bar.high} {bar.low} {bar.close}", flush=True)


stream.subscribe_trades(on_trade, "AAPL", "NVDA")
stream.subscribe_quotes(on_quote, "MSFT")
stream.subscribe_bars(on_bar, "*")
stream.run()
