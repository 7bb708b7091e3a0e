# SPDX-License-Identifier: MIT
"""
Twenty thousand URLs through a store of 16 MiB: five times more than it can hold, once each, and now and then some that are
asked for again and again. What the store counts and what the process takes of the machine stay within the budget, and those
that are asked for again are still there. Every other one is a text, for which clients accept gzip: its coded copy counts, too.

    budget.py BINARY
"""

import asyncio
import re
import sys
import zlib

import proxy as stet
from client import read_answer

URLS = 20_000
MIB = 1 << 20
MEMORY = 16 * MIB
COUNTED_AFTER = 64 << 10  # a table that grows and an index entry are counted first and made room for then (src/store/shard.h)
SLACK = 16 * MIB  # connections, threads, coders at work, and what malloc keeps
HOT = [f"/hot/{number}" for number in range(50)]
HOT_EVERY = 20  # requests
CONNECTIONS, BATCH = 8, 20


def size_of(number):
    return 120_000 if number % 100 == 0 else 500 + number * 37 % 6000


class Origin(asyncio.Protocol):
    """As fast as it can be here: many answers for one read."""

    requests = 0

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        *heads, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for head in heads:
            Origin.requests += 1
            number = int(re.match(rb"GET /\w+/(\d+) ", head).group(1))
            body = b"%d\n" % number * size_of(number)
            self.transport.write(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nETag: \"%d\"\r\nContent-Type: %s\r\n"
                                 b"Content-Length: %d\r\n\r\n"
                                 % (number, b"text/plain" if number % 2 else b"image/png", size_of(number)) + body[:size_of(number)])


class Watch:
    """The largest values of a run."""

    def __init__(self, running):
        self.running, self.before, self.grown, self.bytes, self.objects = running, running.memory(), 0, 0, 0

    def look(self):
        store = self.running.store()
        self.grown = max(self.grown, self.running.memory() - self.before)
        self.bytes, self.objects = max(self.bytes, store["bytes"]), max(self.objects, store["objects"])


class Client:
    def __init__(self, watch):
        self.watch, self.wrong, self.cold = watch, 0, iter([f"/cold/{number}" for number in range(URLS)])
        self.asked, self.hot_asked, self.hot_hits, self.last = 0, 0, 0, {}
        self.coded, self.kept = 0, 0

    def batch(self):
        paths = []
        for path in self.cold:
            paths.append(path)
            self.asked += 1
            if self.asked % HOT_EVERY == 0:
                paths.append(HOT[self.asked // HOT_EVERY % len(HOT)])
            if len(paths) >= BATCH:
                break
        return paths

    async def run(self, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MIB)
        while paths := self.batch():
            writer.write(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n".encode() for path in paths))
            for path in paths:
                self.judge(path, await read_answer(reader, "GET"))
            if self.asked % 2000 < BATCH:
                await asyncio.to_thread(self.watch.look)
        writer.close()

    def judge(self, path, answer):
        number = int(path.rsplit("/", 1)[1])
        body = answer.body
        if coded := answer.get("content-encoding") == "gzip":
            body = zlib.decompress(body, 31)
        self.coded += coded
        self.kept += coded and answer.get("content-length") is not None
        self.wrong += not answer.complete or len(body) != size_of(number) or not body.startswith(b"%d\n" % number)
        if path in HOT:
            hit = ";hit" in answer.get("cache-status")
            self.hot_asked, self.hot_hits = self.hot_asked + 1, self.hot_hits + hit
            self.last[path] = hit


async def main():
    tap = stet.Tap()
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1]]
    with stet.running(sys.argv[1], ports, "--memory", "16M", "--workers", "2") as running:
        watch = Watch(running)
        client = Client(watch)
        await asyncio.gather(*(client.run(running.port) for _ in range(CONNECTIONS)))
        await asyncio.to_thread(watch.look)
        store = await asyncio.to_thread(running.store)
        print(f"# {Origin.requests} requests to the origin; {store}")
        print(f"# at most {watch.bytes} octets counted in {watch.objects} objects, {watch.grown} more in memory than before")
        print(f"# of {client.hot_asked} requests for hot URLs {client.hot_hits} hit; {client.coded} answers in gzip, {client.kept} of them from copies")
        tap.same("every body is the right one", (client.asked, client.wrong), (URLS, 0))
        tap.same("the store counts no more than its budget", watch.bytes <= MEMORY + COUNTED_AFTER, True)
        tap.same("and uses it", watch.bytes > MEMORY * 3 // 4, True)
        tap.same("coded copies are made and sent", client.kept > 0, True)
        if not running.sanitized:
            tap.same(f"the process has grown by its budget and {SLACK // MIB} MiB at most", watch.grown <= MEMORY + SLACK, True)
        tap.same("what is asked for again is there in the end", sum(client.last.values()) >= len(HOT) * 9 // 10, True)
        tap.same("and was there four times in five", client.hot_hits * 5 >= client.hot_asked * 4, True)
        tap.same("after a purge of all only its tables are counted", await asyncio.to_thread(purged, running), (0, True))
        tap.same("it ends in order", await asyncio.to_thread(running.stop), "")
    tap.finish()


def purged(running):
    running.purge_all()
    store = running.store()
    return store["objects"], store["bytes"] < MEMORY // 50


asyncio.run(main())
