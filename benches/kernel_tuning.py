#!/usr/bin/env python3
"""What settings of the kernel change for a server of WebSocket sessions.

    sudo benches/kernel_tuning.py [--server target/release/tapecast] [--sessions 5000] [--stalled 200]

The server runs in one network namespace and its clients in another, connected by a veth pair, so that each setting is
changed for them alone and the counters are theirs alone. Linux, root, iproute2. The table that is printed is the one
of docs/OPERATIONS.md.
"""

import argparse
import contextlib
import ctypes
import errno
import itertools
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time

from linux import await_ready, slab_bytes

SERVER_ADDRESS, CLIENT_ADDRESS = "10.213.0.1", "10.213.0.2"
PORT = 8080
DEADLINE = 60.0
# Of <sched.h>; `os.setns` came with Python 3.12.
CLONE_NEWNET = 0x40000000
UPGRADE = (
    f"GET /v2/iex HTTP/1.1\r\nHost: {SERVER_ADDRESS}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()
SUBSCRIBE = b'{"action":"subscribe","trades":["*"],"quotes":["*"]}'


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Namespaces:
    """Two network namespaces and the cable between them; removed at the end."""

    def __init__(self) -> None:
        self.server, self.client = (f"tapecast-{os.getpid()}-{side}" for side in ("server", "client"))

    def __enter__(self) -> "Namespaces":
        for name in (self.server, self.client):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "eth0", "netns", self.server, "type", "veth", "peer", "name", "eth0", "netns", self.client)
        for name, address in ((self.server, SERVER_ADDRESS), (self.client, CLIENT_ADDRESS)):
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        # The clients are this process.
        handle = os.open(f"/run/netns/{self.client}", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(handle)
        return self

    def __exit__(self, *_: object) -> None:
        for name in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", name], check=False)

    def set(self, side: str, name: str, value: str) -> None:
        run("ip", "netns", "exec", side, "sysctl", "-qw", f"{name}={value}")

    def counter(self, side: str, name: str) -> int:
        """A counter of `/proc/net/netstat`."""
        lines = run("ip", "netns", "exec", side, "cat", "/proc/net/netstat").splitlines()
        for names, values in itertools.pairwise(lines):
            if name in names.split():
                return int(values.split()[names.split().index(name)])
        raise KeyError(name)

    def queued(self, side: str) -> int:
        """The bytes of the kernel's memory that hold what sockets of the server's port have yet to deliver."""
        text = run("ip", "netns", "exec", side, "ss", "-tmnH", "sport", "=", f":{PORT}")
        return sum(int(t) + int(w) for t, w in re.findall(r"skmem:\(r\d+,rb\d+,t(\d+),tb\d+,f\d+,w(\d+)", text))


def is_ready() -> bool:
    with contextlib.suppress(OSError), socket.create_connection((SERVER_ADDRESS, PORT), 1) as probe:
        probe.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in probe.recv(64)
    return False


@contextlib.contextmanager
def server(program: str, namespaces: Namespaces, *options: str):
    """A server in its namespace, ready."""
    command = ["ip", "netns", "exec", namespaces.server, program, "--listen", f"0.0.0.0:{PORT}", "--workers", "1"]
    child = subprocess.Popen([*command, "--max-sessions-per-address", "20000", *options], stderr=subprocess.DEVNULL)
    try:
        await_ready(child, is_ready, DEADLINE)
        yield child
    finally:
        child.terminate()
        child.wait()


def connect(count: int) -> tuple[list[socket.socket], float]:
    """Opens sessions all at once, and says after how many seconds the last was there."""
    sockets, began = [], time.monotonic()
    poll = select.epoll()
    waiting: dict[int, socket.socket] = {}
    for _ in range(count):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((SERVER_ADDRESS, PORT))
        poll.register(client, select.EPOLLOUT)
        waiting[client.fileno()] = client
        sockets.append(client)
    until = began + DEADLINE
    while waiting and time.monotonic() < until:
        for number, event in poll.poll(1):
            client = waiting[number]
            if event & (select.EPOLLERR | select.EPOLLHUP):
                del waiting[number]
                poll.unregister(client)
            elif event & select.EPOLLOUT:
                client.send(UPGRADE)
                poll.modify(client, select.EPOLLIN)
            elif b" 101 " in client.recv(4096):
                del waiting[number]
                poll.unregister(client)
    poll.close()
    if waiting:
        sys.exit(f"{len(waiting)} sessions did not open in {DEADLINE:.0f} s")
    return sockets, time.monotonic() - began


def close(sockets: list[socket.socket]) -> None:
    for client in sockets:
        client.close()


def text_frame(payload: bytes) -> bytes:
    """A masked text frame (RFC 6455, section 5.2) with the mask 0."""
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def accept_queue(namespaces: Namespaces, program: str, sessions: int):
    for value in ("128", "4096"):
        namespaces.set(namespaces.server, "net.core.somaxconn", value)
        before = namespaces.counter(namespaces.server, "ListenOverflows")
        with server(program, namespaces):
            sockets, seconds = connect(sessions)
            dropped = namespaces.counter(namespaces.server, "ListenOverflows") - before
            close(sockets)
        yield f"`net.core.somaxconn={value}`", f"{sessions} connects at once: {dropped} dropped, the last session after {seconds:.2f} s"


def idle_memory(namespaces: Namespaces, program: str, sessions: int):
    with server(program, namespaces):
        before = slab_bytes()
        sockets, _ = connect(sessions)
        # Both ends are on this machine.
        each = (slab_bytes() - before) / sessions / 2
        close(sockets)
    yield "none", f"an idle connection takes {each / 1024:.1f} KiB of kernel memory (socket, file, epoll entry; queues are empty)"


def send_buffer(namespaces: Namespaces, program: str, stalled: int):
    default = run("ip", "netns", "exec", namespaces.server, "sysctl", "-n", "net.ipv4.tcp_wmem").split()
    for maximum in ("65536", default[2]):
        namespaces.set(namespaces.server, "net.ipv4.tcp_wmem", f"{default[0]} {default[1]} {maximum}")
        with server(program, namespaces, "--symbols", "200"):
            sockets, _ = connect(stalled)
            for client in sockets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
                client.setblocking(True)
                client.sendall(text_frame(SUBSCRIBE))
            most, until = 0, time.monotonic() + 5
            while time.monotonic() < until:
                most = max(most, namespaces.queued(namespaces.server))
            close(sockets)
        yield f"`net.ipv4.tcp_wmem` up to {int(maximum) // 1024} KiB", f"a client that reads nothing takes up to {most / stalled / 1024:.0f} KiB of the kernel"


def local_ports(namespaces: Namespaces, program: str, _sessions: int):
    for low, high in ((40000, 40999), (1024, 65535)):
        namespaces.set(namespaces.client, "net.ipv4.ip_local_port_range", f"{low} {high}")
        with server(program, namespaces):
            sockets, count = [], 0
            with contextlib.suppress(OSError):
                for count in range(1_501):
                    client = socket.socket()
                    sockets.append(client)
                    failed = client.connect_ex((SERVER_ADDRESS, PORT))
                    if failed:
                        assert failed == errno.EADDRNOTAVAIL, os.strerror(failed)
                        break
            close(sockets)
        more = " or more" if count == 1_500 else ""
        yield f"`net.ipv4.ip_local_port_range={low} {high}` of a proxy", f"{count}{more} connections to one address and port"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="target/release/tapecast")
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--stalled", type=int, default=200)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("| setting | effect |\n|---|---|")
    parts = [(accept_queue, options.sessions), (idle_memory, options.sessions), (send_buffer, options.stalled), (local_ports, 0)]
    for part, size in parts:
        with Namespaces() as namespaces:
            for setting, effect in part(namespaces, options.server, size):
                print(f"| {setting} | {effect} |", flush=True)


if __name__ == "__main__":
    main()
