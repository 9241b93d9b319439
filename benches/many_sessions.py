#!/usr/bin/env python3
"""Many sessions for a long time: none may be closed, none may miss an update.

    cargo build --release && cargo bench --bench load --no-run
    benches/many_sessions.py target/release/tapecast target/release/deps/load-HASH [--seconds 600] [--readme benches/README.md]

Two servers with one worker each, each with half of the sessions: every session is a board of 20 of 500 tickers at one frame per
2 s. Each server has a load client of its own and an address of its own in 127.0.0.0/8, so that neither descriptors (20,000 for
each process here) nor ports run out. Prints how many sessions were closed, the gaps, memory and CPU beside the model
(benches/model.py), and exits with 1 if a session was closed or refused or has a gap. Linux; 2 cores are enough.
"""

import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

import model
import results
from linux import slab_bytes

START_DEADLINE = 30
# Descriptors of a process that are no sessions.
OTHER_FILES = 400
WARMUP = 10
CONFLATE_MS = 2_000
TICKERS = 20


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("load")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--sessions", type=int, default=35_200, help="over all servers")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--model", type=pathlib.Path, help="results that the model is computed from; default: the recorded ones")
    parser.add_argument("--readme", type=pathlib.Path, help="writes the table into this file")
    parser.add_argument("--server-arg", action="append", default=[], help="a further argument of the servers")
    return parser.parse_args()


def raise_file_limit(sessions: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sessions + OTHER_FILES > hard:
        sys.exit(f"{sessions} sessions of a process need more than its {hard} descriptors: use more --servers")
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if sessions > high - low:
        sys.exit(f"{sessions} sessions need more than the {high - low} ports to one address: use more --servers")


def start(options: argparse.Namespace, number: int, folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """Starts a server; returns it with its address."""
    log = folder / f"server-{number}"
    command = [options.server, "--listen", f"127.0.0.{number}:0", "--workers", "1", "--symbols", "500", "--log-format", "json"]
    with open(log, "w") as stream:
        server = subprocess.Popen([*command, *options.server_arg], stderr=stream)
    until = time.monotonic() + START_DEADLINE
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r'"message":"serving".*?"address":"([0-9.]+:\d+)"', log.read_text()):
            return server, found[1]
        time.sleep(0.05)
    server.kill()
    sys.exit("the server does not start: " + log.read_text())


def measure(options: argparse.Namespace, servers: list[tuple[subprocess.Popen, str]], folder: pathlib.Path) -> tuple[list[dict], float]:
    """Runs a client for each server; returns their reports and the kernel's memory per session, in KiB."""
    each = options.sessions // options.servers
    clients = []
    before, most = slab_bytes(), 0
    try:
        for server, address in servers:
            command = [options.load, "--url", f"ws://{address}/v2/iex", "--connections", each, "--json", "--server-pid", server.pid]
            command += ["--symbols", TICKERS, "--channels", "tickers", "--skew", "uniform", "--conflate-ms", CONFLATE_MS]
            command += ["--warmup", WARMUP, "--seconds", options.seconds]
            with open(folder / "progress", "a") as progress:
                words = [str(word) for word in command]
                clients.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=progress, text=True))
        while all(client.poll() is None for client in clients):
            most = max(most, slab_bytes())
            time.sleep(1)
        reports = []
        for client in clients:
            text = client.communicate()[0]
            if client.returncode != 0:
                sys.exit("a load client failed: " + (folder / "progress").read_text()[-500:])
            reports.append(json.loads(text))
        return reports, (most - before) / options.sessions / 1024
    finally:
        for client in clients:
            client.kill()
            client.wait()


def main() -> None:
    options = parse()
    each = options.sessions // options.servers
    raise_file_limit(each)
    inputs = model.Inputs.of(options.model) if options.model else model.RECORDED
    servers: list[tuple[subprocess.Popen, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number in range(1, options.servers + 1):
                servers.append(start(options, number, pathlib.Path(folder)))
            reports, kernel_kib = measure(options, servers, pathlib.Path(folder))
        finally:
            for server, _ in servers:
                server.terminate()
            for server, _ in servers:
                server.wait()
    sessions = sum(report["sessions"]["opened"] for report in reports)
    refused = sum(sum(report["sessions"]["refused"].values()) for report in reports)
    closed = sum(sum(report["sessions"]["closed"].values()) for report in reports)
    gaps = sum(report["sequence"]["gaps"] + report["sequence"]["announced_gaps"] for report in reports)
    cores = sum(report["server"]["cpu_percent"] for report in reports) / 100
    memory = [sum(report["server"][key] - report["server"]["rss_before_bytes"] for report in reports) / 1024 / sessions
              for key in ("rss_begin_bytes", "rss_end_bytes", "rss_peak_bytes")]
    gbit = sum(report["bytes_per_s"] for report in reports) * 8 / 1e9
    latency = max(report["latency_us"]["p99"] for report in reports) / 1e3
    expected_cores = inputs.board_cores(sessions, CONFLATE_MS / 1e3) + inputs.ping_cores(sessions)
    expected_gbit = inputs.board_gbit(sessions, CONFLATE_MS / 1e3)
    frames = sum(report["frames_per_s"] for report in reports)
    rows = [
        ("sessions opened, refused, closed", f"{sessions}, {refused}, {closed}", f"{each * options.servers}, 0, 0"),
        ("gaps", f"{gaps}", "0"),
        ("frames/s", f"{frames:,.0f}", f"{sessions / CONFLATE_MS * 1e3:,.0f}"),
        ("updates/s", f"{sum(report['objects_per_s'] for report in reports):,.0f}", ""),
        ("CPU of all servers", f"{cores:.2f} cores", f"{expected_cores:.2f} cores"),
        ("CPU per frame", f"{cores / max(frames, 1) * 1e6:.1f} µs", f"{inputs.board_us:.1f} µs and the pings"),
        ("network", f"{gbit:.2f} Gbit/s without headers of TCP", f"{expected_gbit:.2f} Gbit/s"),
        ("memory per session after opening, at the end, at most", ", ".join(f"{kib:.1f} KiB" for kib in memory), f"{inputs.session_kib:.1f} KiB idle"),
        ("kernel memory per session, both ends, at most", f"{kernel_kib:.1f} KiB", ""),
        ("p99 latency, with the interval", f"{latency:.0f} ms", f"at most {CONFLATE_MS} ms and the send"),
    ]
    text = f"{len(reports)} servers with one worker each, boards of {TICKERS} tickers at {CONFLATE_MS / 1e3:g} s, {options.seconds} s:\n\n"
    text += "| figure | measured | model |\n|---|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    if any(report["client"]["saturated"] for report in reports):
        text += "\nA client was saturated, so that latency is partly its own.\n"
    print(text)
    if options.readme:
        results.write_into(options.readme, "many", text)
    if closed or refused or gaps:
        sys.exit(1)


if __name__ == "__main__":
    main()
