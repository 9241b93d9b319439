"""Hostile clients. Each repeats one attack from a loopback address of its own, so that limits per address apply to it alone."""

import asyncio
import base64
import functools
import ipaddress
import json
import os
import random
import re
import socket
import urllib.request
import zlib

HERE = ipaddress.ip_address("127.0.0.1")
MASK = b"\x37\xfa\x21\x3d"


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

    def pause_reading(self):
        """Takes nothing any more: the kernel's buffers fill, then the server has to keep the rest."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.writer.transport.pause_reading()

    async def __aexit__(self, *_):
        self.writer.close()

    async def send(self, data):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), 5)

    async def command(self, **command):
        await self.send(frame(1, json.dumps(command, separators=(",", ":")).encode()))

    async def upgrade(self, query="", extra="", path="/v2/iex"):
        key = base64.b64encode(os.urandom(16)).decode()
        await self.send(
            f"GET {path}{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: Upgrade\r\n"
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


async def publish_flood(connection):
    """A thousand messages a second for a chat room that takes one of each session."""
    await connection.upgrade()
    await connection.send(frame(1, b'{"action":"subscribe","topics":["chat:lobby"]}'))
    message = frame(1, b'{"action":"publish","topic":"chat:lobby","data":{"text":"hi"}}')
    sender = asyncio.create_task(reads(connection, 12))
    for _ in range(1_200):
        await connection.send(message * 10)
        await asyncio.sleep(0.01)
    return await sender


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


async def long_commands_and_leave(connection):
    """Sends a command of 160 KB and leaves before it is executed, each time from an address of its own."""
    async with Connection(connection.port, random.randrange(1_000, 30_000)) as other:
        return await ten_thousand_symbols(other)


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
    connection.pause_reading()
    await asyncio.sleep(35)
    connection.writer.transport.resume_reading()
    return await connection.ending(5)


CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "tickers")
EVERYTHING = {channel: ["*"] for channel in CHANNELS}
FAMOUS = "AAPL MSFT NVDA AMZN GOOGL META TSLA BRK.B JPM V XOM UNH JNJ PG MA HD CVX MRK ABBV KO".split()


async def reads(connection, seconds=30):
    """Takes all that comes for a while."""
    try:
        await asyncio.wait_for(connection.ending(seconds + 1), seconds)
    except asyncio.TimeoutError:
        pass


async def silent_tls(connection):
    """Opens a connection to the TLS port and never begins the handshake."""
    return await connection.ending()


async def resumes_without_reading(connection):
    """Asks for all that the archive holds, and takes nothing."""
    await connection.upgrade()
    connection.pause_reading()
    sq = {channel: dict.fromkeys(FAMOUS, 0) for channel in ("trades", "quotes", "bars")}
    epoch = epoch_of(connection.port)
    names = {channel: FAMOUS for channel in sq}
    await connection.command(action="subscribe", **names, x={"id": 1, "resume": {"epoch": epoch, "sq": sq}})
    await asyncio.sleep(30)
    return "closed by us"


async def snapshots_without_reading(connection):
    """Asks for a snapshot of the whole market, and takes nothing."""
    await connection.upgrade()
    connection.pause_reading()
    await connection.command(action="subscribe", **EVERYTHING, x={"snapshot": True})
    await asyncio.sleep(30)
    return "closed by us"


async def snapshot_flood(connection):
    """Asks for a snapshot of the whole market, and again, as fast as the connection takes it."""
    command = json.dumps({"action": "subscribe", **EVERYTHING, "x": {"snapshot": True}}).encode()
    return await flood(connection, frame(1, command), 2_000)


async def acknowledgement_flood(connection):
    """Holds 30,000 names, and has them repeated by commands of 24 bytes."""
    await connection.upgrade()
    names = [f"S{number:023}" for number in range(10_000)]
    ending = asyncio.ensure_future(connection.ending())
    await connection.command(action="subscribe", quotes=names, bars=names, statuses=names)
    for _ in range(2_000):
        if ending.done():
            break
        await connection.command(action="subscribe")
        await asyncio.sleep(0)
    return await ending


async def resume_of_all(connection):
    """Resumes 30,000 streams, as an honest client of the whole market does after a restart."""
    await connection.upgrade()
    names = market(connection.port)
    channels = ("trades", "quotes", "bars")
    sq = {channel: dict.fromkeys(names, 1) for channel in channels}
    epoch = epoch_of(connection.port)
    await connection.command(
        action="subscribe", **dict.fromkeys(channels, names), x={"resume": {"epoch": epoch, "sq": sq}}
    )
    await reads(connection, 5)
    return "closed by us"


async def pace_toggles(connection):
    """Changes its interval 900 times in one write, watching everything."""
    await connection.upgrade()
    await connection.command(action="subscribe", **EVERYTHING)
    toggles = (json.dumps({"action": "subscribe", "x": {"conflate_ms": pace}}).encode() for pace in [0, 60_000] * 450)
    await connection.send(b"".join(frame(1, toggle) for toggle in toggles))
    await reads(connection, 10)
    return "closed by us"


async def fastest_pace(connection):
    """Watches everything at an interval of 1 ms."""
    await connection.upgrade()
    await connection.command(action="subscribe", **EVERYTHING, x={"conflate_ms": 1})
    await reads(connection)
    return "closed by us"


async def long_commands(connection):
    """Subscribes to names that exist nowhere, in a message close to the limit."""
    await connection.upgrade()
    names = [f"T{number:06}" for number in range(80_000)]
    await connection.command(action="subscribe", trades=names)
    return await connection.ending()


async def empty_continuations(connection):
    """Begins a message, and continues it with frames that hold nothing."""
    await connection.upgrade()
    ending = asyncio.ensure_future(connection.ending())
    await connection.send(frame(1, b"x", fin=False))
    many = frame(0, fin=False) * 10_000
    while not ending.done():
        await connection.send(many)
        await asyncio.sleep(0)
    return await ending


def squeezed(length, end=True):
    """A frame of zeros, some thousand times smaller than they are."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compress.compress(bytes(length)) + compress.flush(zlib.Z_SYNC_FLUSH)
    return frame(2, data[:-4] if end else data, fin=end, rsv=4)


