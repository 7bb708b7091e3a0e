# SPDX-License-Identifier: MIT
"""
The origin of the load: answers of every kind, and misdeeds. It also judges what it is asked: a request that no client meant,
or a body that is whole here but not what its sender summed up, is a finding.
"""

import asyncio
import email.utils
import re
import struct
import socket
import time

import world

PIECE = 16384
HANG_S = 4.0  # longer than the proxy waits
MISDEEDS = ["kill", "kill-quietly", "mute", "stall", "reset", "garbage", "head-too-large", "too-short", "surplus", "second-answer",
            "bad-chunk", "interims", "flood", "drip", "close", "unasked-304", "wrong-304", "unasked-206", "wrong-206", "false-206",
            "500", "503", "two-lengths", "length-and-chunked", "bad-length", "no-http", "nul", "folded", "octets", "early",
            "unasked-101", "truncated-head", "chunk-too-large", "coding", "204-with-body", "trailers-without-end"]
# Of these a whole answer is made, whatever was asked.
INSTEAD = {"too-short", "bad-chunk", "chunk-too-large", "trailers-without-end", "two-lengths", "length-and-chunked", "coding",
           "bad-length", "nul", "folded", "204-with-body", "unasked-101"}


def date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


class Hangup(Exception):
    """The connection ends here, on purpose."""


class Request:
    def __init__(self, method, target, fields, body):
        self.method, self.target, self.fields, self.body = method, target, fields, body


