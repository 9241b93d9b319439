#!/usr/bin/env python3
"""What real networks do to the stream: delay, jitter, loss, slow links, a small MTU, outages, handovers.

    sudo benches/networks.py [--server target/release/tapecast] [--profiles lan loss-5 …] [--seconds 12]

The server runs in one network namespace and its clients in another. Each has a TUN device, and a program of this script
passes the IP packets from one to the other: it delays, drops, reorders and limits them, so that the TCP of the kernel meets
what `tc netem` makes, on kernels without it too. Each client has a link of its own. The clients check of every object that
its number follows (`sq_now − sq_prev = cf + 1`, or a gap is told); if one does not, the script exits with 1. Each network
is measured with BBR and with CUBIC at the same time, in namespaces of their own. Linux, root, iproute2; seven minutes for
all. The table that is printed is the one of docs/OPERATIONS.md.
"""

import argparse
import contextlib
import ctypes
import fcntl
import heapq
import json
import multiprocessing
import os
import random
import select
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field

from linux import await_ready

SERVER_ADDRESS, CLIENT_ADDRESS = "10.214.0.1", "10.214.0.2"
PORT = 8080
CONTROLS = ("bbr", "cubic")
CLIENTS = 4
# 150 trades and 450 quotes per second, some 0.9 Mbit/s for each client.
MARKET = ("--symbols", "20", "--rate", "150", "--incidents", "none", "--workers", "1")
# A client that hears nothing for this time, five heartbeats, connects again and resumes.
SILENCE = 5.0
RECONNECT = (0.2, 0.6)
DEADLINE = 45.0
# Of <sched.h> and <linux/if_tun.h>.
CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
UPGRADE = (
    f"GET /v2/iex HTTP/1.1\r\nHost: {SERVER_ADDRESS}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()
CHANNELS = {"t": "trades", "q": "quotes"}


@dataclass(frozen=True)
class Network:
    """What a network does to packets. Times in ms, rates in Mbit/s towards and from the client, shares from 0 to 1."""

    name: str
    round_trip: float
    jitter: float = 0
    down: float = 1_000
    up: float = 1_000
    queue: float = 200
    loss: float = 0
    reordered: float = 0
    mtu: int = 1_500
    # Seconds for which nothing passes.
    outage: float = 0
    # All connections so far lead nowhere from then on, as after a change of the client's address.
    handover: bool = False
    # Seconds until queues are as long as they get.
    settling: float = 3

    @property
    def interrupts(self) -> bool:
        return self.handover or self.outage > 0


NETWORKS = (
    Network("lan", 1),
    Network("dsl", 30, jitter=3, down=16, up=1),
    Network("4g", 60, jitter=20, down=10, up=3, queue=500, loss=0.001, reordered=0.002),
    Network("satellite", 600, jitter=5, down=10, up=2, queue=800, loss=0.002),
    Network("loss-1", 40, loss=0.01),
    Network("loss-5", 40, loss=0.05),
    Network("mtu-576", 40, loss=0.01, mtu=576),
    Network("slow", 100, jitter=10, down=0.5, up=0.2, queue=1_000),
    Network("very-slow", 200, jitter=20, down=0.1, up=0.1, queue=2_000, settling=45),
    Network("outage-1", 40, outage=1),
    Network("outage-3", 40, outage=3),
    Network("outage-10", 40, outage=10),
    Network("handover", 60, jitter=10, down=10, up=3, handover=True),
)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def enter(namespace: str) -> None:
    """Moves this thread into a network namespace; `os.setns` came with Python 3.12."""
    handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(handle)


def open_tun(namespace: str) -> int:
    """A TUN device `tun0` in a namespace, which belongs to this process."""
    enter(namespace)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"tun0", IFF_TUN | IFF_NO_PI))
    return device


