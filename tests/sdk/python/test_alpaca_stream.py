"""alpaca-py 0.44, unmodified: every channel of the stream, parsed by the SDK's models."""

import datetime

import pytest
from alpaca.data.models import Bar, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus

from listener import Listener, eventually, running
from server import Server

MODELS = {
    "trades": Trade,
    "quotes": Quote,
    "bars": Bar,
    "updatedBars": Bar,
    "dailyBars": Bar,
    "statuses": TradingStatus,
    "corrections": TradeCorrection,
    "cancelErrors": TradeCancel,
}


@pytest.fixture(scope="module")
def market():
    with Server("--incidents", "many") as server:
        yield server


@pytest.fixture(scope="module")
def everything(market):
    """One session with all channels of all symbols."""
    stream = Listener(market.stream)
    stream.subscribe_trades(stream.keeps("trades"), "*")
    stream.subscribe_quotes(stream.keeps("quotes"), "*")
    stream.subscribe_bars(stream.keeps("bars"), "*")
    stream.subscribe_updated_bars(stream.keeps("updatedBars"), "*")
    stream.subscribe_daily_bars(stream.keeps("dailyBars"), "*")
    stream.subscribe_trading_statuses(stream.keeps("statuses"), "*")
    stream.register_trade_corrections(stream.keeps("corrections"))
    stream.register_trade_cancels(stream.keeps("cancelErrors"))
    with running(stream):
        yield stream


@pytest.mark.parametrize("channel", MODELS)
def test_each_channel_arrives_as_an_object_of_the_sdk(everything, channel):
    (item, *_) = eventually(f"the first of {channel}", lambda: everything.given[channel])

    assert type(item) is MODELS[channel]
    age = datetime.datetime.now(datetime.timezone.utc) - item.timestamp
    assert abs(age) < datetime.timedelta(days=2)


def test_a_trade_has_all_of_its_fields(everything):
    (trade, *_) = eventually("a trade", lambda: everything.given["trades"])

    assert trade.price > 0
    assert trade.size >= 1 and trade.size == int(trade.size)
    assert trade.id >= 1
    assert trade.exchange is not None
    assert isinstance(trade.conditions, list)
    assert trade.tape in ("A", "B", "C")


def test_a_quote_has_both_of_its_sides(everything):
    (quote, *_) = eventually("a quote", lambda: everything.given["quotes"])

    assert 0 < quote.bid_price < quote.ask_price
    assert quote.bid_size > 0 and quote.ask_size > 0
    assert quote.bid_exchange is not None and quote.ask_exchange is not None
    assert isinstance(quote.conditions, list)
    assert quote.tape in ("A", "B", "C")


@pytest.mark.parametrize("channel", ["bars", "updatedBars", "dailyBars"])
def test_a_bar_is_consistent(everything, channel):
    (bar, *_) = eventually(f"the first of {channel}", lambda: everything.given[channel])

    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.low <= bar.vwap <= bar.high
    assert bar.volume >= bar.trade_count >= 1
    assert bar.timestamp.microsecond == 0


def test_a_correction_and_a_cancel_name_a_trade_that_was_sent(everything):
    def sent():
        return {(trade.symbol, trade.id): trade for trade in everything.given["trades"]}

    def first_known(channel, number):
        known = sent()
        return next(((item, known[key]) for item in everything.given[channel]
                     if (key := (item.symbol, number(item))) in known), None)

    correction, corrected = eventually(
        "the correction of a trade that was seen", lambda: first_known("corrections", lambda it: it.original_id))
    cancel, cancelled = eventually(
        "the cancel of a trade that was seen", lambda: first_known("cancelErrors", lambda it: it.id))

    assert (correction.original_price, correction.original_size) == (corrected.price, corrected.size)
    assert (correction.corrected_price, correction.corrected_size) != (corrected.price, corrected.size)
    assert (cancel.price, cancel.size) == (cancelled.price, cancelled.size)
    assert cancel.action in ("C", "E")


def test_a_status_has_a_code_and_a_message(everything):
    (status, *_) = eventually("a status", lambda: everything.given["statuses"])

    assert status.status_code and status.status_message
    assert status.tape in ("A", "B", "C")


# Channels with few objects per symbol are subscribed for all symbols.
CHANNELS = {
    "t": ("subscribe_trades", "unsubscribe_trades", "AAPL"),
    "q": ("subscribe_quotes", "unsubscribe_quotes", "AAPL"),
    "b": ("subscribe_bars", "unsubscribe_bars", "AAPL"),
    "u": ("subscribe_updated_bars", "unsubscribe_updated_bars", "*"),
    "d": ("subscribe_daily_bars", "unsubscribe_daily_bars", "AAPL"),
    "s": ("subscribe_trading_statuses", "unsubscribe_trading_statuses", "*"),
}


@pytest.mark.parametrize("kind", CHANNELS)
def test_after_unsubscribe_no_object_of_the_stream_arrives(market, kind):
    subscribe, unsubscribe, symbol = CHANNELS[kind]
    stream = Listener(market.stream)
    # Quotes of other symbols show that the session is alive and that time passes.
    stream.subscribe_quotes(stream.keeps("clock"), "MSFT", "NVDA")
    getattr(stream, subscribe)(stream.keeps("gone"), symbol)
    with running(stream):
        eventually(f"{kind} of {symbol}", lambda: stream.arrived(kind, symbol))
        eventually("a quote of MSFT or NVDA", lambda: stream.given["clock"])

        acks = len(stream.acks)
        getattr(stream, unsubscribe)(symbol)
        eventually("the ack", lambda: len(stream.acks) > acks)
        at_ack = stream.arrived(kind, symbol)
        later = stream.given["clock"][-1].timestamp + datetime.timedelta(seconds=2)
        eventually("two more seconds", lambda: stream.given["clock"][-1].timestamp > later)

        assert stream.arrived(kind, symbol) == at_ack
        assert all(symbol not in names for key, names in stream.acks[-1].items() if key != "T")


def test_a_symbol_can_be_added_while_the_stream_runs(market):
    stream = Listener(market.stream)
    stream.subscribe_trades(stream.keeps("AAPL"), "AAPL")
    with running(stream):
        eventually("trades of AAPL", lambda: stream.given["AAPL"])

        stream.subscribe_trades(stream.keeps("NVDA"), "NVDA")

        eventually("trades of NVDA", lambda: stream.given["NVDA"])
        seen = len(stream.given["AAPL"])
        eventually("more trades of AAPL", lambda: len(stream.given["AAPL"]) > seen)
        assert set(stream.acks[-1]["trades"]) == {"AAPL", "NVDA"}


def test_ten_thousand_symbols_fit_in_one_subscription(market):
    """The SDK splits the message into fragments of 32 KiB, more than a session reads at once."""
    stream = Listener(market.stream)
    stream.subscribe_trades(stream.keeps("trades"), "AAPL", *(f"NONE{number}" for number in range(9_999)))
    with running(stream):
        eventually("a trade of the symbol that exists", lambda: stream.given["trades"])

        assert len(stream.acks[-1]["trades"]) == 10_000


def test_the_sdk_reconnects_after_the_server_was_killed():
    with Server() as server:
        stream = Listener(server.stream)
        stream.subscribe_trades(stream.keeps("trades"), "AAPL")
        with running(stream):
            eventually("a trade", lambda: stream.given["trades"])

            server.kill()
            server.start()
            stream.given.clear()

            eventually("a trade after the restart", lambda: stream.given["trades"])
            assert len(stream.acks) == 2
