"""What the benches read of Linux and wait for."""

import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable


def slab_bytes() -> int:
    """The memory of the whole kernel for objects, sockets among them."""
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Slab:"))


def process_stat(process: int) -> list[str]:
    """The fields of `/proc/PID/stat` behind the name, the state first."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(process: int) -> float:
    """The CPU time of a process, user and system."""
    fields = process_stat(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_ready(server: subprocess.Popen, is_ready: Callable[[], bool], deadline: float) -> None:
    """Waits until a server is ready; ends the program when it ends before, or after this number of seconds."""
    until = time.monotonic() + deadline
    while not is_ready():
        if time.monotonic() > until or server.poll() is not None:
            sys.exit("the server is not ready")
        time.sleep(0.05)
