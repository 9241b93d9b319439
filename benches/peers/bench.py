#!/usr/bin/env python3
"""Other push servers beside Tapecast: the same sessions, subscriptions, rates, messages and client, alternately in one run.

    make bench-peers                                    all of it, into benches/README.md and benches/peers.svg
    benches/peers/bench.py --server BINARY --load BINARY [SCENARIO…] [--peers nats,ws] [--rounds 3] [--seconds 6]

Each server runs on core 0 with one worker, the load client and the publisher on core 1. Tapecast makes its trades itself;
the others get the same number from `load publish`, which stamps a trade when it writes it. The CPU is that of the server's
process (nginx: of its worker). A round runs every server once; ratios are those of one round. Linux, two cores.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".tools"
SERVER_CORE, CLIENT_CORE = "0", "1"
DEADLINE = 30.0
FILES = 20_000
# A server that uses more than this part of its core is marked: its latency is that of its queue.
SATURATED_PERCENT = 97.0
# A run is marked as lossy below this part of the expected deliveries, which are a mean over random choices.
LOSSY = 0.97

SCENARIOS = {
    "hot": {"sessions": 1_000, "symbols": 1, "universe": 1, "rate": 20, "text": "1,000 sessions, one symbol, 20 trades/s"},
    "watchlist": {"sessions": 1_000, "symbols": 20, "universe": 500, "rate": 1_000, "text": "1,000 sessions × 20 of 500 symbols, 1,000 trades/s"},
    "firehose": {"sessions": 50, "symbols": "all", "universe": 500, "rate": 5_000, "text": "50 sessions × all 500 symbols, 5,000 trades/s"},
}


def output(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def version_in(text: str) -> str:
    return re.search(r"\d+\.\d+(?:\.\d+)?", text)[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core: str, *command: object) -> list[str]:
    return ["taskset", "--cpu-list", core, *(str(word) for word in command)]


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def children(parent: int) -> list[int]:
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(entry.name))
    return found


class NotStarted(Exception):
    """A server that does not run on this machine; the others are compared without it."""


class Peer:
    """A server: how it is started, what feeds it and what its clients speak."""

    dialect = "stream"
    feed: str | None = None
    path = "/"

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    def version(self) -> str:
        raise NotImplementedError

    def command(self, scenario: dict, folder: pathlib.Path, port: int, feed_port: int) -> list[object]:
        raise NotImplementedError

    def measured(self, process: int, port: int) -> int:
        """The process whose CPU and memory count."""
        return process

    def configured(self, name: str, folder: pathlib.Path, **values: object) -> pathlib.Path:
        """The configuration file of this folder with its placeholders replaced."""
        text = (HERE / name).read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        (folder / name).write_text(text)
        return folder / name

    @contextlib.contextmanager
    def running(self, scenario: dict, port: int, feed_port: int):
        with tempfile.TemporaryDirectory() as name, open(f"{name}/log", "w") as log:
            folder = pathlib.Path(name)
            command = pinned(SERVER_CORE, *self.command(scenario, folder, port, feed_port))
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=HERE)
            try:
                ports = [port, feed_port] if self.feed and feed_port != port else [port]
                until = time.monotonic() + DEADLINE
                while not all(accepts(each) for each in ports):
                    if server.poll() is not None or time.monotonic() > until:
                        raise NotStarted(f"{type(self).__name__} does not start: {pathlib.Path(log.name).read_text()}")
                    time.sleep(0.05)
                yield self.measured(server.pid, port)
            finally:
                server.terminate()
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()


class Tapecast(Peer):
    path = "/v2/iex"

    def version(self) -> str:
        return version_in(output(self.options.server, "--version"))

    def command(self, scenario, folder, port, feed_port):
        market = ["--symbols", scenario["universe"], "--rate", scenario["rate"], "--quotes-per-trade", 0, "--seed", 42]
        return [self.options.server, "--listen", f"127.0.0.1:{port}", "--workers", 1, "--log", "error", *market,
                "--arrivals", "even", "--incidents", "none", *self.options.server_arg]


class Nats(Peer):
    dialect = feed = "nats"

    def version(self) -> str:
        return version_in(output(TOOLS / "bin/nats-server", "--version"))

    def command(self, scenario, folder, port, feed_port):
        return [TOOLS / "bin/nats-server", "--config", self.configured("nats.conf", folder, PORT=port, FEED=feed_port)]


class Nchan(Peer):
    dialect = feed = "nchan"
    path = "/sub/"

    # Of nchan, which only a running server tells.
    module_version = "?"

    def version(self) -> str:
        return f"{version_in(output(TOOLS / 'bin/nginx', '-v'))} with nchan {self.module_version}"

    def module(self) -> pathlib.Path:
        name = "usr/lib/nginx/modules/ngx_nchan_module.so"
        return next(path for path in (TOOLS / "debian" / name, pathlib.Path("/") / name) if path.exists())

    def command(self, scenario, folder, port, feed_port):
        values = {"PORT": port, "FOLDER": folder, "NCHAN": self.module(), "FILES": FILES}
        nginx = [TOOLS / "bin/nginx", "-p", folder, "-c", self.configured("nginx.conf", folder, **values)]
        if os.geteuid() != 0:
            return nginx
        # nchan makes nginx use its default folder for bodies, whatever is configured; it may not exist. And root would start
        # the worker as another user, which may not read the folder.
        script = 'mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/nginx && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, "sh", *nginx, "-g", "user root;"]

    def measured(self, process: int, port: int) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/version", timeout=DEADLINE) as answer:
            found = re.search(r"nchan version: (\S+)", answer.read().decode())
            self.module_version = found[1] if found else "?"
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            # nchan's worker; the master and a cache manager do nothing.
            for child in children(process):
                if b"worker process" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes():
                    return child
            time.sleep(0.05)
        sys.exit("nginx has no worker")


class Mosquitto(Peer):
    dialect = feed = "mqtt"

    def version(self) -> str:
        done = subprocess.run([TOOLS / "bin/mosquitto", "-h"], capture_output=True, text=True, check=False)
        return version_in(done.stdout)

    def command(self, scenario, folder, port, feed_port):
        return [TOOLS / "bin/mosquitto", "-c", self.configured("mosquitto.conf", folder, PORT=port, FEED=feed_port)]


class Ws(Peer):
    feed = "lines"

    def version(self) -> str:
        lock = json.loads((HERE / "package-lock.json").read_text())
        return f"{lock['packages']['node_modules/ws']['version']} on Node {output('node', '--version').strip().lstrip('v')}"

    def command(self, scenario, folder, port, feed_port):
        return [shutil.which("node"), HERE / "ws-server.mjs", port, feed_port]


PEERS = {"tapecast": Tapecast, "nats": Nats, "nchan": Nchan, "mosquitto": Mosquitto, "ws": Ws}
TITLES = {"tapecast": "Tapecast", "nats": "nats-server", "nchan": "nginx, nchan", "mosquitto": "mosquitto", "ws": "`ws`"}


@contextlib.contextmanager
def publisher(peer: Peer, scenario: dict, port: int, seconds: int):
    """The publisher; yields what its report will be in."""
    report: dict = {}
    if peer.feed is None:
        yield report
        return
    command = [peer.options.load, "publish", peer.feed, f"127.0.0.1:{port}", "--symbols", scenario["universe"]]
    command += ["--rate", scenario["rate"], "--seconds", seconds]
    if scenario["symbols"] == "all":
        command.append("--single-channel")
    process = subprocess.Popen(pinned(CLIENT_CORE, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield report
        # Its time is that of the client, which is over; it ends by itself.
        text, errors = process.communicate(timeout=DEADLINE)
        if process.returncode != 0:
            sys.exit(f"the publisher failed: {errors}")
        report.update(json.loads(text))
    finally:
        process.kill()
        process.wait()


def run(peer: Peer, scenario: dict, seconds: int) -> dict:
    """One run of one server."""
    port = free_port()
    feed_port = port if peer.dialect == "nchan" else free_port()
    warmup = 2
    with peer.running(scenario, port, feed_port) as pid:
        command = [peer.options.load, "--url", f"ws://127.0.0.1:{port}{peer.path}", "--dialect", peer.dialect, "--json"]
        command += ["--connections", scenario["sessions"], "--symbols", scenario["symbols"], "--channels", "trades"]
        command += ["--skew", "uniform", "--warmup", warmup, "--seconds", seconds, "--server-pid", pid]
        if peer.feed:
            command += ["--universe", scenario["universe"]]
        # Until the sessions are open, some seconds pass.
        with publisher(peer, scenario, feed_port, warmup + seconds + 6) as published:
            done = subprocess.run(pinned(CLIENT_CORE, *command), capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"the load client failed at {type(peer).__name__}: {done.stderr}")
    report = json.loads(done.stdout)
    share = 1 if scenario["symbols"] == "all" else scenario["symbols"] / scenario["universe"]
    expected = scenario["sessions"] * share * scenario["rate"]
    server, latency, frames = report["server"], report["latency_us"], max(report["frames"], 1)
    return {
        "updates_per_s": report["objects_per_s"],
        "delivered": report["objects_per_s"] / expected,
        "updates_per_frame": report["objects"] / frames,
        "bytes_per_update": report["bytes_per_s"] / max(report["objects_per_s"], 1),
        "cpu_us": server["cpu_us_per_object"],
        "cpu_percent": server["cpu_percent"],
        "p50_ms": latency["p50"] / 1e3,
        "p99_ms": latency["p99"] / 1e3,
        "kib_per_session": (server["rss_begin_bytes"] - server["rss_before_bytes"]) / 1024 / report["sessions"]["opened"],
        "opened": report["sessions"]["opened"],
        "closed": sum(report["sessions"]["closed"].values()),
        "missing": report["sequence"]["missing"],
        "client_percent": report["client"]["busiest_thread_percent"],
        "client_saturated": report["client"]["saturated"],
        "publisher_percent": published.get("cpu_percent", 0.0),
        "steal_percent": server["steal_percent"],
    }


def median_of(runs: list[dict], key: str) -> float:
    return statistics.median(each[key] for each in runs)


def ratios(runs: list[dict], reference: list[dict], key: str) -> list[float]:
    return [one[key] / other[key] for one, other in zip(runs, reference, strict=True) if other[key] > 0]


def ratio_text(values: list[float]) -> str:
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def notes(runs: list[dict]) -> str:
    """What a reader must know of a server's runs."""
    found = []
    if median_of(runs, "cpu_percent") > SATURATED_PERCENT:
        found.append("its core is saturated")
    if median_of(runs, "delivered") < LOSSY:
        found.append(f"delivers {median_of(runs, 'delivered') * 100:.0f} % of the updates")
    if missing := sum(each["missing"] for each in runs):
        found.append(f"{missing} updates missing")
    if closed := sum(each["closed"] for each in runs):
        found.append(f"{closed} sessions closed")
    if any(each["client_saturated"] for each in runs):
        found.append("the client's core is saturated")
    return "; ".join(found)


