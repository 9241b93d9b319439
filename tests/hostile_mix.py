#!/usr/bin/env python3
"""Everything hostile at once, against a server on this machine, for a bounded time.

    python3 tests/hostile_mix.py PORT [SECONDS]

Each kind of client below repeats its attack until the time is over, from a loopback address of its own, so
that the limits per address apply to it alone. At the end the script prints how often each kind connected and
how the server responded. tests/hostile.rs and tests/limits.rs test each response; this script shows that all
attacks together do not disturb other sessions. Measure those with the load client at the same time.

On the server's machine the script's own computing disturbs the measurement more than its traffic does: run it
with `chrt --idle 0`, and compare with a program in its place that only computes.
"""

import asyncio
import base64
import collections
import ipaddress
import os
import random
import sys
import time
import zlib

HERE = ipaddress.ip_address("127.0.0.1")
MASK = b"\x37\xfa\x21\x3d"
outcomes = collections.Counter()


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True):
    """A client's frame (RFC 6455 section 5.2), valid or not."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    elif len(payload) < 1 << 16:
        head = bytes([first, bit | 126]) + len(payload).to_bytes(2, "big")
    else:
        head = bytes([first, bit | 127]) + len(payload).to_bytes(8, "big")
    if not masked:
        return head + payload
    key = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    return head + MASK + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


class Connection:
    """One connection from a loopback address of its own."""

    def __init__(self, port, number):
        self.port, self.source = port, str(HERE + 1 + number)

    async def __aenter__(self):
        address = (str(HERE), self.port)
        self.reader, self.writer = await asyncio.open_connection(*address, local_addr=(self.source, 0))
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def send(self, data):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), 5)

    async def upgrade(self, query="", extra=""):
        key = base64.b64encode(os.urandom(16)).decode()
        await self.send(
            f"GET /v2/iex{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n".encode()
        )
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        status = head.split()[1].decode()
        if status != "101":
            raise Refused(status)

    async def ending(self, seconds=40):
        """How the server ends the connection: the status of a response, the code of a Close, or neither."""
        data = b""

        async def read():
            nonlocal data
            while more := await self.reader.read(1 << 16):
                data = (data + more)[-4096:]

        try:
            await asyncio.wait_for(read(), seconds)
        except asyncio.TimeoutError:
            return "still open"
        except OSError:
            return "reset"
        at = data.rfind(b"\x88")
        if at >= 0 and len(data) >= at + 4:
            return f"close {int.from_bytes(data[at + 2 : at + 4], 'big')}"
        return data.split()[1].decode() if data.startswith(b"HTTP/") else "closed"


class Refused(Exception):
    pass


async def half_open(connection):
    return await connection.ending()


async def slow_head(connection):
    for byte in b"GET /v2/iex HTTP/1.1\r\nHost: x\r\n" * 4:
        await connection.send(bytes([byte]))
        try:
            return await asyncio.wait_for(connection.ending(), 1)
        except asyncio.TimeoutError:
            pass
    return "still open"


async def one_byte_a_second(connection):
    await connection.upgrade()
    for byte in frame(1, b'{"action":"subscribe","trades":["AAPL"]}')[:20]:
        await connection.send(bytes([byte]))
        await asyncio.sleep(1)
    return "closed by us"


async def flood(connection, data, times=20_000):
    await connection.upgrade()
    ending = asyncio.ensure_future(connection.ending())
    for _ in range(times):
        if ending.done():
            break
        await connection.send(data)
        await asyncio.sleep(0)
    return await ending


async def pings(connection):
    return await flood(connection, frame(9, b"are you there") * 10)


async def commands(connection):
    return await flood(connection, frame(1, b'{"action":"subscribe","trades":["AAPL"]}') * 10)


async def reconnects(connection):
    await connection.upgrade()
    return "closed by us"


async def giant_head(connection):
    await connection.send(b"GET /v2/iex HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n")
    return await connection.ending()


async def ten_thousand_symbols(connection):
    await connection.upgrade()
    names = ",".join(f'"S{number}"' for number in range(10_000))
    await connection.send(frame(1, f'{{"action":"subscribe","trades":[{names}],"quotes":[{names}]}}'.encode()))
    await asyncio.wait_for(connection.reader.read(1 << 16), 10)
    return "answered"


async def invalid_frames(connection):
    codec = random.choice(["", "?codec=msgpack"])
    await connection.upgrade(codec)
    await connection.send(
        random.choice(
            [
                frame(1, b"\xff\xfe\xfd"),
                frame(1, b"{" * 1000),
                frame(2, os.urandom(300)),
                frame(1, b"rsv", rsv=4),
                frame(1, b"unmasked", masked=False),
                frame(11, b"reserved"),
                b"\x81\xff" + (1 << 40).to_bytes(8, "big") + MASK,
                frame(9, b"x" * 126),
            ]
        )
    )
    await connection.send(frame(8, (1000).to_bytes(2, "big")))
    return await connection.ending()


async def bomb(connection):
    await connection.upgrade(extra="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeeze.compress(bytes(32 << 20)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    await connection.send(frame(1, data[:-4], rsv=4))
    return await connection.ending()


async def never_reads(connection):
    await connection.upgrade()
    await connection.send(frame(1, b'{"action":"subscribe","trades":["*"],"quotes":["*"]}'))
    connection.reader._transport.pause_reading()
    await asyncio.sleep(35)
    connection.reader._transport.resume_reading()
    return await connection.ending(5)


KINDS = {
    half_open: 20,
    slow_head: 20,
    one_byte_a_second: 20,
    pings: 4,
    commands: 4,
    reconnects: 8,
    giant_head: 4,
    ten_thousand_symbols: 4,
    invalid_frames: 8,
    bomb: 2,
    never_reads: 10,
}


async def repeat(kind, port, number, until):
    while time.monotonic() < until:
        try:
            async with Connection(port, number) as connection:
                outcome = await asyncio.wait_for(kind(connection), max(until - time.monotonic(), 0.1))
        except Refused as refused:
            outcome = str(refused)
            await asyncio.sleep(0.05)
        except asyncio.TimeoutError:
            outcome = "end of the run"
        except (OSError, asyncio.IncompleteReadError) as error:
            outcome = type(error).__name__
            await asyncio.sleep(0.05)
        outcomes[kind.__name__, outcome] += 1


async def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2] if len(sys.argv) > 2 else 60)
    until = time.monotonic() + min(seconds, 600)
    kinds = enumerate(KINDS.items(), start=1)
    await asyncio.gather(
        *(repeat(kind, port, number, until) for number, (kind, count) in kinds for _ in range(count))
    )
    for (kind, outcome), count in sorted(outcomes.items()):
        print(f"{kind:24}{outcome:24}{count:8}")


asyncio.run(main())
