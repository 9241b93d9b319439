#!/usr/bin/env python3
"""What does alpaca-py lose when connections break? Records what it received, for `tapecast verify`.

    tapecast --faults drop=0.001,cut=5s --journal journal          # in one terminal
    pip install alpaca-py
    python3 examples/verify_alpaca.py received.ndjson 60           # in another: file, seconds
    tapecast verify --journal journal --client received.ndjson

The SDK is used as it is: it reconnects and subscribes again by itself. It does not ask for what it missed meanwhile,
which is what `verify` lists.
"""

import asyncio
import json
import sys

from alpaca.data.live import StockDataStream


def as_text(value):
    """A time of MessagePack as RFC 3339, as JSON clients get it."""
    nanos = value.seconds * 10**9 + value.nanoseconds
    whole = value.to_datetime().replace(microsecond=0, tzinfo=None).isoformat()
    return f"{whole}.{nanos % 10**9:09d}Z" if nanos % 10**9 else f"{whole}Z"


async def main(path, seconds):
    # Any key and secret do, unless the server was started with --keys.
    stream = StockDataStream("key", "secret", raw_data=True, url_override="ws://127.0.0.1:8080/v2/iex")
    with open(path, "w") as out:

        async def record(message):
            out.write(json.dumps(message, default=as_text) + "\n")

        stream.subscribe_trades(record, "AAPL", "TSLA")
        stream.subscribe_quotes(record, "AAPL")
        running = asyncio.ensure_future(stream._run_forever())
        await asyncio.sleep(seconds)
        await stream.stop_ws()
        running.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