async def echo_inflation(connection):
    """Has 16 MiB inflated from 16 KB, again and again."""
    await connection.upgrade(path="/echo", extra="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    ending = asyncio.ensure_future(connection.ending())
    data = squeezed(16 << 20)
    while not ending.done():
        await connection.send(data)
        await asyncio.sleep(0)
    return await ending


async def echo_unfinished(connection):
    """Sends all of a message of 16 MiB but its end."""
    await connection.upgrade(path="/echo", extra="Sec-WebSocket-Extensions: permessage-deflate\r\n")
    await connection.send(squeezed((16 << 20) - 1, end=False))
    return await connection.ending()


async def slow_page(connection):
    """Requests the page's largest file, and takes next to nothing of it."""
    connection.pause_reading()
    path = largest_asset(connection.port)
    await connection.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{connection.port}\r\n\r\n".encode())
    await asyncio.sleep(30)
    return "closed by us"


async def slow_rest(connection):
    """Requests pages of 10,000 quotes, and takes next to nothing of them."""
    connection.pause_reading()
    request = f"GET /v2/stocks/quotes?symbols={','.join(FAMOUS)}&limit=10000 HTTP/1.1\r\nHost: 127.0.0.1:{connection.port}\r\n\r\n"
    await connection.send(request.encode())
    await asyncio.sleep(30)
    return "closed by us"


async def asset_list(connection):
    """Requests the list of all instruments, again and again."""
    request = f"GET /v2/assets HTTP/1.1\r\nHost: 127.0.0.1:{connection.port}\r\n\r\n".encode()
    ending = asyncio.ensure_future(connection.ending())
    for _ in range(200):
        if ending.done():
            break
        await connection.send(request)
        await asyncio.sleep(0.01)
    return await ending


def fetch(port, path):
    with urllib.request.urlopen(f"http://{HERE}:{port}{path}", timeout=30) as answer:
        return answer.read()


@functools.cache
def market(port):
    """All symbols of the server's market."""
    return [asset["symbol"] for asset in json.loads(fetch(port, "/v2/assets"))][:10_000]


@functools.cache
def largest_asset(port):
    paths = set(re.findall(r"""["'](/?\.?/?assets/[^"']+)["']""", fetch(port, "/").decode()))
    return max(("/" + path.lstrip("./") for path in paths), key=lambda path: len(fetch(port, path)))


@functools.cache
def epoch_of(port):
    """The epoch of the server's sequence numbers."""
    connection = socket.create_connection((str(HERE), port), timeout=10)
    with connection:
        connection.sendall(
            f"GET /v2/iex HTTP/1.1\r\nHost: {HERE}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            + frame(1, b'{"action":"subscribe","x":{"id":1}}')
        )
        data = b""
        while not (found := re.search(rb'"epoch":"([^"]+)"', data)):
            more = connection.recv(1 << 16)
            if not more:
                raise OSError("no epoch")
            data += more
    return found[1].decode()


# How many of each at once. The first list needs nothing of the server but the default market.
KINDS = {
    half_open: 20,
    slow_head: 20,
    one_byte_a_second: 20,
    pings: 4,
    commands: 4,
    publish_flood: 1,
    reconnects: 8,
    giant_head: 4,
    ten_thousand_symbols: 4,
    long_commands_and_leave: 4,
    invalid_frames: 8,
    bomb: 2,
    never_reads: 10,
    silent_tls: 300,
    resumes_without_reading: 60,
    snapshots_without_reading: 40,
    snapshot_flood: 1,
    acknowledgement_flood: 1,
    resume_of_all: 1,
    pace_toggles: 1,
    fastest_pace: 2,
    long_commands: 4,
    empty_continuations: 1,
    echo_inflation: 1,
    echo_unfinished: 10,
    slow_page: 100,
    slow_rest: 40,
    asset_list: 2,
}