def table(results: dict) -> str:
    """One Markdown table per scenario."""
    text = ""
    for scenario, by_peer in results.items():
        reference = by_peer["tapecast"]
        text += f"**{scenario}**: {SCENARIOS[scenario]['text']}\n\n"
        text += "| server | updates/s | per frame | bytes per update | CPU per update | CPU beside Tapecast | p50 | p99 | p99 beside Tapecast | memory per session | |\n"
        text += "|---|---|---|---|---|---|---|---|---|---|---|\n"
        for peer, runs in by_peer.items():
            def middle(key: str, runs: list[dict] = runs) -> float:
                return median_of(runs, key)

            beside = [ratio_text(ratios(runs, reference, key)) if peer != "tapecast" else "1" for key in ("cpu_us", "p99_ms")]
            text += (
                f"| {TITLES[peer]} | {middle('updates_per_s'):,.0f} | {middle('updates_per_frame'):.1f} | {middle('bytes_per_update'):.0f} B "
                f"| {middle('cpu_us'):.2f} µs | {beside[0]} | {middle('p50_ms'):.2f} ms | {middle('p99_ms'):.2f} ms | {beside[1]} "
                f"| {middle('kib_per_session'):.1f} KiB | {notes(runs)} |\n"
            )
        text += "\n"
    return text


