# SPDX-License-Identifier: MIT
"""
What a client may not do, or not too often: docs/limits.md, section HTTP/2. Each case runs against a stet with limits of its own; the
other clients of it are served meanwhile.
"""

import re
import struct
import sys

import frames as f
from frames import block, data, frame, headers, ping, request, rst, settings, window
from servers import LARGE, Tap, echoing, proxying, serving

CALM = f.ENHANCE_YOUR_CALM


def error_of(client):
    """Of the GOAWAY behind which the connection ends."""
    client.end()
    return client.goaways[-1][1] if client.goaways and client.closed else None


def flood(port, frames, first=()):
    """Sends these frames, then reads to the end."""
    with f.Client(port) as client:
        client.send(*first)
        client.sync()
        client.send(*frames)
        return error_of(client)


def floods(tap, binary):
    """What costs the client next to nothing."""
    with serving(binary, "--max-resets", "50", "--max-control-frames", "200") as stet:
        port = stet.port
        with f.Client(port) as calm:
            calm.send(*(headers(n) + rst(n) for n in range(1, 99, 2)), headers(101)).answers(101)
            tap.same("49 resets are no flood", (calm[101].status, calm.goaways), (200, []))
            calm.send(*(ping(struct.pack(">II", 1, n)) for n in range(60))).sync()
            tap.same("60 PINGs are no flood", (len(calm.pongs), calm.goaways), (61, []))
        tap.same("rapid reset", flood(port, [headers(n) + rst(n) for n in range(1, 201, 2)]), CALM)
        shut = [settings(INITIAL_WINDOW=0)]
        provoked = [headers(n, request("GET", "/large")) + window(n, 0x7fffffff) * 2 for n in range(1, 201, 2)]
        tap.same("resets that the server is provoked to: a window opened too wide", flood(port, provoked, shut), CALM)
        provoked = [headers(n, request("GET", "/", ("content-length", "1"))) for n in range(1, 201, 2)]
        tap.same("... a length that is wrong", flood(port, provoked), CALM)
        provoked = [headers(n, request("GET", "/", ("X", "y"))) for n in range(1, 201, 2)]
        tap.same("... a field that is none", flood(port, provoked), CALM)
        tap.same("PING", flood(port, [ping()] * 300), CALM)
        tap.same("SETTINGS", flood(port, [frame(f.SETTINGS, 0, 0)] * 300), CALM)
        tap.same("PRIORITY", flood(port, [frame(f.PRIORITY, 0, 1, b"\0\0\0\0\1")] * 300), CALM)
        tap.same("PRIORITY_UPDATE", flood(port, [frame(f.PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=1")] * 300), CALM)
        tap.same("frames of no known type", flood(port, [frame(77, 0, 0)] * 300), CALM)
        post = [headers(1, request("POST"), end=False)]
        tap.same("DATA without content", flood(port, [data(1)] * 300, post), CALM)
        tap.same("DATA of nothing but padding", flood(port, [frame(f.DATA, f.PADDED, 1, b"\7" + bytes(7))] * 300, post), CALM)
        get = [settings(INITIAL_WINDOW=0), headers(1, request("GET", "/large"))]
        tap.same("a window that opens by one octet", flood(port, [window(1, 1)] * 300, get), CALM)
        with f.Client(port) as client:
            tap.same("others are served all the while", client.get(1).status, 200)


def continuation(tap, binary):
    with serving(binary) as stet:
        start = frame(f.HEADERS, f.END_STREAM, 1, block(request()))
        more = [frame(f.CONTINUATION, 0, 1, block([("x", "y" * 100)]))] * 100
        tap.same("CONTINUATION without end", flood(stet.port, [start, *more]), CALM)
        before = stet.memory()
        with f.Client(stet.port) as client:
            client.send(start, *[frame(f.CONTINUATION, 0, 1, b"")] * 1000)
            tap.same("CONTINUATION without anything", error_of(client), CALM)
        tap.same("nothing of it is kept", stet.memory() - before < 4 << 20, True)


def head_lists(tap, binary):
    """431 is an answer on its stream; the next stream is answered as if nothing had been."""
    for role, way in (("serve", serving), ("proxy", proxying)):
        with way(binary, "--max-head-bytes", "4K", "--max-fields", "20", "--max-target-bytes", "100") as stet, f.Client(stet.port) as client:
            get = client.get
            tap.same(f"{role}: 431 for octets", get(1, "GET", "/", *[("x", "y" * 1000)] * 5).status, 431)
            tap.same(f"{role}: 431 for lines", get(3, "GET", "/", *[("x", "y")] * 21).status, 431)
            tap.same(f"{role}: 20 lines are none too many", get(5, "GET", "/", *[("x", "y")] * 20).status, 200)
            tap.same(f"{role}: 414", get(7, "GET", "/" + "a" * 100).status, 414)
            tap.same(f"{role}: 501 for a method", get(9, "M" * 33, "/").status, 501)
            bomb = b"\x82\x86\x84\x41\x09localhost" + b"\x40\x01x" + f.text("y" * 3500) + b"\xbe" * 12000
            client.send(*(headers(n, bomb) for n in range(11, 51, 2))).answers(*range(11, 51, 2))
            tap.same(f"{role}: 431 for each of twenty bombs", {client[n].status for n in range(11, 51, 2)}, {431})
            tap.same(f"{role}: the limit was announced", client.settings[f.MAX_LIST], 4096)
            tap.same(f"{role}: the next stream", get(51).status, 200)
            tap.same(f"{role}: one connection for all that", client.goaways, [])


def windows(tap, binary):
    """Many streams whose windows are shut cost no more than their heads."""
    with serving(binary) as stet:
        before = stet.memory()
        clients = [f.Client(stet.port).send(settings(INITIAL_WINDOW=0)) for _ in range(8)]
        for client in clients:
            client.send(*(headers(n, request("GET", "/large")) for n in range(1, 257, 2))).sync().sync()
        used = stet.memory() - before
        tap.same("1024 answers of 1 MiB that nobody takes", used < 24 << 20, True)
        for client in clients:
            client.send(window(0, 1 << 24), window(3, 1 << 20)).answers(3)
        tap.same("one of each is taken", {client[3].body == LARGE for client in clients}, {True})
        for client in clients:
            client.socket.close()


def bodies(tap, binary):
    with serving(binary) as stet, f.Client(stet.port) as client:
        post = request("POST", "/", ("content-length", "2000000"))
        client.send(headers(1, post, end=False)).answers(1).sync()
        tap.same("413 from the length alone, then no more of it", (client[1].status, client[1].reset), (413, f.NO_ERROR))
        client.send(headers(3, request("POST", "/", ("content-length", "100000")), end=False)).answers(3).sync()
        tap.same("405, and no more than a window of it", (client[3].status, client[3].reset), (405, f.NO_ERROR))
        client.send(headers(5, request("POST"), end=False)).answers(5).sync()
        tap.same("what is on its way may come", (client[5].status, client[5].reset), (405, None))
        client.send(data(5, bytes(5000), end=True), headers(7)).answers(7)
        tap.same("and then all is well", (client[7].status, client.goaways), (200, []))
        expect = request("POST", "/", ("expect", "100-continue"), ("content-length", "5"))
        client.send(headers(9, expect, end=False)).answers(9).sync()
        tap.same("Expect: the answer instead of 100", (client[9].interims, client[9].status, client[9].reset), ([], 405, f.NO_ERROR))
        tap.same("an expectation that is not known", client.get(11, "GET", "/", ("expect", "x")).status, 417)
        client.send(headers(13, [(":method", "CONNECT"), (":authority", "localhost:80")], end=False)).answers(13)
        tap.same("CONNECT", client[13].status, 501)
    with echoing(binary, "--max-body-bytes", "100K") as stet, f.Client(stet.port) as client:
        client.sync().send(headers(1, request("POST"), end=False), *(data(1, bytes(16000)) for _ in range(8))).answers(1)
        tap.same("413 while the body comes", client[1].status, 413)
        client.send(headers(3, request("POST", "/", ("expect", "100-continue"), ("content-length", "5")), end=False))
        tap.same("100 (Continue)", client.wait(lambda: client[3].interims) and client[3].interims[0][":status"], "100")
        client.send(data(3, b"12345", end=True)).answers(3)
        tap.same("and the answer", (client[3].status, client[3].body[-5:]), (200, b"12345"))

def waiting(tap, binary):
    """The time-outs, of a second each."""
    short = [word for name in ("idle", "head", "body", "send") for word in (f"--{name}-timeout", "1")]
    with serving(binary, *short) as stet:
        idle, head, slow = f.Client(stet.port), f.Client(stet.port), f.Client(stet.port)
        idle.get(1)
        head.send(frame(f.HEADERS, f.END_STREAM, 1, block(request())))
        slow.send(settings(INITIAL_WINDOW=10), headers(1, request("GET", "/large")), headers(3, request("POST"), end=False))
        body = f.Client(stet.port).send(headers(1, request("POST"), end=False))
        tap.same("an idle connection: GOAWAY", (error_of(idle), idle.goaways[-1][0]), (f.NO_ERROR, 1))
        tap.same("a head without end: GOAWAY", error_of(head), f.NO_ERROR)
        tap.same("windows that stay shut: RST_STREAM", (slow.wait(lambda: slow[1].reset is not None), slow[1].reset), (True, f.CANCEL))
        tap.same("a body without end, after the answer: RST_STREAM",
                 (body.wait(lambda: body[1].reset is not None), body[1].status, body[1].reset), (True, 405, f.NO_ERROR))
    with proxying(binary, *short) as stet:
        body = f.Client(stet.port).send(headers(1, request("POST"), end=False), data(1, b"x"))
        body.answers(1)
        tap.same("a body without end, to a proxy: 408", body[1].status, 408)


def stopping(tap, binary):
    """GOAWAY in two steps; what has begun is finished."""
    with serving(binary) as stet, f.Client(stet.port) as client, f.Client(stet.port) as idle:
        idle.sync()
        client.send(settings(INITIAL_WINDOW=1000), headers(1, request("GET", "/large")))
        client.wait(lambda: client[1].lengths)
        stet.process.terminate()
        tap.same("a notice first", client.wait(lambda: client.goaways) and client.goaways, [(0x7fffffff, f.NO_ERROR)])
        client.send(headers(3))
        tap.same("a request that crosses it is answered", (client.answers(3)[3].status, client.goaways[1:]), (200, []))
        client.wait(lambda: client.pinged)
        client.send(frame(f.PING, f.ACK, 0, client.pinged[0]))
        tap.same("once the PING behind the notice is answered, the last stream",
                 client.wait(lambda: len(client.goaways) == 2) and client.goaways[1], (3, f.NO_ERROR))
        client.send(headers(5), window(0, 1 << 24), window(1, 1 << 24)).end()
        tap.same("what has begun is finished, what comes now is not begun", (client[1].body == LARGE, client[5].status), (True, None))
        tap.same("who answers no PING is told after a second", error_of(idle), f.NO_ERROR)
        tap.same("and stet has ended", stet.process.wait(f.PATIENCE_S), 0)
    with serving(binary, "--stop-timeout", "1") as stet, f.Client(stet.port) as client:
        client.send(settings(INITIAL_WINDOW=10), headers(1, request("GET", "/large"))).sync()
        stet.process.terminate()
        client.end()
        stet.process.wait(f.PATIENCE_S)
        tap.same("what is not finished in --stop-timeout is cut off", (client.closed, client[1].ended), (True, False))


def logged(tap, binary):
    with serving(binary, "--log", "-", "--log-format", "common") as stet, f.Client(stet.port) as client:
        client.get(1)
        line = stet.line()
        tap.same("the log says HTTP/2.0", re.search(r'"(.*?)" (\d+) (\d+)', line).groups(), ("GET / HTTP/2.0", "200", "208"))
        client.send(settings(INITIAL_WINDOW=10), headers(3, request("GET", "/large"))).sync().sync()
        client.send(rst(3)).sync()
        tap.same("and what was cut off", stet.line().split('"')[2].split(" ", 2)[1:], ["200", "10 ok aborted"])


def main(binary):
    tap = Tap()
    for part in (floods, continuation, head_lists, windows, bodies, waiting, stopping, logged):
        part(tap, binary)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: limits.py BINARY")
main(sys.argv[1])