class Link:
    """The network: packets on their way, by the time at which they arrive."""

    def __init__(self, network: Network, server: int, client: int) -> None:
        self.network, self.server, self.client = network, server, client
        self.random = random.Random(network.name)
        self.on_way: list[tuple[float, int, int, bytes]] = []
        self.count = 0
        self.is_down = False
        self.dead: set[int] = set()
        # For each direction of each connection: when its link is free, and when its last packet arrives.
        self.free: dict[tuple[int, int], float] = {}
        self.last: dict[tuple[int, int], float] = {}

    def take(self, packet: bytes, source: int, now: float) -> None:
        header = (packet[0] & 15) * 4
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP or len(packet) < header + 4:
            return
        ports = struct.unpack_from("!HH", packet, header)
        is_down = source == self.server
        port = ports[1] if is_down else ports[0]
        network, key = self.network, (source, port)
        if self.is_down or port in self.dead or self.random.random() < network.loss:
            return
        begin = max(now, self.free.get(key, 0))
        if begin - now > network.queue / 1000:
            return
        self.free[key] = begin + len(packet) * 8 / ((network.down if is_down else network.up) * 1e6)
        due = self.free[key] + (network.round_trip / 2 + network.jitter * self.random.random()) / 1000
        if network.reordered and self.random.random() < network.reordered:
            due += 0.01
        else:
            # Jitter alone does not reorder.
            due = self.last[key] = max(due, self.last.get(key, 0))
        self.count += 1
        heapq.heappush(self.on_way, (due, self.count, self.client if is_down else self.server, packet))

    def interrupt(self, command: bytes) -> None:
        match command:
            case b"d":
                self.is_down = True
            case b"u":
                self.is_down = False
            case b"h":
                self.dead |= {port for _, port in self.free}

    def serve(self, commands: int) -> None:
        while True:
            wait = max(0.0, self.on_way[0][0] - time.monotonic()) if self.on_way else 1.0
            ready, _, _ = select.select([self.server, self.client, commands], [], [], wait)
            if commands in ready:
                command = os.read(commands, 1)
                if not command:
                    return
                self.interrupt(command)
            for device in (self.server, self.client):
                if device in ready:
                    with contextlib.suppress(BlockingIOError):
                        for _ in range(64):
                            self.take(os.read(device, 2_048), device, time.monotonic())
            now = time.monotonic()
            while self.on_way and self.on_way[0][0] <= now:
                _, _, device, packet = heapq.heappop(self.on_way)
                with contextlib.suppress(OSError):
                    os.write(device, packet)


def serve_link(network: Network, namespaces: tuple[str, str], commands: int, ready) -> None:
    devices = [open_tun(namespace) for namespace in namespaces]
    ready.set()
    Link(network, *devices).serve(commands)


@dataclass
class Figures:
    """What the clients of one network saw."""

    objects: int = 0
    merged: int = 0
    gaps: int = 0
    resumes: int = 0
    closed: int = 0
    faults: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)


