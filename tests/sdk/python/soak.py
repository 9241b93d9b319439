"""Measures whether alpaca-py keeps up: all trades of 100 symbols for 30 s, and their lateness.

Run it on an otherwise idle machine, against a release build on the same machine:

    TAPECAST_BIN=target/release/tapecast .venv/alpaca/bin/python tests/sdk/python/soak.py --trades 10000

It prints what the handlers received, each second and in total. Lateness is the wall clock when the handler
runs minus the object's time, so it includes the simulator, the server, the socket, the decoding and the SDK's
models. The exit code is 1 when a limit is exceeded.
"""

import argparse
import math
import sys
import time

from listener import Listener, eventually, running
from server import Server


# "Sold, out of sequence": the venue itself reported such a trade seconds after its time.
REPORTED_LATE = "Z"


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--trades", type=float, default=10_000, help="trades per second over all symbols")
    parser.add_argument("--quotes-per-trade", type=float, default=0, help="quotes generated for each trade")
    parser.add_argument("--quotes", action="store_true", help="subscribe to quotes too")
    parser.add_argument("--raw", action="store_true", help="dictionaries instead of the SDK's models")
    parser.add_argument("--p99-ms", type=float, default=50, help="the limit")
    parser.add_argument("--url", help="a running server, for example ws://127.0.0.1:8080/v2/iex")
    return parser.parse_args()


class Lateness:
    """The lateness of each object."""

    def __init__(self, raw):
        self.time = (lambda it: it["t"].to_unix()) if raw else (lambda it: it.timestamp.timestamp())
        self.conditions = (lambda it: it["c"]) if raw else (lambda it: it.conditions)
        self.ms = []

    async def keep(self, item):
        if REPORTED_LATE not in self.conditions(item):
            self.ms.append((time.time() - self.time(item)) * 1_000)


class Counted(Listener):
    """Follows `sq`, the sequence number of each object in its stream, and counts lost objects."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.last = {}
        self.lost = self.merged = 0

    async def _dispatch(self, msg):
        if "sq" in msg:
            key = msg["T"], msg["S"]
            before = self.last.get(key)
            merged = msg.get("cf", 0)
            self.merged += merged
            if before is not None:
                self.lost += msg["sq"] - before - merged - 1
            self.last[key] = msg["sq"]
        await super()._dispatch(msg)


def soak(url, args):
    late = Lateness(args.raw)
    stream = Counted(url, raw_data=args.raw)
    stream.subscribe_trades(late.keep, "*")
    if args.quotes:
        stream.subscribe_quotes(late.keep, "*")
    with running(stream):
        eventually("the first object", lambda: late.ms)
        began, seen = time.monotonic(), len(late.ms)
        first = seen
        while (spent := time.monotonic() - began) < args.seconds:
            time.sleep(min(1.0, args.seconds - spent))
            now = len(late.ms)
            second = sorted(late.ms[seen:now])
            p50, p99 = percentile(second, 0.5), percentile(second, 0.99)
            print(f"{now - seen:7} objects  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms", flush=True)
            seen = now
        spent = time.monotonic() - began
    all_of_it = sorted(late.ms[first:seen])
    p50, p99 = percentile(all_of_it, 0.5), percentile(all_of_it, 0.99)
    print(f"{len(all_of_it) / spent:,.0f} objects/s for {spent:.0f} s: "
          f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {all_of_it[-1]:.1f} ms; "
          f"lost {stream.lost}, merged {stream.merged}, sessions {len(stream.acks)}")
    return p99 <= args.p99_ms and stream.lost == 0 and len(stream.acks) == 1


def main():
    args = parse()
    if args.url:
        return soak(args.url, args)
    with Server("--quotes-per-trade", str(args.quotes_per_trade), rate=args.trades) as server:
        return soak(server.stream, args)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
