#!/usr/bin/env python3
"""Everything hostile at once, against a server on this machine, for a bounded time.

    python3 tests/hostile/mix.py [--tls PORT] [--only KIND] [--times N] PORT [SECONDS]

Each kind of client in clients.py repeats its attack until the time is over, from a loopback address of its own, so
that the limits per address apply to it alone. At the end the script prints how often each kind connected and
how the server responded. tests/hostile.rs and tests/limits.rs test each response; this script shows that all
attacks together do not disturb other sessions. Measure those with the load client at the same time, or one attack
at a time with each.py.

On the server's machine the script's own computing disturbs the measurement more than its traffic does: run it
with `chrt --idle 0`, and compare with a program in its place that only computes.
"""

import argparse
import asyncio
import collections
import time

from clients import KINDS, Connection, Refused, silent_tls

outcomes = collections.Counter()


async def repeat(kind, port, number, until):
    while time.monotonic() < until:
        try:
            async with Connection(port, number) as connection:
                outcome = await asyncio.wait_for(kind(connection), max(until - time.monotonic(), 0.1))
        except Refused as refused:
            outcome = str(refused)
            await asyncio.sleep(0.05)
        except asyncio.TimeoutError:
            outcome = "end of the run"
        except (OSError, asyncio.IncompleteReadError) as error:
            outcome = type(error).__name__
            await asyncio.sleep(0.05)
        outcomes[kind.__name__, outcome] += 1


async def main():
    parser = argparse.ArgumentParser(description="Hostile clients against a server on this machine.")
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--tls", type=int, metavar="PORT", help="the server's TLS port, for the clients that never begin a handshake")
    parser.add_argument("--only", metavar="KIND", help="one kind of client")
    parser.add_argument("--times", type=int, metavar="N", help="how many clients of that kind")
    args = parser.parse_args()
    until = time.monotonic() + min(args.seconds, 600)
    clients = []
    for number, (kind, count) in enumerate(KINDS.items(), start=1):
        port = args.tls if kind is silent_tls else args.port
        if port is not None and args.only in (None, kind.__name__):
            clients += [repeat(kind, port, number, until) for _ in range(args.times or count)]
    await asyncio.gather(*clients)
    for (kind, outcome), count in sorted(outcomes.items()):
        print(f"{kind:28}{outcome:24}{count:8}")


asyncio.run(main())
