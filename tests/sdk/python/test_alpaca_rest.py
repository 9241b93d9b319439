"""alpaca-py 0.44, unmodified: history, latest values and snapshots, page by page."""

import datetime
import json
import urllib.request
import zoneinfo

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.models import Bar, Quote, Trade
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient

from listener import Listener, eventually, running
from server import Server

SYMBOLS = ["AAPL", "MSFT", "NVDA"]
# The SDK requests pages of this size, and fetches further pages itself.
PAGE = 10_000


@pytest.fixture(scope="module")
def market():
    with Server(rate=4_000) as server:
        yield server


@pytest.fixture(scope="module")
def client(market):
    return StockHistoricalDataClient("any-key", "any-secret", url_override=market.http)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def ago(**much):
    return now() - datetime.timedelta(**much)


def rises(items):
    times = [item.timestamp for item in items]
    return times == sorted(times)


@pytest.fixture(scope="module")
def universe(client, market):
    """All symbols that have traded, once there are more trades than fit on a page."""
    with urllib.request.urlopen(f"{market.http}/v2/assets") as assets:
        symbols = [asset["symbol"] for asset in json.load(assets)]
    with_trades = StockTradesRequest(symbol_or_symbols=symbols, start=ago(days=1), limit=PAGE + 100)

    def found():
        trades = client.get_stock_trades(with_trades).data
        return trades if sum(map(len, trades.values())) > PAGE else None

    return sorted(eventually("more trades than a page holds", found))


def test_trades_are_in_order_with_all_of_their_fields(client, universe):
    trades = client.get_stock_trades(StockTradesRequest(symbol_or_symbols=SYMBOLS, start=ago(days=1), limit=300))

    assert sum(map(len, trades.data.values())) == 300
    for symbol, of_symbol in trades.data.items():
        assert symbol in SYMBOLS and rises(of_symbol)
        assert len(of_symbol) == len({trade.id for trade in of_symbol})
        assert all(trade.exchange and trade.tape and trade.price > 0 and trade.size > 0 for trade in of_symbol)


def test_pages_contain_every_trade_once(client, universe):
    window = {"start": ago(days=1), "end": now()}
    alone = {symbol: client.get_stock_trades(StockTradesRequest(symbol_or_symbols=symbol, **window))[symbol]
             for symbol in universe[::10]}

    pages = StockTradesRequest(symbol_or_symbols=universe, limit=PAGE + 2_000, **window)
    together = client.get_stock_trades(pages).data

    assert PAGE < sum(map(len, together.values())) <= PAGE + 2_000
    for symbol, trades in together.items():
        ids = [trade.id for trade in trades]
        assert len(ids) == len(set(ids))
        # Meanwhile retention may have dropped those that were published first, which are not those with the earliest
        # times where some are late; and a late trade may have been added.
        missing = [trade.id for trade in alone.get(symbol, [])
                   if min(ids) <= trade.id and trade.timestamp <= trades[-1].timestamp and trade.id not in ids]
        assert not missing, symbol


def test_quotes_have_both_sides(client, universe):
    quotes = client.get_stock_quotes(StockQuotesRequest(symbol_or_symbols="AAPL", start=ago(days=1), limit=50))

    assert len(quotes["AAPL"]) == 50 and rises(quotes["AAPL"])
    assert all(type(quote) is Quote and 0 < quote.bid_price < quote.ask_price for quote in quotes["AAPL"])


def test_descending_order_starts_with_the_newest(client, universe):
    request = StockTradesRequest(symbol_or_symbols="AAPL", start=ago(days=1), limit=50, sort="desc")
    newest = client.get_stock_trades(request)["AAPL"]

    assert rises(reversed(newest))
    assert newest[0].timestamp > ago(minutes=1)


TIMEFRAMES = [TimeFrame.Minute, TimeFrame(5, TimeFrameUnit.Minute), TimeFrame.Hour, TimeFrame.Day]


@pytest.mark.parametrize("timeframe", TIMEFRAMES, ids=str)
def test_bars_of_each_timeframe_are_consistent(client, universe, timeframe):
    request = StockBarsRequest(symbol_or_symbols=SYMBOLS, timeframe=timeframe, start=ago(days=5))
    # The past of a new server has no hours before today, and bars are closed ones: in the first hour there is none.
    in_first_hour = now().astimezone(zoneinfo.ZoneInfo("America/New_York")).hour == 0
    bars = {} if in_first_hour else eventually("bars", lambda: client.get_stock_bars(request).data)

    for of_symbol in bars.values():
        assert rises(of_symbol)
        for bar in of_symbol:
            assert type(bar) is Bar
            assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert bar.volume >= bar.trade_count >= 1


