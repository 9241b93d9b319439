"""ccxt's pro client for Alpaca, unmodified, with stocks instead of coins."""

import asyncio
import contextlib

import ccxt
import ccxt.pro
import pytest

from server import Server

PATIENCE_SECONDS = 30
SYMBOL = "AAPL/USD"
# The default asset class is coins.
STOCKS = {"asset_class": "us_equity"}


@pytest.fixture(scope="module")
def market():
    with Server() as server:
        yield server


@contextlib.asynccontextmanager
async def client_of(market):
    """The client with the server's addresses instead of Alpaca's, and its markets loaded.

    The stream of orders must have another address, because ccxt authenticates it with another message.
    """
    streams = {"crypto": market.stream, "trading": f"ws://{market.address}/stream"}
    api = {"trader": market.http, "market": market.http, "ws": streams}
    client = ccxt.pro.alpaca({"apiKey": "any-key", "secret": "any-secret", "urls": {"api": api}})
    try:
        await client.load_markets(params=STOCKS)
        yield client
    finally:
        await client.close()


def within_deadline(request):
    return asyncio.run(asyncio.wait_for(request, PATIENCE_SECONDS))


def test_assets_become_markets(market):
    async def ask():
        async with client_of(market) as client:
            return client.markets

    markets = within_deadline(ask())

    assert len(markets) == 100
    assert markets[SYMBOL]["id"] == "AAPL" and markets[SYMBOL]["active"]
    assert markets[SYMBOL]["precision"]["price"] == 0.01


def test_a_quote_becomes_a_ticker(market):
    async def ask():
        async with client_of(market) as client:
            return await client.watch_ticker(SYMBOL)

    ticker = within_deadline(ask())

    assert ticker["symbol"] == SYMBOL
    assert 0 < ticker["bid"] < ticker["ask"]
    assert ticker["timestamp"] > 0


def test_trades_keep_arriving(market):
    async def ask():
        async with client_of(market) as client:
            seen = {}
            while len(seen) < 20:
                seen |= {trade["id"]: trade for trade in await client.watch_trades(SYMBOL)}
            return list(seen.values())

    for trade in within_deadline(ask()):
        assert trade["symbol"] == SYMBOL
        assert trade["price"] > 0 and trade["amount"] >= 1


def test_bars_become_candles(market):
    async def ask():
        async with client_of(market) as client:
            return await client.watch_ohlcv(SYMBOL)

    (start, opened, high, low, close, volume), *_ = within_deadline(ask())

    assert start % 1000 == 0
    assert low <= min(opened, close) <= max(opened, close) <= high
    assert volume >= 1


def test_one_session_serves_several_watches(market):
    async def ask():
        async with client_of(market) as client:
            return await asyncio.gather(
                client.watch_ticker("MSFT/USD"), client.watch_trades("NVDA/USD"), client.watch_ohlcv("TSLA/USD"))

    ticker, trades, candles = within_deadline(ask())

    assert ticker["symbol"] == "MSFT/USD"
    assert trades[0]["symbol"] == "NVDA/USD"
    assert candles


def test_the_order_book_is_not_streamed_and_says_so(market):
    async def ask():
        async with client_of(market) as client:
            await client.watch_order_book(SYMBOL)

    with pytest.raises(ccxt.NetworkError, match="1008"):
        within_deadline(ask())


def test_bars_trades_ticker_and_order_book_are_fetched(market):
    async def ask():
        async with client_of(market) as client:
            await client.watch_trades(SYMBOL)
            return (
                await client.fetch_ohlcv(SYMBOL, "1m", limit=5),
                await client.fetch_ohlcv(SYMBOL, "1d", since=client.parse8601("2020-01-01T00:00:00Z"), limit=10),
                await client.fetch_trades(SYMBOL, limit=5),
                await client.fetch_ticker(SYMBOL),
                await client.fetch_tickers([SYMBOL, "MSFT/USD"]),
                await client.fetch_order_book(SYMBOL),
            )

    minutes, days, trades, ticker, tickers, book = within_deadline(ask())

    assert len(days) == 10
    for start, opened, high, low, close, volume in minutes + days:
        assert low <= min(opened, close) <= max(opened, close) <= high and volume >= 1
    assert all(later[0] - earlier[0] >= 60_000 for earlier, later in zip(minutes, minutes[1:]))
    assert trades and all(trade["symbol"] == SYMBOL and trade["price"] > 0 for trade in trades)
    assert ticker["symbol"] == SYMBOL and 0 < ticker["bid"] < ticker["ask"] and ticker["last"] > 0
    assert set(tickers) == {SYMBOL, "MSFT/USD"}
    (bid, size), (ask, _) = book["bids"][0], book["asks"][0]
    assert 0 < bid < ask and size >= 1


def test_private_requests_return_history(market):
    async def ask():
        async with client_of(market) as client:
            await client.watch_trades(SYMBOL)
            return (
                await client.marketPrivateGetV2StocksTrades({"symbols": "AAPL,MSFT", "limit": 5}),
                await client.marketPrivateGetV2StocksSymbolSnapshot({"symbol": "AAPL"}),
                await client.marketPrivateGetV2StocksQuotesLatest({"symbols": "AAPL"}),
            )

    history, snapshot, latest = within_deadline(ask())

    assert history["trades"]["AAPL"]
    assert snapshot["symbol"] == "AAPL" and snapshot["latestTrade"]
    assert latest["quotes"]["AAPL"]["ap"]
