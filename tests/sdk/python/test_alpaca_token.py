"""alpaca-py 0.44, unmodified, with a JSON Web Token in place of a secret."""

import asyncio
import base64
import hashlib
import hmac
import json
import time

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockSnapshotRequest

from listener import Listener, eventually, running
from server import RUNNING, Server

pytestmark = pytest.mark.skipif(bool(RUNNING), reason="the server of the tests needs an option of its own")

SECRET = b"a secret of another log-in, 40 bytes long"


def token(**claims):
    """A token that this log-in signs: all that a minter does."""

    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{text(hmac.digest(SECRET, signed.encode(), hashlib.sha256))}"


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    secret = tmp_path_factory.mktemp("jwt") / "secret"
    secret.write_bytes(SECRET)
    with Server("--jwt-secret-file", str(secret)) as server:
        yield server


def test_a_stream_authenticates_with_a_token_as_the_secret(market):
    stream = Listener(market.stream, "jwt", token(sub="anna", exp=time.time() + 600, symbols=["AAPL"]))
    stream.subscribe_trades(stream.keeps("trades"), "AAPL")
    with running(stream):
        assert eventually("a trade", lambda: stream.given["trades"])[0].symbol == "AAPL"


def test_rest_authenticates_with_a_token_as_the_secret(market):
    client = StockHistoricalDataClient(
        "jwt", token(sub="anna", exp=time.time() + 600, symbols=["AAPL"]), url_override=market.http
    )
    assert client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))["AAPL"].symbol == "AAPL"
    with pytest.raises(APIError, match="insufficient subscription"):
        client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="MSFT"))


def test_an_expired_token_is_refused(market):
    stream = Listener(market.stream, "jwt", token(sub="anna", exp=time.time() - 600))
    with pytest.raises(ValueError, match="auth failed"):
        asyncio.run(stream._start_ws())
