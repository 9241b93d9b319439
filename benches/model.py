#!/usr/bin/env python3
"""What 100,000 and 1,000,000 sessions need, computed from a run of scenarios.

    cargo bench --bench load -- scenario hot watchlist firehose board idle --no-floor --namespaces --json target/model.json
    cargo bench --bench load -- scenario hot watchlist firehose board --no-floor --json target/loopback.json
    benches/model.py target/model.json [--loopback target/loopback.json] [--readme benches/README.md]

Prints Markdown tables: the measured inputs, and what follows from them; each formula names its inputs. Without a file, the
inputs are those that are recorded here. With --loopback also how the two networks differ, in the scenarios of both files.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics

import results

# The interval of pings, and the headers of TCP, IP and Ethernet, with timestamps, of each frame.
PING_SECONDS = 16
HEADER_BYTES = 66
BOARD_SECONDS = 0.25
BOARD_TICKERS = 20
HOT_RATE = 20


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Measured on one core."""

    # CPU of one frame with one update, and its bytes: `hot`.
    update_us: float
    update_bytes: float
    # CPU of one frame with the tickers of a board, and its bytes: `board`.
    board_us: float
    board_bytes: float
    # CPU of one ping and its pong, and memory of a session in the process: `idle`.
    ping_us: float
    session_kib: float

    @classmethod
    def of(cls, file: pathlib.Path) -> "Inputs":
        """From the results of `hot`, `board` and `idle`."""
        results = {scenario["name"]: scenario["pairs"] for scenario in json.loads(file.read_text())["scenarios"]}

        def median(scenario: str, metric: str) -> float:
            return statistics.median(pair["server"][metric] for pair in results[scenario])

        # A frame per interval: the tickers of a board all change within it.
        frames_per_s = 1 / BOARD_SECONDS
        return cls(
            update_us=median("hot", "cpu_us_per_update") * median("hot", "updates_per_frame"),
            update_bytes=median("hot", "bytes_per_update") * median("hot", "updates_per_frame"),
            board_us=median("board", "cpu_percent_per_session") / 100 * 1e6 / frames_per_s,
            board_bytes=median("board", "bytes_per_update") * median("board", "updates_per_frame"),
            ping_us=median("idle", "cpu_percent_per_session") / 100 * 1e6 * PING_SECONDS,
            session_kib=median("idle", "kib_per_session"),
        )

    def ping_cores(self, sessions: int) -> float:
        return sessions * self.ping_us / 1e6 / PING_SECONDS

    def hot_cores(self, sessions: int) -> float:
        return sessions * HOT_RATE * self.update_us / 1e6

    def hot_gbit(self, sessions: int) -> float:
        return sessions * HOT_RATE * (self.update_bytes + HEADER_BYTES) * 8 / 1e9

    def board_cores(self, sessions: int, seconds: float) -> float:
        return sessions / seconds * self.board_us / 1e6

    def board_gbit(self, sessions: int, seconds: float) -> float:
        # A board is longer than one segment.
        segments = -(-self.board_bytes // 1448)
        return sessions / seconds * (self.board_bytes + segments * HEADER_BYTES) * 8 / 1e9

    def memory_gb(self, sessions: int) -> float:
        return sessions * self.session_kib * 1024 / 1e9


# What benches/README.md records: with --namespaces, one run on a busy machine; `session_kib` over loopback, on a quiet one.
RECORDED = Inputs(update_us=7.2, update_bytes=127, board_us=22.2, board_bytes=3_091, ping_us=25, session_kib=4.4)


def figure(value: float) -> str:
    """Two significant digits."""
    return f"{float(f'{value:.2g}'):,g}"


def tables(inputs: Inputs) -> str:
    text = "| input | measured by | value |\n|---|---|---|\n"
    for name, scenario, value in (
        ("`update_us`, `update_bytes`: a frame with one update", "hot", f"{inputs.update_us:.1f} µs, {inputs.update_bytes:.0f} B"),
        (f"`board_us`, `board_bytes`: a frame with the tickers of a board of {BOARD_TICKERS}", "board", f"{inputs.board_us:.1f} µs, {inputs.board_bytes:.0f} B"),
        ("`ping_us`: a ping and its pong, with what the server does without clients", "idle", f"{inputs.ping_us:.0f} µs"),
        ("`session_kib`: memory of a session, without the kernel's", "idle", f"{inputs.session_kib:.1f} KiB"),
    ):
        text += f"| {name} | `{scenario}` | {value} |\n"
    counts = (100_000, 1_000_000)
    text += "\n| requirement | formula | 100,000 sessions | 1,000,000 sessions |\n|---|---|---|---|\n"

    def row(name: str, formula: str, of) -> str:
        return f"| {name} | {formula} | {of(counts[0])} | {of(counts[1])} |\n"

    text += row("memory", "sessions × `session_kib`", lambda n: f"{figure(inputs.memory_gb(n))} GB")
    text += row("pings", f"sessions ÷ {PING_SECONDS} s × `ping_us`", lambda n: f"{figure(inputs.ping_cores(n))} cores")
    text += row(
        f"one symbol, {HOT_RATE} trades/s",
        f"sessions × {HOT_RATE}/s × `update_us`; × (`update_bytes` + {HEADER_BYTES} B)",
        lambda n: f"{figure(inputs.hot_cores(n))} cores, {figure(inputs.hot_gbit(n))} Gbit/s",
    )
    for label, seconds in (("250 ms", 0.25), ("2 s", 2)):
        text += row(
            f"{BOARD_TICKERS} tickers at {label}",
            f"sessions ÷ {label} × `board_us`; × (`board_bytes` + {HEADER_BYTES} B per 1,448 B)",
            lambda n, seconds=seconds: f"{figure(inputs.board_cores(n, seconds))} cores, {figure(inputs.board_gbit(n, seconds))} Gbit/s",
        )
    return text


def comparison(loopback: pathlib.Path, namespaces: pathlib.Path) -> str:
    """The server's CPU per update over both networks."""
    files = [json.loads(file.read_text()) for file in (loopback, namespaces)]
    if [file["network"] for file in files] != ["loopback", "namespaces"]:
        raise SystemExit("expected results over loopback, and with --namespaces")
    sides = [{scenario["name"]: scenario["pairs"] for scenario in file["scenarios"]} for file in files]
    text = "| scenario | CPU per update, loopback | namespaces | ratio | p99, loopback | namespaces |\n|---|---|---|---|---|---|\n"
    for name in (name for name in sides[0] if name in sides[1]):
        cpu, p99 = ([statistics.median(pair["server"][key] or 0 for pair in side[name]) for side in sides] for key in ("cpu_us_per_update", "p99_ms"))
        if cpu[0] > 0:
            text += f"| {name} | {cpu[0]:.2f} µs | {cpu[1]:.2f} µs | {cpu[1] / cpu[0]:.2f} | {p99[0]:.2f} ms | {p99[1]:.2f} ms |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=pathlib.Path, help="results of hot, board and idle")
    parser.add_argument("--loopback", type=pathlib.Path, help="results over loopback, to compare those of the file with")
    parser.add_argument("--readme", type=pathlib.Path, help="writes the tables into this file")
    options = parser.parse_args()
    sections = {"model": tables(Inputs.of(options.file) if options.file else RECORDED)}
    if options.loopback and options.file:
        sections["namespaces"] = comparison(options.loopback, options.file)
    for section, text in sections.items():
        print(text)
        if options.readme:
            results.write_into(options.readme, section, text)


if __name__ == "__main__":
    main()