def test_history_converts_to_a_data_frame(client, universe):
    frame = client.get_stock_trades(StockTradesRequest(symbol_or_symbols=SYMBOLS, start=ago(days=1), limit=100)).df

    assert frame.index.names == ["symbol", "timestamp"]
    assert len(frame) == 100
    assert {"price", "size", "id", "exchange", "conditions", "tape"} <= set(frame.columns)


def test_the_latest_values_are_recent(client, universe):
    trades = client.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols=SYMBOLS))
    quotes = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=SYMBOLS))
    bars = client.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols=SYMBOLS))

    assert set(trades) == set(quotes) == set(bars) == set(SYMBOLS)
    assert all(type(trade) is Trade and trade.timestamp > ago(minutes=1) for trade in trades.values())
    assert all(type(quote) is Quote and quote.timestamp > ago(minutes=1) for quote in quotes.values())
    assert all(type(bar) is Bar and bar.timestamp > ago(minutes=5) for bar in bars.values())


def test_a_snapshot_has_all_of_its_parts(client, universe):
    snapshots = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=SYMBOLS))

    assert set(snapshots) == set(SYMBOLS)
    for snapshot in snapshots.values():
        assert snapshot.latest_trade and snapshot.latest_quote
        assert snapshot.minute_bar and snapshot.daily_bar and snapshot.previous_daily_bar
        assert snapshot.previous_daily_bar.timestamp < snapshot.daily_bar.timestamp


def test_history_equals_the_stream_to_the_nanosecond(client, market, universe):
    stream = Listener(market.stream, raw_data=True)
    stream.subscribe_trades(stream.keeps("trades"), "AAPL")
    with running(stream):
        eventually("fifty trades", lambda: len(stream.given["trades"]) >= 50)
    streamed = {trade["i"]: trade for trade in stream.given["trades"]}

    raw = StockHistoricalDataClient("any-key", "any-secret", url_override=market.http, raw_data=True)
    request = StockTradesRequest(symbol_or_symbols="AAPL", start=ago(minutes=5), limit=PAGE)
    kept = {trade["i"]: trade for trade in raw.get_stock_trades(request)["AAPL"]}

    common = streamed.keys() & kept.keys()
    assert len(common) >= 50
    for number in common:
        then = streamed[number]["t"]
        whole = datetime.datetime.fromtimestamp(then.seconds, datetime.timezone.utc)
        text, _, fraction = kept[number]["t"].rstrip("Z").partition(".")
        assert (text, fraction.ljust(9, "0")) == (f"{whole:%Y-%m-%dT%H:%M:%S}", f"{then.nanoseconds:09}")
        assert all(streamed[number][key] == kept[number][key] for key in "xpscz")


def test_the_daily_bar_is_the_same_in_the_stream_and_in_the_snapshot(client, market):
    stream = Listener(market.stream)
    stream.subscribe_daily_bars(stream.keeps("days"), "AAPL")
    with running(stream):
        (streamed, *_) = eventually("a daily bar", lambda: stream.given["days"])
    day = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))["AAPL"].daily_bar

    assert (day.timestamp, day.open) == (streamed.timestamp, streamed.open)
    assert day.low <= streamed.low and day.high >= streamed.high
    assert day.volume >= streamed.volume and day.trade_count >= streamed.trade_count


def test_an_invalid_request_is_refused_with_a_message(client):
    with pytest.raises(APIError) as refused:
        client.get("/stocks/bars", {"symbols": "AAPL", "timeframe": "1Fortnight"})

    assert refused.value.status_code == 400
    assert refused.value.message


def test_the_trading_client_lists_the_assets(market):
    trading = TradingClient("any-key", "any-secret", url_override=market.http)

    assets = {asset.symbol: asset for asset in trading.get_all_assets()}

    assert len(assets) == 100
    assert assets["AAPL"].tradable and assets["AAPL"].name == "Apple Inc."


def test_the_trading_client_reads_the_clock(market):
    clock = TradingClient("any-key", "any-secret", url_override=market.http).get_clock()

    assert abs(now() - clock.timestamp) < datetime.timedelta(minutes=1)
    assert clock.next_open and clock.next_close
