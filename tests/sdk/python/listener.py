"""alpaca-py's stock stream on a thread of its own, and what its handlers received."""

import collections
import contextlib
import threading
import time

from alpaca.data.live import StockDataStream

# Three times what a user is promised, because the machine may be busy.
PATIENCE_SECONDS = 30


def eventually(what, condition, patience=PATIENCE_SECONDS):
    """Returns the first truthy result of `condition`, or fails and names what it waited for."""
    deadline = time.monotonic() + patience
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {patience} s"
        time.sleep(0.02)
    return answer


class Listener(StockDataStream):
    """The SDK's stream, plus a count of what arrived over the wire.

    The SDK drops a handler when it unsubscribes, so only the count can show that the server stopped
    sending.
    """

    def __init__(self, url, key="any-key", secret="any-secret", **options):
        super().__init__(key, secret, url_override=url, **options)
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
        """The number of objects of this `T` and symbol, or `*`, that arrived over the wire."""
        return self.counts[kind, symbol]

    def keeps(self, channel):
        """A handler that records its objects under the name of the channel."""

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
