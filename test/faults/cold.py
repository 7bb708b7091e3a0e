# SPDX-License-Identifier: MIT
"""
A thousand clients at once on one URL that is not stored: the origin is asked once, and everyone gets the whole body. The origin
keeps its head back until all of them have asked, and then gives the body in two pieces, so that some wait for the head
and others read what grows.

    cold.py BINARY
"""

import asyncio
import re
import resource
import sys

import proxy as stet
from client import read_answer

CLIENTS = 1000
BODY = bytes(range(256)) * 1000  # larger than a socket takes
HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: \"cold\"\r\n"


class Origin:
    def __init__(self, chunked):
        self.chunked, self.requests, self.all_have_asked = chunked, 0, asyncio.Event()

    async def connection(self, reader, writer):
        while (head := await reader.readuntil(b"\r\n\r\n")) and head.startswith(b"GET /cold "):
            self.requests += 1
            await self.all_have_asked.wait()
            if self.chunked:
                writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (1000, BODY[:1000]))
                await writer.drain()
                writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 1000, BODY[1000:]))
            else:
                writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:1000])
                await writer.drain()
                writer.write(BODY[1000:])
            await writer.drain()

    async def serve(self, reader, writer):
        try:
            await self.connection(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            writer.close()


async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(b"GET /cold HTTP/1.1\r\nHost: a\r\n\r\n")
    return reader, writer


def in_flight(running):
    """How many connections of clients it has."""
    return sum("socket:" in target for target in running.links().values())


async def play(tap, workers, chunked):
    origin = Origin(chunked)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0, backlog=2000)
    with stet.running(sys.argv[1], [server.sockets[0].getsockname()[1]], "--workers", str(workers)) as running:
        before = in_flight(running)
        clients = await asyncio.gather(*(ask(running.port) for _ in range(CLIENTS)))
        await asyncio.to_thread(stet.eventually, lambda: in_flight(running), lambda now: now >= before + CLIENTS + 1)
        origin.all_have_asked.set()
        answers = await asyncio.gather(*(read_answer(reader, "GET") for reader, _ in clients))
        what = f"{CLIENTS} clients, {workers} workers, {'chunked' if chunked else 'with a length'}"
        tap.same(f"{what}: one request to the origin", origin.requests, 1)
        whole = sum(answer is not None and answer.complete and answer.body == BODY for answer in answers)
        tap.same(f"{what}: each has the whole body", whole, CLIENTS)
        told = sum(bool(re.search("stet;.*(hit|collapsed|fwd=)", answer.get("cache-status") or "")) for answer in answers if answer)
        tap.same(f"{what}: each is told how", told, CLIENTS)
        for _, writer in clients:
            writer.close()
        tap.same(f"{what}: nobody is left", await asyncio.to_thread(stet.eventually, lambda: in_flight(running),
                                                                    lambda now: now <= before + 1) <= before + 1, True)
        tap.same(f"{what}: it ends in order", await asyncio.to_thread(running.stop), "")


async def main():
    tap = stet.Tap()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    for workers in (1, 4):
        for chunked in (False, True):
            await play(tap, workers, chunked)
    tap.finish()


asyncio.run(main())