class Client:
    """A client that opted in: checks each number, notices silence, connects again and resumes."""

    def __init__(self, figures: Figures, selector: selectors.BaseSelector) -> None:
        self.figures, self.selector = figures, selector
        self.last: dict[tuple[str, str], int] = {}
        self.epoch = ""
        self.connect_at: float | None = 0.0
        self.heard = 0.0
        self.socket: socket.socket | None = None
        self.received = bytearray()
        self.is_open = False
        # Set while a recovery is timed: when the network was back, and below which latency the client is current.
        self.recovering: tuple[float, float] | None = None

    def connect(self) -> None:
        self.received.clear()
        self.is_open = False
        self.connect_at, self.heard = None, time.monotonic()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex((SERVER_ADDRESS, PORT))
        self.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def disconnect(self) -> None:
        self.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None
        self.connect_at = time.monotonic() + random.uniform(*RECONNECT)

    def check_time(self, now: float) -> None:
        if self.connect_at is not None and now >= self.connect_at:
            self.connect()
        elif self.socket and now - self.heard > SILENCE:
            self.disconnect()

    def act(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self.socket.send(UPGRADE)
                self.selector.modify(self.socket, selectors.EVENT_READ, self)
                return
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            return self.disconnect()
        if not data:
            return self.disconnect()
        self.heard = time.monotonic()
        self.received += data
        if not self.is_open:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            assert b" 101 " in self.received[:end], self.received[:end]
            del self.received[: end + 4]
            self.is_open = True
            self.subscribe()
        self.read_frames()

    def subscribe(self) -> None:
        options: dict = {"heartbeat_ms": 1_000}
        if self.epoch:
            sq: dict[str, dict[str, int]] = {}
            for (channel, symbol), last in self.last.items():
                sq.setdefault(channel, {})[symbol] = last
            options["resume"] = {"epoch": self.epoch, "sq": sq}
            self.figures.resumes += 1
        self.send(0x81, json.dumps({"action": "subscribe", "trades": ["*"], "quotes": ["*"], "x": options}).encode())

    def send(self, first: int, payload: bytes) -> None:
        """A frame with the mask 0 (RFC 6455, section 5.2)."""
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xFE]) + struct.pack("!H", len(payload))
        self.socket.send(bytes([first]) + length + bytes(4) + payload)

    def read_frames(self) -> None:
        received, start = self.received, 0
        while len(received) >= start + 2:
            length, head = received[start + 1], 2
            if length >= 126:
                head = 4 if length == 126 else 10
                if len(received) < start + head:
                    break
                length = int.from_bytes(received[start + 2 : start + head], "big")
            if len(received) < start + head + length:
                break
            payload = bytes(received[start + head : start + head + length])
            match received[start] & 15:
                case 1:
                    self.record(json.loads(payload))
                case 8:
                    self.figures.closed += 1
                case 9:
                    self.send(0x8A, payload)
            start += head + length
        del received[:start]

    def record(self, objects: list[dict]) -> None:
        figures, now = self.figures, time.time() % 86_400
        for it in objects:
            kind = it["T"]
            if channel := CHANNELS.get(kind):
                stream, sq, merged = (channel, it["S"]), it["sq"], it.get("cf", 0)
                last = self.last.get(stream)
                if last is not None and sq != last + merged + 1:
                    figures.faults.append(f"{stream}: {sq} with cf {merged} after {last}")
                self.last[stream] = sq
                figures.objects += 1
                figures.merged += merged
                at = it["t"]
                latency = (now - int(at[11:13]) * 3_600 - int(at[14:16]) * 60 - float(at[17:-1])) % 86_400
                figures.latencies.append(latency)
                if self.recovering and latency < self.recovering[1]:
                    figures.recoveries.append(time.monotonic() - self.recovering[0])
                    self.recovering = None
            elif kind == "gap":
                stream, last = (it["ch"], it["S"]), self.last.get((it["ch"], it["S"]))
                if last is not None and it["from"] != last + 1:
                    figures.faults.append(f"{stream}: {it} after {last}")
                self.last[stream] = it["to"]
                figures.gaps += 1
            elif kind == "subscription":
                self.epoch = it["x"]["epoch"]


def measure(network: Network, commands: int, namespace: str, seconds: float, results) -> None:
    """The clients of a network, from the first connection to the last figure."""
    enter(namespace)
    selector, figures = selectors.DefaultSelector(), Figures()
    clients = [Client(figures, selector) for _ in range(CLIENTS)]

    def serve(duration: float, is_over=lambda: False) -> None:
        until = time.monotonic() + duration
        while time.monotonic() < until and not is_over():
            now = time.monotonic()
            for client in clients:
                client.check_time(now)
            for key, events in selector.select(0.01):
                if key.data.socket is key.fileobj:
                    key.data.act(events)

    serve(DEADLINE, lambda: all(client.last for client in clients))
    serve(network.settling + 4 * network.round_trip / 1000)
    for name in ("objects", "merged", "gaps", "resumes"):
        setattr(figures, name, 0)
    figures.latencies.clear()
    begun = time.monotonic()
    if network.interrupts:
        serve(3)
        current = statistics.median(figures.latencies) * 2 + 0.25
        os.write(commands, b"h" if network.handover else b"d")
        if network.outage:
            serve(network.outage)
            os.write(commands, b"u")
        # What arrives of before is not current.
        for client in clients:
            client.recovering = (time.monotonic(), current)
        if network.handover:
            # Packets that are on their way still arrive.
            serve(network.round_trip / 1000 + 0.2)
            figures.recoveries.clear()
            for client in clients:
                client.recovering = (time.monotonic() - network.round_trip / 1000 - 0.2, current)
        serve(DEADLINE, lambda: len(figures.recoveries) == CLIENTS)
        serve(1)
    else:
        serve(seconds)
    results.put((figures, time.monotonic() - begun))


