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


def listing(port):
    """Asks for the slowest sessions. Returns the milliseconds that it took, and the list."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    begin = time.monotonic()
    connection.request("GET", "/admin/api/sessions?sort=backlog")
    body = connection.getresponse().read()
    took = (time.monotonic() - begin) * 1e3
    connection.close()
    return took, json.loads(body)


def watch(port, sessions, times, ended):
    """Asks once a second while all sessions are open."""
    while not ended.wait(1):
        took, answer = listing(port)
        if answer["open"] < sessions + STALLED:
            continue
        times.append(took)
        slow = [session for session in answer["sessions"] if session["backlog_bytes"] > 0 and session["stalled_ms"] > 1_000]
        if len(times) > WARMUP:
            assert len(slow) == STALLED and slow == answer["sessions"][:STALLED], slow


def run(server, load, sessions, is_listing):
    """Returns the p99 of the stream in milliseconds and the times of the lists."""
    with tempfile.TemporaryDirectory() as folder:
        process, port, admin = start(server, pathlib.Path(folder) / "log")
        times, ended = [], threading.Event()
        watcher = threading.Thread(target=watch, args=(admin, sessions, times, ended))
        try:
            if is_listing:
                watcher.start()
            url = f"ws://127.0.0.1:{port}/v2/iex"
            command = [load, "--url", url, "--connections", sessions, "--stalled", STALLED, "--symbols", 20, "--channels", "trades"]
            command += ["--seconds", SECONDS, "--warmup", WARMUP, "--json"]
            report = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
            return json.loads(report), times
        finally:
            ended.set()
            if watcher.is_alive():
                watcher.join()
            process.terminate()
            process.wait()


def p99(report):
    """The p99 of the latency in milliseconds."""
    return report["latency"]["p99"] / 1e6


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
