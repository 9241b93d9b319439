"""The server as a child process, for as long as a `with` block lasts."""

import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("TAPECAST_BIN", str(ROOT / "target" / "debug" / "tapecast"))

# The address of a server that runs already, such as a gateway of a cluster. It needs the options of the tests.
RUNNING = os.environ.get("TAPECAST_ADDRESS")

# A debug build is ready in well under a second; a busy machine may need many.
READY_SECONDS = 30
STOP_SECONDS = 10


def free_port():
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server with 100 symbols and bars of one second; `more` are further options."""

    def __init__(self, *more, rate=1_000):
        self.is_running = bool(RUNNING)
        self.address = RUNNING if self.is_running else f"127.0.0.1:{free_port()}"
        self.http = f"http://{self.address}"
        self.stream = f"ws://{self.address}/v2/iex"
        base = ["--seed", "42", "--symbols", "100", "--rate", str(rate), "--bar-seconds", "1", "--log", "warn"]
        self.command = [BINARY, "--listen", self.address, *base, *more]
        self.child = None

    def start(self):
        """Starts the server, also after `kill`, on the same port, and waits until it accepts sessions."""
        if self.is_running:
            return
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self):
        """Stops the server with SIGTERM, and kills it if it does not end in time."""
        if self.is_running:
            return
        self.child.terminate()
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """Kills the server: clients get no close frame."""
        self.child.kill()
        self.child.wait()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.child is not None and self.child.poll() is None:
            self.stop()

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while True:
            if self.child.poll() is not None:
                raise RuntimeError(f"{BINARY} ended with code {self.child.returncode} before it was ready")
            try:
                with urllib.request.urlopen(f"{self.http}/readyz", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{BINARY} was not ready within {READY_SECONDS} s") from None
                time.sleep(0.05)