@contextlib.contextmanager
def laid(network: Network, control: str):
    """Two namespaces with a link between them; the client's, the server's, and where the link is interrupted."""
    namespaces = tuple(f"tapecast-{os.getpid()}-{control}-{side}" for side in ("server", "client"))
    reading, writing = os.pipe()
    link = None
    try:
        for name in namespaces:
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        ready = multiprocessing.Event()
        link = multiprocessing.Process(target=serve_link, args=(network, namespaces, reading, ready), daemon=True)
        link.start()
        if not ready.wait(10):
            sys.exit("no TUN device: this needs /dev/net/tun")
        for name, address in zip(namespaces, (SERVER_ADDRESS, CLIENT_ADDRESS), strict=True):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "tun0")
            run("ip", "-n", name, "link", "set", "dev", "tun0", "mtu", str(network.mtu), "up")
        # Of a route and not by sysctl, which may be set for all namespaces only.
        route = ("10.214.0.0/24", "dev", "tun0", "proto", "kernel", "scope", "link", "src", SERVER_ADDRESS)
        run("ip", "-n", namespaces[0], "route", "replace", *route, "congctl", control)
        yield (*namespaces, writing)
    finally:
        if link:
            link.kill()
            link.join()
        for handle in (reading, writing):
            os.close(handle)
        for name in namespaces:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextlib.contextmanager
def started(program: str, namespace: str):
    """A server in its namespace, ready."""
    command = ["ip", "netns", "exec", namespace]
    child = subprocess.Popen([*command, program, "--listen", f"0.0.0.0:{PORT}", *MARKET], stderr=subprocess.DEVNULL)
    probe = "import urllib.request as it; it.urlopen('http://127.0.0.1:8080/readyz', timeout=1)"
    try:
        is_ready = lambda: subprocess.run([*command, sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0
        await_ready(child, is_ready, DEADLINE)
        yield child
    finally:
        child.terminate()
        child.wait()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def row(network: Network, control: str, figures: Figures, seconds: float) -> str:
    both = figures.objects + figures.merged
    recovery = "—"
    if network.interrupts:
        recovery = "not all" if len(figures.recoveries) < CLIENTS else f"{statistics.median(figures.recoveries):.1f} s"
        recovery += f", at most {max(figures.recoveries):.1f} s" if figures.recoveries else ""
    cells = [
        network.name,
        control,
        f"{figures.objects / CLIENTS / seconds:.0f}/s",
        f"{1000 * statistics.median(figures.latencies):.0f} ms",
        f"{1000 * percentile(figures.latencies, 0.99):.0f} ms",
        f"{100 * figures.merged / both:.1f} %",
        figures.gaps,
        figures.resumes,
        recovery,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def run_networks(networks: list[Network], program: str, seconds: float) -> list[str]:
    """Measures one network after the other; returns what was wrong with numbers."""
    print("| network | control | objects per client | median | p99 | conflated | gaps | resumes | recovery |\n|---|---|---|---|---|---|---|---|---|")
    faults = []
    for network in networks:
        with contextlib.ExitStack() as stack:
            sides = []
            for control in CONTROLS:
                server_side, client_side, commands = stack.enter_context(laid(network, control))
                stack.enter_context(started(program, server_side))
                sides.append((control, client_side, commands))
            measured = []
            for control, client_side, commands in sides:
                results = multiprocessing.Queue()
                process = multiprocessing.Process(target=measure, args=(network, commands, client_side, seconds, results))
                process.start()
                stack.callback(process.kill)
                measured.append((control, results))
            for control, results in measured:
                figures, lasted = results.get(timeout=3 * DEADLINE)
                print(row(network, control, figures, lasted), flush=True)
                faults += [f"{network.name}, {control}: {fault}" for fault in figures.faults]
                if figures.closed:
                    print(f"{network.name}, {control}: the server closed {figures.closed} sessions", file=sys.stderr)
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="target/release/tapecast")
    parser.add_argument("--profiles", nargs="+", choices=[it.name for it in NETWORKS], default=[it.name for it in NETWORKS])
    parser.add_argument("--seconds", type=float, default=12, help="measured of each network that is not interrupted")
    options = parser.parse_args()
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        sys.exit("this needs root and /dev/net/tun")
    multiprocessing.set_start_method("fork")
    # Before all else of the machine: a link that waits for a processor would be a slower link.
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    faults = run_networks([it for it in NETWORKS if it.name in options.profiles], options.server, options.seconds)
    if faults:
        sys.exit(f"{len(faults)} numbers do not follow:\n" + "\n".join(faults[:20]))


if __name__ == "__main__":
    main()