def verdict(results: dict) -> str:
    """Where another server is better by the medians of the ratios, in sentences."""
    lines = []
    names = {"cpu_us": "CPU per update", "p50_ms": "median latency", "p99_ms": "p99 latency", "kib_per_session": "memory per session", "bytes_per_update": "bytes per update"}
    for scenario, by_peer in results.items():
        better = []
        for key, name in names.items():
            for peer, runs in by_peer.items():
                values = ratios(runs, by_peer["tapecast"], key) if peer != "tapecast" else []
                if values and statistics.median(values) < 0.95:
                    better.append(f"{TITLES[peer]} in {name} ({statistics.median(values):.2f})")
        lines.append(f"- `{scenario}`: {', '.join(better) if better else 'none'}.")
    return "Better than Tapecast by more than 5 %:\n\n" + "\n".join(lines) + "\n"


def conditions(peers: dict, options: argparse.Namespace) -> str:
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?")
    versions = ", ".join(f"{TITLES[name].strip('`').split(',')[0]} {peer.version()}" for name, peer in peers.items())
    return (
        "| condition | value |\n|---|---|\n"
        f"| date | {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d} |\n"
        f"| machine | {os.cpu_count()} cores of {model}, Linux {platform.release()} |\n"
        f"| versions | {versions} |\n"
        f"| runs | {options.rounds} rounds, {options.seconds} s each after 2 s of warm-up; medians, ratios of one round with the lowest and highest |\n\n"
    )


