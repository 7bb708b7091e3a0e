# SPDX-License-Identifier: MIT
"""
Mixed load with faults on both sides: an origin that misbehaves (origin.py), clients that do, purges in between, and every
answer judged (judge.py). Afterwards the proxy has to be as it was before: descriptors, memory, nothing stored after a purge, and
an end without complaint.

    load.py BINARY [--seconds N] [--seed N] [--workers N] [--clients N] [--misdeeds PERCENT]

`make faults` runs it for long, with sanitizers. The seed (or FAULTS_SEED) decides what is asked and answered, not in which order that comes about.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import socket
import struct
import time

import proxy as stet
import world
from client import Wrong, read_answer
from judge import Asked, Judge
from origin import Origin

HANG_S = 45  # an answer or a close comes within; a client may ask for eleven
READ_LIMIT = 1 << 18
MIB = 1 << 20
MEMORY = 6 * MIB
SLACK = 24 * MIB  # for what malloc keeps
OPTIONS = ["--memory", str(MEMORY), "--max-object", "256K", "--etag-limit", "64K", "--answer-timeout", "1", "--read-timeout", "1",
           "--connect-timeout", "2", "--keep-timeout", "2", "--head-timeout", "2", "--body-timeout", "2", "--idle-timeout", "3",
           "--send-timeout", "3", "--stop-timeout", "3", "--health-fall", "1000", "--max-body-bytes", "300K"]
GARBAGE = [b"GET / HTTP/1.1\r\n\r\n", b"\0\1\2\3\r\n\r\n", b"GET /r/1 HTTP/3.0\r\nHost: x\r\n\r\n", b"GET /r/1 HTTP/1.1\nHost: x\n\n",
           b"GET /r/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           b"POST /p/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
           b"POST /p/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcdX",
           b"POST /p/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 4\r\n\r\nabcd",
           b"POST /p/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
           b"GET /r/1 HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40000 + b"\r\n\r\n", b"GET /r/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
           b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", b"GET /" + b"y" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
           b"GET /r/1 HTTP/1.1\r\nHost: x", b"GET /r/1 HTTP/1.1 \r\nHost : x\r\n\r\n"]


class Load:
    def __init__(self, running, seed, clients, misdeeds):
        self.running, self.clients = running, clients
        self.chance = random.Random(seed)
        self.origin = Origin(random.Random(f"origin {seed}"), misdeeds, self.failed)
        self.judge = Judge(self.origin)
        self.until = 0.0
        self.operations = 0
        self.fresh = 1000

    def failed(self, why):
        self.judge.failed(why)

    # What is asked

    def number(self):
        draw = self.chance.random()
        if draw < 0.6:
            return self.chance.randrange(24)
        if draw < 0.97:
            return self.chance.randrange(24, 400)
        self.fresh += 1
        return self.fresh

    def asked(self):
        chance = self.chance
        method = chance.choices(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"], [78, 8, 10, 1, 2, 1])[0]
        posts = method == "POST" and chance.random() < 0.8
        asked = Asked(method, f"/p/{chance.randrange(9)}" if posts else f"/r/{self.number()}",
                      chance.choice([world.NOBODY, *world.USERS]))
        asked.language = chance.choice(world.LANGUAGES)
        asked.minor = 0 if chance.random() < 0.03 else 1
        asked.fields = [("Host", "example.org"), ("Accept-Language", asked.language)]
        if asked.user != world.NOBODY:
            asked.fields.append(("Cookie", f"user={asked.user}"))
            if chance.random() < 0.3 or asked.path.startswith("/r/") and world.resource(int(asked.path[3:])).own == "authorization":
                asked.fields.append(("Authorization", f"Bearer {asked.user}"))
        if method in ("GET", "HEAD"):
            self.add_conditions(asked)
        elif method in ("POST", "PUT"):
            self.add_body(asked)
        return asked

    def add_conditions(self, asked):
        chance, known = self.chance, sorted(self.judge.tags.get(asked.path, ()))
        draw = chance.random()
        if draw < 0.3:
            asked.tags = chance.sample(known, min(len(known), chance.randrange(1, 5))) + ['"never"'] * chance.randrange(2)
            asked.tags = ["*"] if chance.random() < 0.05 else asked.tags or ['"nothing"']
            asked.fields.append(("If-None-Match", ", ".join(asked.tags)))
        elif draw < 0.4 and asked.path in self.judge.dates:
            asked.since = True
            asked.fields.append(("If-Modified-Since", self.judge.dates[asked.path]))
        elif draw < 0.43:
            asked.if_match = True
            asked.fields.append(("If-Match", known[0] if known else '"x"'))
        if chance.random() < 0.12 and asked.method == "GET":
            first = chance.choice([0, 0, 10, 500, 9000])
            last = chance.choice(["", first + 99, first + 4999])
            asked.range = chance.choice([f"bytes={first}-{last}", f"bytes={first}-{last}", "bytes=-50", "bytes=0-4,100-199"])
            asked.fields.append(("Range", asked.range))
            if known and chance.random() < 0.3:
                asked.fields.append(("If-Range", known[-1]))
        if chance.random() < 0.1:
            asked.fields.append(("Cache-Control", chance.choice(["no-cache", "max-age=0", "no-store", "only-if-cached", "max-stale",
                                                                 "max-stale=5", "min-fresh=1", "max-age=1"])))

    def add_body(self, asked):
        chance = self.chance
        size = chance.choices([0, 10, 3000, 70000, 250000, 400000], [10, 40, 30, 14, 4, 2])[0]
        asked.body = (world.HOSTILE * (size // len(world.HOSTILE) + 1))[:size]
        asked.chunked = chance.random() < 0.3 and asked.minor == 1
        asked.expect = size > 0 and chance.random() < 0.2 and asked.minor == 1
        asked.fields += [("Body-Sum", world.digest(asked.body))] + ([("Expect", "100-continue")] if asked.expect else [])
        asked.fields.append(("Transfer-Encoding", "chunked") if asked.chunked else ("Content-Length", str(size)))

    @staticmethod
    def head(asked):
        asked.sent_s = time.monotonic()
        return (f"{asked.method} {asked.path} HTTP/1.{asked.minor}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in asked.fields)
                + "\r\n").encode()

    @staticmethod
    def body(asked):
        if not asked.chunked or not asked.body:
            return b"0\r\n\r\n" if asked.chunked else asked.body or b""
        half = len(asked.body) // 2 + 1
        pieces = [asked.body[:half], asked.body[half:]]
        return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\nA: b\r\n\r\n"

    # How it is asked

    @contextlib.asynccontextmanager
    async def connection(self, slow=False):
        to = socket.socket()
        to.setblocking(False)
        if slow:
            to.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(to, ("127.0.0.1", self.running.port))
        reader, writer = await asyncio.open_connection(sock=to, limit=8192 if slow else READ_LIMIT)
        try:
            yield reader, writer
        finally:
            if self.chance.random() < 0.3:
                with contextlib.suppress(OSError):  # closed already
                    to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            writer.close()

    async def exchange(self, reader, writer, asked):
        """True if the connection goes on."""
        self.operations += 1
        writer.write(self.head(asked))
        writing = None

        def go_on():
            if not waiting.done():
                waiting.set_result(None)

        waiting = asyncio.get_running_loop().create_future()

        async def send_body():
            if asked.expect:
                await asyncio.wait([waiting], timeout=0.5)
            with contextlib.suppress(ConnectionError):
                writer.write(self.body(asked))
                await writer.drain()

        if asked.body is not None:
            writing = asyncio.ensure_future(send_body())
        try:
            answer = await read_answer(reader, asked.method, go_on)
        except ConnectionError:
            answer = None
        go_on()
        if writing:
            await writing
        self.judge.judge(asked, answer)
        return answer is not None and answer.complete and asked.minor == 1 and "close" not in (answer.get("connection") or "")

    @staticmethod
    async def patiently(asked, answer):
        try:
            return await asyncio.wait_for(answer, HANG_S)
        except asyncio.TimeoutError:
            raise Wrong(f"neither answer nor close within {HANG_S} s: {asked.method} {asked.path} {asked.fields}") from None

    async def in_turn(self):
        async with self.connection() as (reader, writer):
            for _ in range(self.chance.randrange(1, 12)):
                if not await self.patiently(asked := self.asked(), self.exchange(reader, writer, asked)):
                    return

    async def pipelined(self):
        batch = [one for one in (self.asked() for _ in range(self.chance.randrange(2, 12))) if one.minor == 1 and not one.expect]
        async with self.connection() as (reader, writer):
            writer.write(b"".join(self.head(asked) + self.body(asked) for asked in batch))
            for asked in batch:
                self.operations += 1
                answer = await self.patiently(asked, read_answer(reader, asked.method))
                self.judge.judge(asked, answer)
                if answer is None or not answer.complete or "close" in (answer.get("connection") or ""):
                    return

    async def aborted(self):
        asked = self.asked()
        octets = self.head(asked) + self.body(asked)
        self.operations += 1
        self.judge.count("aborted")
        async with self.connection() as (reader, writer):
            writer.write(octets[:self.chance.randrange(1, len(octets) + 1)])
            if self.chance.random() < 0.6:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.read(self.chance.choice([1, 200, 5000])), self.chance.random() * 0.2)

    async def half_closed(self):
        asked = self.asked()
        asked.expect = False
        asked.fields = [field for field in asked.fields if field[0] != "Expect"]
        self.operations += 1
        async with self.connection() as (reader, writer):
            writer.write(self.head(asked) + self.body(asked))
            writer.write_eof()
            self.judge.judge(asked, await read_answer(reader, asked.method))

    async def octet_by_octet(self):
        asked = self.asked()
        if asked.body:
            return
        self.operations += 1
        async with self.connection() as (reader, writer):
            octets = self.head(asked) + self.body(asked)
            for at in range(len(octets)):
                writer.write(octets[at:at + 1])
                await asyncio.sleep(0)
            self.judge.judge(asked, await read_answer(reader, asked.method))

    async def slow(self):
        asked = self.asked()
        if asked.body:
            return
        self.operations += 1
        async with self.connection(slow=True) as (reader, writer):
            writer.write(self.head(asked) + self.body(asked))
            await asyncio.sleep(self.chance.choice([0.1, 1, 4]))
            self.judge.judge(asked, await read_answer(reader, asked.method))

    async def garbage(self):
        self.operations += 1
        self.judge.count("garbage")
        octets = self.chance.choice(GARBAGE + [self.chance.randbytes(300)])
        async with self.connection() as (reader, writer):
            writer.write(octets)
            if self.chance.random() < 0.5:
                writer.write_eof()
            while await reader.read(65536):  # something, and then the end
                pass

    async def purge(self):
        what = self.chance.choice([f'"type": "uri", "selectors": ["http://example.org/r/{self.number()}"]',
                                   '"type": "group", "selectors": ["red"]', '"type": "uri-prefix", "selectors": ["http://example.org/r/1"]',
                                   '"type": "all"'])
        hard = self.chance.choice(["true", "false"])
        body = ('{' + what + ', "purge": ' + hard + '}').encode()
        self.judge.count("purges")
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.admin_port)
        writer.write(b"POST /purge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200 "):
            self.failed(f"a purge of {body!r} got {answer[:300]!r}")

    async def client(self):
        ways = [self.in_turn, self.pipelined, self.aborted, self.half_closed, self.octet_by_octet, self.slow, self.garbage, self.purge]
        while time.monotonic() < self.until and self.running.process.poll() is None:
            way = self.chance.choices(ways, [50, 20, 12, 5, 3, 4, 4, 1])[0]
            try:
                await asyncio.wait_for(way(), None if way in (self.in_turn, self.pipelined) else HANG_S)
            except asyncio.TimeoutError:
                self.failed(f"neither answer nor close within {HANG_S} s: {way.__name__}")
            except Wrong as wrong:
                self.failed(f"{way.__name__}: {wrong}")
            except (ConnectionError, asyncio.IncompleteReadError):
                self.judge.count("closed")

    async def run(self, seconds):
        self.until = time.monotonic() + seconds
        await asyncio.gather(*(self.client() for _ in range(self.clients)))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FAULTS_SEED", random.SystemRandom().randrange(10 ** 9))))
    parser.add_argument("--workers", default="2")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--misdeeds", type=int, default=25)
    return parser.parse_args()


def judge_rest(tap, running, before):
    """What the proxy has after all clients are gone, next to what it had `before` they came."""
    running.purge_all()
    emptied = stet.eventually(running.store, lambda store: store["objects"] == 0 and store["bytes"] < MEMORY // 50)
    tap.same("after a purge of all only tables are stored", (emptied["objects"], emptied["bytes"] < MEMORY // 50), (0, True))
    tap.same("as many descriptors as before", stet.eventually(running.descriptors, lambda now: now <= before[0]) <= before[0], True)
    tap.same("no memory files", stet.eventually(running.memory_files, lambda files: not files), [])
    if not running.sanitized:  # those keep what is freed; they tell of leaks at the end
        grown = running.memory() - before[1]
        print(f"# memory grew by {grown // 1024} KiB")
        tap.same(f"memory is within {SLACK // MIB} MiB of what it was", grown < SLACK, True)


async def play(options, tap):
    load = Load(None, options.seed, options.clients, options.misdeeds / 100)
    ports = [await load.origin.listen(), await load.origin.listen()]
    with stet.running(options.binary, ports, "--workers", options.workers, *OPTIONS) as running:
        load.running = running
        before = (running.descriptors(), running.memory())
        await load.run(options.seconds)
        print(f"# {load.operations} operations, {load.origin.requests} at the origin")
        print(f"# answers: {dict(sorted(load.judge.counts.items(), key=str))}")
        print(f"# misdeeds: {dict(sorted(load.origin.done.items()))}")
        for finding in load.judge.findings:
            print("# " + finding.replace("\n", "\n#   "))
        tap.same("every answer is one that may be", len(load.judge.findings), 0)
        missing = [what for what in (200, 304, 206, 502, 504, "hit", "cut", "strict") if what not in load.judge.counts]
        tap.same("the load had something of everything", missing, [])
        if running.process.poll() is None:
            await asyncio.to_thread(judge_rest, tap, running, before)
        tap.same("it ends in order", await asyncio.to_thread(running.stop), "")


def main():
    options, tap = arguments(), stet.Tap()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of writing to who has gone
    print(f"# seed {options.seed}, {options.workers} workers, {options.clients} clients")
    asyncio.run(play(options, tap))
    tap.finish()


main()
