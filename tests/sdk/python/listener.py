"""alpaca-py's stock stream on a thread of its own, and what its handlers were given."""

import collections
import contextlib
import threading
import time

from alpaca.data.live import StockDataStream

# Generous beside the ten seconds that a user is promised: the machine may be busy with other things.
PATIENCE_SECONDS = 30


def eventually(what, condition, patience=PATIENCE_SECONDS):
    """Returns the first true answer of `condition`, or fails, naming what was waited for."""
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {patience} s"
        time.sleep(0.02)
    return answer


class Listener(StockDataStream):
    """The SDK as it is, plus a count of what came over the wire.

    The SDK forgets a handler when it unsubscribes, so a handler cannot tell whether the server fell
    silent too; the count can.
    """

    def __init__(self, url, **options):
        super().__init__("any-key", "any-secret", url_override=url, **options)
        self.counts = collections.Counter()
        self.given = collections.defaultdict(list)
        self.acks = []

    async def _dispatch(self, msg):
        self.counts[msg["T"], msg.get("S")] += 1
        self.counts[msg["T"], "*"] += 1
        if msg["T"] == "subscription":
            self.acks.append(msg)
        await super()._dispatch(msg)

    def arrived(self, kind, symbol):
        """How many objects of this `T` and symbol, or `*`, came over the wire."""
        return self.counts[kind, symbol]

    def keeps(self, channel):
        """A handler that keeps what it is given under the name of the channel."""

        async def keep(item):
            self.given[channel].append(item)

        return keep


@contextlib.contextmanager
def running(stream):
    """Runs the stream, as `stream.run()` in a program does, for as long as the block lasts."""
    thread = threading.Thread(target=stream.run, name="alpaca-py", daemon=True)
    thread.start()
    try:
        eventually("the session", lambda: stream._running)
        yield stream
    finally:
        stream.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "the stream did not stop"