def chart(results: dict) -> str:
    """Bars of the CPU per update, one group per scenario, each to its own scale."""
    width, label, value, bar, gap = 720, 130, 110, 14, 18
    lines, y = [], 30
    for scenario, by_peer in results.items():
        medians = {peer: median_of(runs, "cpu_us") for peer, runs in by_peer.items()}
        lines.append(f'<text x="0" y="{y + 8}" font-weight="600">{scenario}</text>')
        y += 16
        for peer, cost in medians.items():
            length = (width - label - value) * cost / max(medians.values())
            colour = "#3b82f6" if peer == "tapecast" else "#9aa1ab"
            lines.append(
                f'<text x="12" y="{y + bar - 3}">{TITLES[peer].strip("`")}</text>'
                f'<rect x="{label}" y="{y}" width="{length:.1f}" height="{bar}" rx="2" fill="{colour}"/>'
                f'<text x="{label + length + 8:.1f}" y="{y + bar - 3}">{cost:.2f} µs</text>'
            )
            y += bar + 4
        y += gap
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="system-ui, sans-serif" font-size="12" fill="#7a828e">\n'
        '<text x="0" y="14">server CPU time per delivered update, each scenario to its own scale</text>\n'
    )
    return head + "\n".join(lines) + "\n</svg>\n"


def write_into(readme: pathlib.Path, text: str) -> None:
    """Replaces what an earlier run wrote."""
    begin, end = "<!-- peers: written by benches/peers/bench.py -->\n", "<!-- peers: end -->"
    before, found, rest = readme.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"{readme} has no place for the results")
    readme.write_text(before + begin + text + end + after)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / "target/release/tapecast")
    parser.add_argument("--server-arg", action="append", default=[], help="a further argument of Tapecast, as in --server-arg=--max-delay-ms=5")
    parser.add_argument("--load", type=pathlib.Path, required=True, help="the load client: cargo bench --bench load --no-run")
    parser.add_argument("--peers", default=",".join(PEERS), help="of tapecast,nats,nchan,mosquitto,ws")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--json", type=pathlib.Path, help="writes all runs to this file")
    parser.add_argument("--readme", type=pathlib.Path, help="writes the tables into this file, and the chart beside it")
    options = parser.parse_args()
    options.server, options.load = options.server.resolve(), options.load.resolve()
    return options


def main() -> None:
    options = parse()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    names = ["tapecast", *(name for name in options.peers.split(",") if name != "tapecast")]
    peers = {name: PEERS[name](options) for name in names}
    results = {}
    for scenario in options.scenarios or SCENARIOS:
        by_peer: dict = {name: [] for name in peers}
        for number in range(options.rounds):
            for name, peer in list(peers.items()):
                try:
                    measured = run(peer, SCENARIOS[scenario], options.seconds)
                except NotStarted as reason:
                    if name == "tapecast":
                        sys.exit(str(reason))
                    print(reason, file=sys.stderr)
                    del peers[name], by_peer[name]
                    continue
                by_peer[name].append(measured)
                figures = " ".join(f"{key} {value:.2f}" for key, value in measured.items())
                print(f"{scenario} round {number + 1} {name}: {figures}", file=sys.stderr, flush=True)
        results[scenario] = by_peer
    text = conditions(peers, options) + table(results) + verdict(results)
    print(text)
    if options.json:
        options.json.write_text(json.dumps({"seconds": options.seconds, "results": results}, indent=1))
    if options.readme:
        options.readme.with_name("peers.svg").write_text(chart(results))
        write_into(options.readme, "\n![Server CPU time per delivered update beside other servers](peers.svg)\n\n" + text + "\n")


if __name__ == "__main__":
    main()
