# SPDX-License-Identifier: MIT
"""What goes through: requests as an origin of HTTP/1.1 sees them, answers as a client of HTTP/2 does. RFC 9113 section 8."""

import re
import sys

import frames as f
from frames import data, headers, request, settings, window
from servers import LARGE, PAGE, Echo, Tap, echoing, serving

OF_CONNECTION = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "x-hop"}


def forwarded(tap, binary):
    """RFC 9113 sections 8.2.2, 8.2.3, 8.3.1: 9113-8.2.2-1 9113-8.2.3-1 9113-8.3.1-1"""
    with echoing(binary) as stet, f.Client(stet.port) as client:
        def said(number, *pairs, path="/"):
            stream = client.get(number, "GET", path, *pairs)
            head = stream.body.decode("latin-1").split("\n\n")[0].split("\n")
            return head[0], {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head[1:]}
        line, fields = said(1, ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3"), path="/p?q")
        tap.same("the request line", line, "GET /p?q HTTP/1.1")
        tap.same("lines of Cookie are one", fields["cookie"], "a=1; b=2; c=3")
        tap.same("others stay", fields["x"], "y")
        tap.same("no pseudo-field is a field", [name for name in fields if name.startswith(":")], [])
        tap.same("Via tells the version", fields["via"].split()[0], "2.0")
        _, fields = said(3, ("host", "localhost"))
        tap.same("one Host", fields["host"], "localhost")
        client.send(headers(5, request("POST"), end=False), data(5, b"a" * 70), data(5, b"b" * 30), headers(5, [("x-sum", "17")]))
        body = client.answers(5)[5].body
        tap.same("content without a length is chunked", b"chunked" in body and body.endswith(b"a" * 70 + b"b" * 30), True)
        tap.same("its trailers are dropped, as RFC 9110 6.5.1 lets a proxy do", b"x-sum: 17" in body.lower(), False)
        client.send(headers(7, request("POST", "/", ("content-length", "3")), end=False), data(7, b"abc", end=True))
        tap.same("content with a length keeps it", b"\nContent-Length: 3\n" in client.answers(7)[7].body, True)
        tap.same("nothing about connections comes back", OF_CONNECTION & set(client[7].fields), set())
        stream = client.get(9, "GET", "/trailers", ("te", "trailers"))
        tap.same("trailers of the answer", (stream.body, stream.trailers), (b"all", {"x-sum": "17"}))
        stream = client.get(11, "GET", "/trailers")
        tap.same("only for who takes them", (stream.body, stream.trailers), (b"all", None))


def kept_back(tap, binary):
    """RFC 9113 section 8.1.1: what is malformed goes nowhere: 9113-8.1.1-3"""
    wrong = ((("connection", "close"),), (("X-Upper", "1"),), (("transfer-encoding", "chunked"),), (("x", "a\nb"),), ((":x", "1"),))
    with echoing(binary) as stet, f.Client(stet.port) as client:
        Echo.asked.clear()
        for i, pairs in enumerate(wrong):
            client.send(headers(2 * i + 1, request("GET", f"/wrong-{i}", *pairs)))
        stream = client.get(2 * len(wrong) + 1, "GET", "/right")
        tap.same("only the request behind them", (stream.status, Echo.asked), (200, ["/right"]))
        tap.same("they have no answer of the origin", [n for n in range(1, 2 * len(wrong), 2) if client[n].status == 200], [])


def upload(tap, binary):
    """More than any window, while others are served."""
    with echoing(binary) as stet, f.Client(stet.port) as client:
        client.sync()
        room = {"stream": client.settings[f.INITIAL_WINDOW], "all": 65535}
        seen, sent, size = 0, 0, 3 << 20
        client.send(window(0, 1 << 30), settings(INITIAL_WINDOW=1 << 30), headers(1, request("POST"), end=False))
        updates = []
        note = client.note

        def watch(kind, flags, stream, payload):
            note(kind, flags, stream, payload)
            if kind == f.WINDOW_UPDATE:
                updates.append((stream, int.from_bytes(payload, "big")))
        client.note = watch
        client.note_windows = updates
        room["all"] += 1024 * 1024 - 65535  # it was opened with the first frames
        while sent < size:
            for stream, more in updates[seen:]:
                room["stream" if stream else "all"] += more
            seen = len(updates)
            piece = min(16384, size - sent, *room.values())
            if piece == 0:
                client.read()
                continue
            client.send(data(1, bytes(piece)))
            sent += piece
            room = {name: left - piece for name, left in room.items()}
        tap.same("another request meanwhile", client.get(3).status, 200)
        client.send(data(1, b"", end=True)).answers(1)
        tap.same("3 MiB have come and gone", (client[1].status, len(client[1].body) >= size), (200, True))


def answers(tap, binary):
    """RFC 9113 section 8.1.1: 9113-8.1.1-1"""
    with serving(binary) as stet, f.Client(stet.port) as client:
        stream = client.get(1)
        tap.same("200", (stream.status, stream.body), (200, PAGE))
        tag = stream.fields["etag"]
        tap.same("Date", bool(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", stream.fields["date"])), True)
        stream = client.get(3, "GET", "/", ("if-none-match", tag))
        tap.same("304 with its tag", (stream.status, stream.fields["etag"]), (304, tag))
        ends = [flags & f.END_STREAM for kind, flags, number, _ in client.frames if number == 3 and kind == f.HEADERS]
        tap.same("HEADERS end it, and there is no DATA", (ends, stream.lengths), ([f.END_STREAM], []))
        stream = client.get(5, "HEAD", "/large")
        tap.same("HEAD has the length and no DATA", (stream.fields["content-length"], stream.lengths), (str(len(LARGE)), []))
        stream = client.get(7, "GET", "/", ("range", "bytes=2-5"))
        tap.same("206", (stream.status, stream.body), (206, PAGE[2:6]))
        stream = client.get(9, "GET", "/", ("range", "bytes=2-5, 10-11"))
        tap.same("206 in parts", (stream.status, stream.fields["content-type"][:20]), (206, "multipart/byteranges"))
        tap.same("OPTIONS *", client.get(11, "OPTIONS", "*").status, 204)
        tap.same("404", client.get(13, "GET", "/nothing").status, 404)
        client.send(settings(INITIAL_WINDOW=1 << 20), window(0, 1 << 24))
        stream = client.get(15, "GET", "/large")
        tap.same("1 MiB, in frames of 16 KiB", (stream.body == LARGE, set(stream.lengths) <= {16384, len(LARGE) % 16384}), (True, True))


def priorities(tap, binary):
    """RFC 9218: who is more urgent comes first; incremental ones share."""
    with serving(binary) as stet:
        with f.Client(stet.port) as client:
            client.send(settings(INITIAL_WINDOW=1 << 20), headers(1, request("GET", "/large", ("priority", "u=5"))),
                        headers(3, request("GET", "/large", ("priority", "u=1")))).sync().sync()
            tap.same("priorities of RFC 7540 are said not to count", client.settings.get(9), 1)
            client.frames.clear()
            client.send(window(0, 1 << 22)).answers(1, 3)
            order = [number for kind, _, number, length in client.frames if kind == f.DATA and length]
            tap.same("u=1 before u=5", order, sorted(order, reverse=True))
        with f.Client(stet.port) as client:
            client.send(settings(INITIAL_WINDOW=1 << 20), headers(1, request("GET", "/large")), headers(3, request("GET", "/large"))).sync().sync()
            client.frames.clear()
            update = f.frame(f.PRIORITY_UPDATE, 0, 0, b"\0\0\0\3u=0")
            client.send(update, window(0, 1 << 22)).answers(1, 3)
            order = [number for kind, _, number, length in client.frames if kind == f.DATA and length]
            tap.same("PRIORITY_UPDATE moves one ahead", order, sorted(order, reverse=True))
        with f.Client(stet.port) as client:
            client.send(settings(INITIAL_WINDOW=1 << 20),
                        *(headers(n, request("GET", "/large", ("priority", "u=3, i"))) for n in (1, 3))).sync().sync()
            client.frames.clear()
            client.send(window(0, 1 << 22)).answers(1, 3)
            order = [number for kind, _, number, length in client.frames if kind == f.DATA and length]
            turns = sum(a != b for a, b in zip(order, order[1:]))
            tap.same("incremental ones take turns", turns > len(order) // 2, True)


def main(binary):
    tap = Tap()
    for part in (answers, forwarded, kept_back, upload, priorities):
        part(tap, binary)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: messages.py BINARY")
main(sys.argv[1])
