#!/usr/bin/env python3
"""What a list of sessions costs: how long it takes with 10,000 sessions, and what it does to the latency of the stream.

    cargo build --release && cargo bench --bench load --no-run
    python3 benches/admin_listing.py target/release/tapecast target/release/deps/load-HASH [PAIRS] [SESSIONS]

Starts the server (one worker) anew for each run, with sessions that subscribe to 20 of 500 symbols, and 3 that never read. Runs
alternate: without a list, and with `sessions?sort=backlog` once a second. Prints for each run the p99 of the stream as the load
client measures it, and for the runs with lists how long these took; then the median of the ratios of the pairs. Each list must
have the 3 sessions that do not read in front. Run it on a quiet machine, with 2 cores or more.
"""

import http.client
import json
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

STALLED = 3
SECONDS = 10
# Long enough for the backlog of the sessions that do not read, and less than the 20 s after which they are closed.
WARMUP = 4
OPTIONS = ("--symbols", "500", "--rate", "50", "--workers", "1", "--arrivals", "even", "--incidents", "none")


def start(binary, log):
    """Starts the server; returns it with its port and its administration's."""
    command = [binary, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json", *OPTIONS]
    server = subprocess.Popen(command, stderr=open(log, "w"))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ports = dict(re.findall(r'"message":"serving( administration)?[^"]*".*?"address":"[^"]*:(\d+)"', log.read_text()))
        if len(ports) == 2:
            return server, int(ports[""]), int(ports[" administration"])
        time.sleep(0.05)
    server.kill()
    sys.exit("the server does not start: " + log.read_text())


def slow_client(port):
    """Opens a session that subscribes to everything and reads nothing, through a socket that takes little."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 10)
    client.connect(("127.0.0.1", port))
    client.sendall(
        b"GET /v2/iex HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: xUmMgSW9Hpt1PGw/X1UCHg==\r\n\r\n"
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(4096)
    command = b'{"action":"subscribe","trades":["*"],"quotes":["*"]}'
    client.sendall(bytes([0x81, 0x80 | len(command), 0, 0, 0, 0]) + command)
    return client


def ask(port, path):
    """Asks the administration. Returns the milliseconds that it took, and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    begin = time.monotonic()
    connection.request("GET", "/admin/api/" + path)
    body = connection.getresponse().read()
    took = (time.monotonic() - begin) * 1e3
    connection.close()
    return took, json.loads(body)


def open_sessions(port):
    """How many sessions are open; none while the server is too busy with those that open to answer in time."""
    try:
        return ask(port, "overview")[1]["sessions"]["open"]
    except (OSError, ValueError):
        return 0


def accompany(port, admin, sessions, times, found, ended):
    """Opens the sessions that do not read when the others are open; then asks for lists, if `times` is a list."""
    while not ended.wait(0.2) and open_sessions(admin) < sessions:
        pass
    slow = [slow_client(port) for _ in range(STALLED)]
    while not ended.wait(1):
        if times is not None:
            took, answer = ask(admin, "sessions?sort=backlog")
            if answer["open"] == sessions + STALLED:
                times.append(took)
                found.append([session["stalled_ms"] > 1_000 for session in answer["sessions"][: STALLED + 1]])
    [client.close() for client in slow]


def run(server, load, sessions, is_listing):
    """Returns the report of the load client and the times of the lists."""
    with tempfile.TemporaryDirectory() as folder:
        process, port, admin = start(server, pathlib.Path(folder) / "log")
        times, found, ended = ([] if is_listing else None), [], threading.Event()
        companion = threading.Thread(target=accompany, args=(port, admin, sessions, times, found, ended))
        try:
            companion.start()
            url = f"ws://127.0.0.1:{port}/v2/iex"
            command = [load, "--url", url, "--connections", sessions, "--symbols", 20, "--channels", "trades"]
            command += ["--seconds", SECONDS, "--warmup", WARMUP, "--json"]
            report = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
            ended.set()
            companion.join()
            # Those that do not read, and no other; the first lists may come before they are behind.
            assert all(first == [True] * STALLED + [False] for first in found[3:]), found
            return json.loads(report), times
        finally:
            ended.set()
            companion.join()
            process.terminate()
            process.wait()


def p99(report):
    """The p99 of the latency in milliseconds."""
    return report["latency_us"]["p99"] / 1e3


def main():
    server, load = sys.argv[1:3]
    pairs, sessions = (int(sys.argv[3]) if len(sys.argv) > 3 else 5), (int(sys.argv[4]) if len(sys.argv) > 4 else 9_997)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{sessions} sessions that read, {STALLED} that do not; {os.cpu_count()} cores")
    ratios, all_times = [], []
    for pair in range(pairs):
        plain, _ = run(server, load, sessions, False)
        listed, times = run(server, load, sessions, True)
        ratios.append(p99(listed) / p99(plain))
        all_times += times
        print(f"pair {pair + 1}: p99 {p99(plain):.2f} ms, with lists {p99(listed):.2f} ms, ratio {ratios[-1]:.3f};", end=" ")
        print(f"{len(times)} lists, median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
    print(f"{len(all_times)} lists: median {statistics.median(all_times):.1f} ms, longest {max(all_times):.1f} ms")


if __name__ == "__main__":
    main()
