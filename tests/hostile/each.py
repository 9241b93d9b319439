#!/usr/bin/env python3
"""One attack at a time: what it costs an honest session on the same worker, and the server's memory.

    python3 tests/hostile/each.py SERVER [KIND …]

Starts the server (one worker) once for each attack, on a free port, measures the round trip of pings of sessions that
subscribed to a stock, without and with the attack, and prints p50, p99, the maximum (milliseconds), and how far the
resident memory grew (MiB). The server runs on the first core, all clients on the others; the attackers give way to
the sessions that measure. Run it on a quiet machine.
"""

import os
import pathlib
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import clients

# Attacks that are as strong as one machine of the attacker's can be: how many clients, and the server's options.
WIDE = ("--symbols", "10000", "--rate", "100")
DEFAULT = ()
ATTACKS = {
    clients.silent_tls: (1500, DEFAULT),
    clients.half_open: (1500, DEFAULT),
    clients.resumes_without_reading: (300, DEFAULT),
    clients.snapshots_without_reading: (200, WIDE),
    clients.snapshot_flood: (1, WIDE),
    clients.acknowledgement_flood: (1, DEFAULT),
    clients.resume_of_all: (1, WIDE),
    clients.pace_toggles: (1, WIDE),
    clients.fastest_pace: (5, WIDE),
    clients.long_commands: (100, DEFAULT),
    clients.empty_continuations: (1, DEFAULT),
    clients.echo_inflation: (1, DEFAULT),
    clients.echo_unfinished: (40, DEFAULT),
    clients.slow_page: (1000, DEFAULT),
    clients.slow_rest: (500, DEFAULT),
    clients.asset_list: (4, WIDE),
    clients.pings: (4, DEFAULT),
    clients.commands: (4, DEFAULT),
    clients.publish_flood: (1, DEFAULT),
    clients.bomb: (2, DEFAULT),
    clients.ten_thousand_symbols: (4, DEFAULT),
    clients.long_commands_and_leave: (4, DEFAULT),
    clients.never_reads: (100, DEFAULT),
}
SECONDS = 12
# Honest sessions: each may send 20 pings a second.
SESSIONS = 8


def server(binary, options, folder):
    """Starts the server. Returns the process, its port and its TLS port."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    if not key.exists():
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
            f" -keyout {key} -out {certificate}".split(),
            check=True,
            stderr=subprocess.DEVNULL,
        )
    with socket.socket() as plain, socket.socket() as secure:
        plain.bind(("127.0.0.1", 0))
        secure.bind(("127.0.0.1", 0))
        port, tls = plain.getsockname()[1], secure.getsockname()[1]
    command = [binary, "--listen", f"127.0.0.1:{port}", "--workers", "1", *options]
    command += ["--tls-listen", f"127.0.0.1:{tls}", "--tls-cert", certificate, "--tls-key", key]
    log = open(folder / "log", "w")
    process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    deadline = time.monotonic() + 30
    while True:
        try:
            clients.fetch(port, "/readyz")
            return process, port, tls
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)


def resident(process):
    """Resident memory in MiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


class Session:
    """An honest session: it subscribes to one stock and pings."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=("127.0.0.250", 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            f"GET /v2/iex HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.receive()
        self.data = self.data.split(b"\r\n\r\n", 1)[1]
        self.socket.sendall(clients.frame(1, b'{"action":"subscribe","trades":["AAPL"]}'))

    def receive(self):
        more = self.socket.recv(1 << 16)
        if not more:
            raise OSError("the honest session was closed")
        self.data += more

    def frames(self):
        """The opcode and payload of each whole frame that was received."""
        while len(self.data) >= 2:
            opcode, length, start = self.data[0] & 15, self.data[1] & 127, 2
            if length >= 126:
                start = 4 if length == 126 else 10
                if len(self.data) < start:
                    return
                length = int.from_bytes(self.data[2:start], "big")
            if len(self.data) < start + length:
                return
            payload, self.data = self.data[start : start + length], self.data[start + length :]
            yield opcode, payload

    def ping(self):
        """The round trip of a ping in milliseconds."""
        content = random.randbytes(8)
        began = time.perf_counter()
        self.socket.sendall(clients.frame(9, content))
        while True:
            for opcode, payload in self.frames():
                if opcode == 8:
                    raise OSError(f"the honest session was closed: {payload}")
                if opcode == 10 and payload == content:
                    return (time.perf_counter() - began) * 1000
            self.receive()


def ping_all(sessions, process, seconds):
    """Round trips of some 100 pings a second, by one session after the other, and the most memory meanwhile."""
    trips, most, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        trips.append(sessions[len(trips) % len(sessions)].ping())
        most = max(most, resident(process))
        time.sleep(0.008 + random.random() * 0.004)
    return trips, most


def figures(trips):
    p99 = statistics.quantiles(trips, n=100)[98]
    return f"{statistics.median(trips):8.2f}{p99:8.2f}{max(trips):8.1f}"


def measure(binary, kind, folder):
    count, options = ATTACKS[kind]
    process, port, tls = server(binary, options, folder)
    try:
        time.sleep(3)
        sessions = [Session(port) for _ in range(SESSIONS)]
        before, memory = ping_all(sessions, process, 4)
        mix = pathlib.Path(__file__).with_name("mix.py")
        command = ["chrt", "--idle", "0", sys.executable, mix, "--tls", tls, "--only", kind.__name__, "--times", count, port, SECONDS + 3]
        attack = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        ping_all(sessions, process, 1)
        trips, most = ping_all(sessions, process, SECONDS)
        outcome = attack.communicate(timeout=120)[0]
        print(f"{kind.__name__:26}{figures(before)} |{figures(trips)}{most - memory:8.0f}", flush=True)
        for line in outcome.splitlines():
            print("   ", " ".join(line.split()[1:]), flush=True)
    except OSError as error:
        print(f"{kind.__name__:26}{error}", flush=True)
    finally:
        process.terminate()
        process.wait(timeout=30)


def main():
    others = os.sched_getaffinity(0) - {0}
    os.sched_setaffinity(0, others or {0})
    binary, names = sys.argv[1], sys.argv[2:]
    print(f"{'attack':26}{'p50':>8}{'p99':>8}{'max':>8} |{'p50':>8}{'p99':>8}{'max':>8}{'MiB':>8}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind in ATTACKS:
            if not names or kind.__name__ in names:
                measure(binary, kind, pathlib.Path(folder))


main()
