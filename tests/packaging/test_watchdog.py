"""The watchdog of a server of which one thread hangs: stopped by ptrace, which a parent may do, while the others run."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from conftest import PROGRAM

DEADLINE = 30
PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000
# A limit that no test reaches by chance; the server feeds the watchdog at half of it.
WATCHDOG = 0.5
WORKERS = 3

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the protocol is that of systemd")


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def threads(process, name):
    tasks = pathlib.Path(f"/proc/{process}/task").iterdir()
    return sorted(int(task.name) for task in tasks if (task / "comm").read_text().startswith(name))


def wait_for(notifications, wanted):
    """Waits for this message; others may come before it."""
    while wanted not in notifications.recv(4096).decode().splitlines():
        pass


@pytest.fixture
def server(tmp_path):
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(str(tmp_path / "notify"))
    notifications.settimeout(DEADLINE)
    variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": str(int(WATCHDOG * 1e6))}
    options = ["--listen", "127.0.0.1:0", "--workers", str(WORKERS), "--log-format", "json"]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen([PROGRAM, *options], env=os.environ | variables, stderr=log)
    yield process, notifications, tmp_path / "log"
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


def test_any_worker_or_feed_that_hangs_starves_the_watchdog_until_it_goes_on(server):
    process, notifications, log = server
    wait_for(notifications, "READY=1")
    wait_for(notifications, "WATCHDOG=1")
    serving = threads(process.pid, "actix-rt")
    assert len(serving) == WORKERS + 1, "each worker and the feed"
    for thread in serving:
        ptrace(PTRACE_ATTACH, thread)
        os.waitpid(thread, WALL)
        try:
            # Those of before may still be in the socket.
            notifications.settimeout(2 * WATCHDOG)
            with pytest.raises(TimeoutError):
                for _ in range(8):
                    notifications.recv(4096)
        finally:
            ptrace(PTRACE_DETACH, thread)
        notifications.settimeout(DEADLINE)
        wait_for(notifications, "WATCHDOG=1")
    assert log.read_text().count("does not answer") >= len(serving)
