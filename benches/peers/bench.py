#!/usr/bin/env python3
"""Other push servers beside Tapecast: the same sessions, subscriptions, rates, messages and client, alternately in one run.

    make bench-peers                                    all of it, into benches/README.md and benches/peers.svg
    benches/peers/bench.py --server BINARY --load BINARY [SCENARIO…] [--peers nats,ws] [--rounds 3] [--more FILE]

Each server runs on core 0 with one worker, the load client and the publisher on core 1. Tapecast makes its trades itself;
the others get the same number from `load publish`, which stamps a trade when it writes it. The CPU is that of the server's
process (nginx: of its worker). A round runs every server once; ratios are those of one round. Linux, two cores.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import report  # noqa: E402
import results  # noqa: E402
from linux import cpu_seconds, process_stat  # noqa: E402

TOOLS = ROOT / ".tools"
SERVER_CORE, CLIENT_CORE = "0", "1"
DEADLINE = 30.0
FILES = 20_000
# The publisher is ended before; this is for when nothing is left to end it.
PUBLISHER_SECONDS = 300

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
            if int(process_stat(int(entry.name))[1]) == parent:
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


@contextlib.contextmanager
def publisher(peer: Peer, scenario: dict, port: int):
    """The publisher of a server; yields a function that tells its CPU in percent of a core."""
    if peer.feed is None:
        yield lambda: 0.0
        return
    command = [peer.options.load, "publish", peer.feed, f"127.0.0.1:{port}", "--symbols", scenario["universe"]]
    command += ["--rate", scenario["rate"], "--seconds", PUBLISHER_SECONDS]
    if scenario["symbols"] == "all":
        command.append("--single-channel")
    process = subprocess.Popen(pinned(CLIENT_CORE, *command), stdout=subprocess.DEVNULL)
    began = time.monotonic()

    def cpu_percent() -> float:
        if process.poll() is not None:
            sys.exit(f"the publisher of {type(peer).__name__} ended before the client")
        return cpu_seconds(process.pid) / (time.monotonic() - began) * 100

    try:
        yield cpu_percent
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
        with publisher(peer, scenario, feed_port) as publisher_percent:
            done = subprocess.run(pinned(CLIENT_CORE, *command), capture_output=True, text=True, check=False)
            if done.returncode != 0:
                sys.exit(f"the load client failed at {type(peer).__name__}: {done.stderr}")
            publisher_cpu = publisher_percent()
    received = json.loads(done.stdout)
    share = 1 if scenario["symbols"] == "all" else scenario["symbols"] / scenario["universe"]
    expected = scenario["sessions"] * share * scenario["rate"]
    server, latency, frames = received["server"], received["latency_us"], max(received["frames"], 1)
    return {
        "updates_per_s": received["objects_per_s"],
        "delivered": received["objects_per_s"] / expected,
        "updates_per_frame": received["objects"] / frames,
        "bytes_per_update": received["bytes_per_s"] / max(received["objects_per_s"], 1),
        "cpu_us": server["cpu_us_per_object"],
        "cpu_percent": server["cpu_percent"],
        "p50_ms": latency["p50"] / 1e3,
        "p99_ms": latency["p99"] / 1e3,
        "kib_per_session": (server["rss_begin_bytes"] - server["rss_before_bytes"]) / 1024 / received["sessions"]["opened"],
        "opened": received["sessions"]["opened"],
        "closed": sum(received["sessions"]["closed"].values()),
        "missing": received["sequence"]["missing"],
        "client_percent": received["client"]["busiest_thread_percent"],
        "client_saturated": received["client"]["saturated"],
        "publisher_percent": publisher_cpu,
        "steal_percent": server["steal_percent"],
    }


def built_load() -> pathlib.Path:
    """Builds the load client and returns its program."""
    command = ["cargo", "bench", "--locked", "--bench", "load", "--no-run", "--message-format=json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    artifacts = (json.loads(line) for line in done.stdout.splitlines())
    return next(pathlib.Path(each["executable"]) for each in artifacts if each.get("target", {}).get("name") == "load" and each.get("executable"))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / "target/release/tapecast")
    parser.add_argument("--server-arg", action="append", default=[], help="a further argument of Tapecast, as in --server-arg=--max-delay-ms=5")
    parser.add_argument("--load", type=pathlib.Path, help="the load client; default: builds it")
    parser.add_argument("--peers", default=",".join(PEERS), help="of tapecast,nats,nchan,mosquitto,ws")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--more", type=pathlib.Path, help="counts the rounds in this file of an earlier --json too; with --rounds 0 only these")
    parser.add_argument("--json", type=pathlib.Path, help="writes all runs to this file")
    parser.add_argument("--readme", type=pathlib.Path, help="writes the tables into this file, and the chart beside it")
    options = parser.parse_args()
    options.server, options.load = options.server.resolve(), (options.load or built_load()).resolve()
    return options


def main() -> None:
    options = parse()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    names = ["tapecast", *(name for name in options.peers.split(",") if name != "tapecast")]
    peers = {name: PEERS[name](options) for name in names}
    before = json.loads(options.more.read_text()) if options.more else {"results": {}, "versions": {}}
    versions = before["versions"]
    measured: dict = {}
    total: dict = {}
    for scenario in options.scenarios or SCENARIOS:
        by_peer: dict = {name: [] for name in peers}
        for number in range(options.rounds):
            for name, peer in list(peers.items()):
                try:
                    figures = run(peer, SCENARIOS[scenario], options.seconds)
                except NotStarted as reason:
                    if name == "tapecast":
                        sys.exit(str(reason))
                    print(reason, file=sys.stderr)
                    del peers[name], by_peer[name]
                    continue
                by_peer[name].append(figures)
                line = " ".join(f"{key} {value:.2f}" for key, value in figures.items())
                print(f"{scenario} round {number + 1} {name}: {line}", file=sys.stderr, flush=True)
        measured[scenario] = by_peer
        total = report.added(before["results"], measured)
        if options.rounds > 0:
            versions |= {name: peer.version() for name, peer in peers.items()}
        # After each scenario, so that a run that is interrupted has something.
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps({"seconds": options.seconds, "versions": versions, "results": total}, indent=1))
    texts = {name: scenario["text"] for name, scenario in SCENARIOS.items()}
    text = report.conditions(versions, before.get("seconds", options.seconds), total) + report.table(total, texts) + report.verdict(total)
    print(text)
    if options.readme:
        options.readme.with_name("peers.svg").write_text(report.chart(total))
        chart = "![Server CPU time per delivered update beside other servers](peers.svg)"
        results.write_into(options.readme, "peers", f"{chart}\n\n{text}")


if __name__ == "__main__":
    main()