class Origin:
    """`misdeeds` is the share of requests that are answered badly; `failed(why)` is told what must not happen."""

    def __init__(self, chance, misdeeds, failed):
        self.chance, self.misdeeds, self.failed = chance, misdeeds, failed
        self.began = time.monotonic()
        self.requests = 0
        self.done = {}  # misdeed: times
        self.confirmed = {}  # Is as text: when the origin last said that it is so
        self.any_confirmed = {}  # path: when it said so without naming a version
        self.servers = []

    async def listen(self):
        """Returns the port."""
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0, limit=1 << 20, backlog=1024)
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    def now_s(self):
        return time.monotonic() - self.began

    async def connection(self, reader, writer):
        try:
            while True:
                request = await self.read(reader, writer)
                if not request:
                    break
                self.requests += 1
                await self.answer(request, writer)
        except (Hangup, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the last of them: the test is over
        finally:
            writer.close()

    async def read(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")[:-2]
        match = re.fullmatch(r"([A-Z]+) (/[rp]/\d+) HTTP/1\.1", start)
        if not match:
            self.failed(f"the origin was asked {start!r}, which no client meant")
            return None
        fields = {}
        for line in lines:
            name, value = line.split(":", 1)
            fields.setdefault(name.lower(), []).append(value.strip())
        fields = {name: ", ".join(values) for name, values in fields.items()}
        if "expect" in fields and self.chance.random() < 0.7:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        early = self.misdeeds > 0 and ("content-length" in fields or "transfer-encoding" in fields) and self.chance.random() < 0.1
        if early:
            await self.early(writer)
        return Request(match.group(1), match.group(2), fields, await self.body(fields, reader))

    async def early(self, writer):
        """The final answer before the body has come; the rest is read or not."""
        self.count("early")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        if self.chance.random() < 0.5:
            await asyncio.sleep(0.05)
        raise Hangup

    async def body(self, fields, reader):
        if "transfer-encoding" in fields:
            octets = b""
            while True:
                size = int(await reader.readuntil(b"\r\n"), 16)
                octets += (await reader.readexactly(size + 2))[:size]
                if size == 0:
                    break
        else:
            octets = await reader.readexactly(int(fields.get("content-length", 0)))
        if fields.get("body-sum", world.digest(octets)) != world.digest(octets):
            self.failed(f"a request's body of {len(octets)} octets came whole, but is not what was sent")
        return octets

    # What is right

    def select(self, request):
        thing = world.resource(int(request.target[3:]))
        source = request.fields.get("authorization" if thing.own == "authorization" else "cookie", "")
        user = source.split("=")[-1].split(" ")[-1] or world.NOBODY
        return thing, world.selected(thing, self.now_s(), request.fields.get("accept-language", "en"), user)

    def fields(self, thing, what):
        """Those of the 200."""
        lines = [("Origin-Is", str(what)), ("Date", date(time.time()))]
        lines += [("Cache-Control", thing.control())] if thing.control() else []
        lines += [("ETag", what.tag())] if what.tag() else []
        lines += [("Last-Modified", date(what.modified_s()))] if what.modified_s() else []
        vary = "Cookie" if thing.own == "vary-cookie" else thing.vary
        lines += [("Vary", vary)] if vary else []
        lines += [("Set-Cookie", f"seen={what.user}")] if thing.own == "set-cookie" else []
        lines += [("Cache-Tag", thing.group)] if thing.group else []
        return lines

    @staticmethod
    def is_current(request, what):
        tags = request.fields.get("if-none-match")
        if tags is not None:
            opaque = (what.tag() or "none").removeprefix("W/")
            return opaque in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        since = request.fields.get("if-modified-since")
        return bool(since and what.modified_s() and what.modified_s() <= email.utils.parsedate_to_datetime(since).timestamp())

    @staticmethod
    def range_of(request, what):
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.fields.get("range", ""))
        if not match or request.method != "GET":
            return None
        condition = request.fields.get("if-range")
        modified = date(what.modified_s()) if what.modified_s() else None
        strong = what.tag() if what.tag() and not what.tag().startswith("W/") else None
        if condition and condition not in (strong, modified):
            return None
        first, last = int(match.group(1)), min(int(match.group(2) or what.length), what.length - 1)
        return (first, last) if first <= last else None

    async def answer(self, request, writer):
        misdeed = ""
        if self.chance.random() < self.misdeeds:
            misdeed = self.chance.choice(MISDEEDS)
            self.count(misdeed)
        if request.target.startswith("/p/"):
            lines = [("Origin-Is", f"posted {world.digest(request.body)}"), ("Cache-Control", "no-store")]
            await self.send(writer, request, 200, lines, b"posted " + world.digest(request.body).encode(), "length", misdeed)
            return
        thing, what = self.select(request)
        if request.method not in ("GET", "HEAD"):
            await self.send(writer, request, 200, [("Origin-Is", f"did {request.method}")], b"did it", "length", misdeed)
            return
        self.confirmed[str(what)] = time.monotonic()
        lines = self.fields(thing, what)
        if request.method == "HEAD" and (not thing.tells_when_headed() or misdeed in INSTEAD):
            lines = lines[1:]
            self.any_confirmed[thing.path] = time.monotonic()  # nothing contradicts what a cache has
        if misdeed in INSTEAD:
            await self.send(writer, request, 200, lines, what.body(), thing.framing, misdeed)
        elif self.is_current(request, what):
            await self.send(writer, request, 304, lines, b"", "none", misdeed)
        elif part := self.range_of(request, what):
            part = (part[0] // 2, part[1]) if misdeed == "wrong-206" else part
            lines.append(("Content-Range", f"bytes {part[0]}-{part[1]}/{what.length}"))
            await self.send(writer, request, 206, lines, what.body()[part[0]:part[1] + 1], thing.framing, misdeed)
        else:
            await self.send(writer, request, 200, lines, what.body(), thing.framing, misdeed)

    def count(self, misdeed):
        self.done[misdeed] = self.done.get(misdeed, 0) + 1

    # What goes out

    @staticmethod
    def head(status, lines):
        return f"HTTP/1.1 {status} Whatever\r\n".encode() + b"".join(f"{n}: {v}\r\n".encode() for n, v in lines) + b"\r\n"

    @staticmethod
    def framed(body, framing):
        """The field line and the octets."""
        if framing == "chunked":
            pieces = [body[at:at + 7000] for at in range(0, len(body), 7000)]
            octets = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            return [("Transfer-Encoding", "chunked")], octets + b"0\r\nTrailing: yes\r\n\r\n"
        if framing == "close":
            return [("Connection", "close")], body
        return ([("Content-Length", str(len(body)))] if framing == "length" else []), body

    @staticmethod
    def reset(writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        raise Hangup

    async def send(self, writer, request, status, lines, body, framing, misdeed):
        if misdeed:
            lines = lines + [("Misdeed", misdeed)]
            octets, status, lines, body, framing = await self.spoil(writer, request, status, lines, body, framing, misdeed)
            if octets is not None:
                writer.write(octets)
                await writer.drain()
                raise Hangup
        more, octets = self.framed(body, framing)
        whole = self.head(status, lines + more) + (octets if request.method != "HEAD" else b"")
        if misdeed == "surplus" and framing != "close":
            whole += world.HOSTILE
        if misdeed == "second-answer" and framing != "close":
            whole += self.head(200, [("Origin-Is", "surplus"), ("Content-Length", "4")]) + b"evil"
        await self.write(writer, whole, misdeed, len(whole) - len(octets))
        if framing == "close":
            raise Hangup

    async def write(self, writer, octets, misdeed, head_length):
        if misdeed in ("octets", "drip"):
            step = 1 if misdeed == "octets" else max(1, len(octets) // 15)
            for at in range(0, min(len(octets), step * 60), step):
                writer.write(octets[at:at + step])
                await asyncio.sleep(0.04 if misdeed == "drip" else 0)
            octets = octets[step * 60:]
        cut = self.chance.randrange(head_length, len(octets) + 1) if head_length < len(octets) else len(octets)
        if misdeed == "truncated-head":
            cut = self.chance.randrange(len(octets) and 1, len(octets))
        if misdeed in ("kill", "kill-quietly", "stall", "truncated-head") and cut < len(octets):
            writer.write(octets[:cut])
            await writer.drain()
            if misdeed == "stall":
                await asyncio.sleep(HANG_S)
            if misdeed == "kill" or b"\r\nConnection: close\r\n" in octets[:head_length]:
                await asyncio.sleep(0.02)
                self.reset(writer)
            raise Hangup
        for at in range(0, len(octets), PIECE * 4):
            writer.write(octets[at:at + PIECE * 4])
            await writer.drain()

    # What is wrong. Each returns octets to send instead, after which the connection ends, or None and what to send with them.

    async def spoil(self, writer, request, status, lines, body, framing, misdeed):
        """The answer as it goes out: either all octets of it, or (None) its parts."""
        instead = await self.instead(writer, misdeed, lines, body)
        if instead is not None:
            return instead, 0, [], b"", ""
        plain = [line for line in lines if line[0] not in ("Origin-Is", "Content-Range", "ETag", "Last-Modified")]
        if misdeed in ("500", "503"):
            return None, int(misdeed), [("Origin-Is", "error")], b"an error " + world.HOSTILE, framing
        if misdeed in ("unasked-304", "wrong-304"):
            self.any_confirmed[request.target] = time.monotonic()
            tag = [("ETag", '"of-nothing"')] if misdeed == "wrong-304" else []
            return None, 304, plain + tag, b"", "none"
        if misdeed.endswith("-206") and status == 200 and len(body) > 20 and request.method == "GET":
            return self.spoiled_part(lines, body, misdeed)
        return None, status, lines, body, framing

    def spoiled_part(self, lines, body, misdeed):
        first, last = len(body) // 3, len(body) // 2
        if misdeed == "false-206":  # what it says is not what it has
            lines = lines + [("Content-Range", f"bytes {first}-{last + 9}/{len(body)}")]
        else:
            lines = lines + [("Content-Range", f"bytes {first}-{last}/{len(body)}")]
        return None, 206, lines, body[first:last + 1], "length"

    async def instead(self, writer, misdeed, lines, body):
        """Octets that are no answer; or what goes before one (None)."""
        bad = lines + [("Content-Length", str(len(body)))]
        chunks = self.head(200, lines + [("Transfer-Encoding", "chunked")])
        chunks += b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        if misdeed == "mute":
            await asyncio.sleep(HANG_S)
            raise Hangup
        if misdeed == "reset":
            self.reset(writer)
        if misdeed in ("interims", "flood"):
            for _ in range(3 if misdeed == "interims" else 3000):
                writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n")
            return None
        return {
            "close": b"",
            "garbage": self.chance.randbytes(600),
            "head-too-large": self.head(200, lines + [("X", "x" * 70000)] + [("Content-Length", "0")]),
            "too-short": self.head(200, bad) + body[:len(body) // 2],
            "bad-chunk": chunks + b"zz\r\nabc",
            "chunk-too-large": chunks + b"fffffffffffffffff\r\nabc",
            "trailers-without-end": chunks + b"0\r\nA: b\r\n",
            "two-lengths": self.head(200, bad + [("Content-Length", str(len(body) + 3))]) + body,
            "length-and-chunked": self.head(200, bad + [("Transfer-Encoding", "chunked")]) + body,
            "204-with-body": self.head(204, bad) + body,
            "coding": self.head(200, lines + [("Transfer-Encoding", "gzip, chunked")]) + body,
            "bad-length": self.head(200, lines + [("Content-Length", "-5")]) + body,
            "no-http": b"SSH-2.0-OpenSSH_9.2\r\n",
            "nul": self.head(200, bad + [("X", "a\0b")]) + body,
            "folded": self.head(200, [("X", "a\r\n b")] + bad) + body,
            "unasked-101": self.head(101, lines + [("Upgrade", "x"), ("Connection", "upgrade")]) + b"tunnel",
        }.get(misdeed)
