# SPDX-License-Identifier: MIT
"""
What RFC 9113 and RFC 7541 ask of any server, case by case; h2spec.md says which of them covers which case of the list of
summerwind/h2spec. Each case is some frames and what has to come back. Run against serve, and against proxy before it.
"""

import os
import re
import struct
import sys

import frames as f
from frames import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITIZED, PRIORITY, PUSH_PROMISE,
                    RST_STREAM, SETTINGS, WINDOW_UPDATE, block, data, frame, headers, ping, request, rst, settings, window)
from servers import Tap, both

GET = block(request())
POST = request("POST")
CASES = []


def case(name, *sent, wanted, first=None):
    CASES.append((name, sent, wanted, first))


# What may come back. Each judges a client when all is dealt with, and says what is wrong or nothing.
def answered(*numbers):
    def judge(client):
        client.answers(*numbers)
        return [f"stream {n}: {client[n].reset=} {client.goaways=}" for n in numbers if not client[n].status or not client[n].ended]
    return judge


def alive(client):
    return [f"{client.goaways=} {client.closed=}"] if client.closed or client.goaways else []


def gone(*errors):
    def judge(client):
        client.end()
        last = client.goaways[-1][1] if client.goaways else None
        return [] if client.closed and last in errors else [f"{client.closed=} {client.goaways=}"]
    return judge


def closed(client):
    """With or without a word."""
    return [] if client.end().closed else ["the connection is open"]


def reset(number, *errors):
    """A stream error, or what RFC 9113 section 5.4.2 lets be made of it: a connection error."""
    def judge(client):
        if client[number].reset in errors or (client.goaways and client.goaways[-1][1] in errors):
            return []
        return [f"{client[number].reset=} {client[number].status=} {client.goaways=} {client.closed=}"]
    return judge


def malformed(number):
    """RFC 9113 section 8.1.1: a stream error, before which a server may answer."""
    def judge(client):
        client.answers(number)
        return [] if client[number].status == 400 else reset(number, f.PROTOCOL_ERROR)(client)
    return judge


def priority(stream, on=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", on | (exclusive << 31), weight))


def split(stream, octets, *lengths):
    """HEADERS and CONTINUATION frames of these lengths, the last one with what is left."""
    pieces = []
    for length in lengths:
        pieces.append(octets[:length])
        octets = octets[length:]
    pieces.append(octets)
    out = [frame(HEADERS, END_STREAM, stream, pieces[0])]
    for i, piece in enumerate(pieces[1:], 2):
        out.append(frame(CONTINUATION, END_HEADERS if i == len(pieces) else 0, stream, piece))
    return b"".join(out)


def padded(kind, flags, stream, octets, padding, said=None):
    return frame(kind, flags | PADDED, stream, bytes([padding if said is None else said]) + octets + bytes(padding))


ok = answered(1)
wrong = gone(f.PROTOCOL_ERROR)
size = gone(f.FRAME_SIZE_ERROR)

# ---- section 3: the preface ----
case("a preface is answered with SETTINGS first", wanted=lambda c: [] if c.frames[0][0] == SETTINGS and not alive(c) else [repr(c.frames)])
case("what is no preface ends the connection", wanted=closed, first=b"INVALID CONNECTION PREFACE\r\n\r\n" + frame(SETTINGS, 0, 0))
case("a preface without SETTINGS behind it", wanted=wrong, first=f.PREFACE + ping())

# ---- section 4: frames ----
case("an unknown type of frame is passed over", frame(22, 0, 0, b"\0" * 8), headers(1), wanted=ok)
case("an unknown type of frame, with a stream that is idle", frame(22, 0xff, 99, b"\0" * 8), headers(1), wanted=ok)
case("flags that mean nothing", frame(PING, 22, 0, b"\0" * 8), headers(1), wanted=ok)
case("the reserved bit before a stream", frame(PING, 0, 1 << 31, b"\0" * 8), headers(1), wanted=ok)
case("DATA of 2^14 octets", headers(1, POST, end=False), data(1, bytes(16384), end=True), wanted=ok)
case("DATA larger than SETTINGS_MAX_FRAME_SIZE", headers(1, POST, end=False), data(1, bytes(16385), end=True),
     wanted=reset(1, f.FRAME_SIZE_ERROR))
case("HEADERS larger than SETTINGS_MAX_FRAME_SIZE", headers(1, request("GET", "/", ("x", "y" * 16384))), wanted=size)
case("a field block that is none", headers(1, b"\x40"), wanted=gone(f.COMPRESSION_ERROR))
case("PRIORITY within a field block", frame(HEADERS, END_STREAM, 1, GET), priority(1), wanted=wrong)
case("HEADERS of another stream within a field block", frame(HEADERS, END_STREAM, 1, GET), headers(3), wanted=wrong)

# ---- section 5: streams ----
case("PRIORITY on an idle stream", priority(1), headers(1), wanted=ok)
case("WINDOW_UPDATE on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), window(1, 100000), wanted=ok)
case("PRIORITY on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), priority(1), window(1, 100000), wanted=ok)
case("RST_STREAM on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), rst(1), wanted=alive)
case("PRIORITY on a closed stream", headers(1), rst(1), priority(1), wanted=alive)
case("a stream with an even number", headers(2), wanted=wrong)
case("a stream with a number smaller than before", headers(5), headers(3), wanted=gone(f.PROTOCOL_ERROR, f.STREAM_CLOSED))
case("DATA on an idle stream", data(1, b"x", end=True), wanted=gone(f.PROTOCOL_ERROR, f.STREAM_CLOSED))
case("RST_STREAM on an idle stream", rst(1), wanted=wrong)
case("WINDOW_UPDATE on an idle stream", window(1, 100), wanted=wrong)
case("CONTINUATION on an idle stream", frame(CONTINUATION, END_HEADERS, 1, GET), wanted=wrong)
case("DATA on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), data(1, b"x", end=True), wanted=reset(1, f.STREAM_CLOSED))
case("HEADERS on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), headers(1), wanted=reset(1, f.STREAM_CLOSED))
case("CONTINUATION on a stream half-closed (remote)", settings(INITIAL_WINDOW=0), headers(1), frame(CONTINUATION, END_HEADERS, 1, GET),
     wanted=gone(f.PROTOCOL_ERROR, f.STREAM_CLOSED))
case("DATA after RST_STREAM", headers(1, POST, end=False), rst(1), data(1, b"x", end=True), headers(3), wanted=answered(3))
case("HEADERS after RST_STREAM", headers(1, POST, end=False), rst(1), headers(1), wanted=reset(1, f.STREAM_CLOSED))
case("CONTINUATION after RST_STREAM", headers(1, POST, end=False), rst(1), frame(CONTINUATION, END_HEADERS, 1, GET),
     wanted=gone(f.PROTOCOL_ERROR, f.STREAM_CLOSED))
# RFC 9113 section 5.1 leaves this one open, unlike RFC 7540: what is on its way when a stream ends does no harm.
case("DATA on a closed stream", headers(1), "answer 1", data(1, b"x", end=True), headers(3), wanted=answered(3))
case("HEADERS on a closed stream", headers(1), "answer 1", headers(1), wanted=reset(1, f.STREAM_CLOSED))
case("CONTINUATION on a closed stream", headers(1), "answer 1", frame(CONTINUATION, END_HEADERS, 1, GET),
     wanted=gone(f.PROTOCOL_ERROR, f.STREAM_CLOSED))
case("HEADERS that depend on themselves", frame(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1, struct.pack(">IB", 1, 255) + GET),
     wanted=lambda c: [] if not reset(1, f.PROTOCOL_ERROR)(c) else ok(c))
case("PRIORITY that depends on itself", priority(1, on=1), wanted=lambda c: [] if not reset(1, f.PROTOCOL_ERROR)(c) else alive(c))
case("a connection error closes the connection, after GOAWAY", frame(PING, 0, 0, b"\0" * 6), wanted=size)
case("an unknown frame within a field block", frame(HEADERS, END_STREAM, 1, GET), frame(22, 0, 1, b"x"), wanted=wrong)

# ---- section 6.1: DATA ----
case("DATA", headers(1, POST, end=False), data(1, b"test", end=True), wanted=ok)
case("several DATA", headers(1, POST, end=False), data(1, b"test"), data(1, b"test", end=True), wanted=ok)
case("DATA with padding", headers(1, POST, end=False), padded(DATA, END_STREAM, 1, b"test", 9), wanted=ok)
case("DATA on stream 0", data(0, b"test", end=True), wanted=wrong)
case("DATA with more padding than there is", headers(1, POST, end=False), padded(DATA, END_STREAM, 1, b"test", 0, said=6), wanted=wrong)

# ---- section 6.2: HEADERS ----
case("HEADERS", headers(1), wanted=ok)
case("HEADERS with padding", padded(HEADERS, END_STREAM | END_HEADERS, 1, GET, 9), wanted=ok)
case("HEADERS with a priority", frame(HEADERS, END_STREAM | END_HEADERS | PRIORITIZED, 1, struct.pack(">IB", 0, 255) + GET), wanted=ok)
case("HEADERS on stream 0", headers(0), wanted=wrong)
case("HEADERS with more padding than there is", padded(HEADERS, END_STREAM | END_HEADERS, 1, GET, 0, said=len(GET) + 1), wanted=wrong)

# ---- section 6.3: PRIORITY ----
case("PRIORITY with weight 1", priority(1, weight=0), headers(1), wanted=ok)
case("PRIORITY with weight 256", priority(1, weight=255), headers(1), wanted=ok)
case("PRIORITY with a dependency", priority(1, on=3), headers(1), wanted=ok)
case("PRIORITY with an exclusive one", priority(1, on=3, exclusive=True), headers(1), wanted=ok)
case("PRIORITY on an idle stream, HEADERS on one before it", priority(5), headers(3), wanted=answered(3))
case("PRIORITY on stream 0", priority(0), wanted=wrong)
case("PRIORITY of another length than 5", headers(1, POST, end=False), frame(PRIORITY, 0, 1, b"\x80\0\0\1"), wanted=reset(1, f.FRAME_SIZE_ERROR))

# ---- section 6.4: RST_STREAM ----
case("RST_STREAM", headers(1, POST, end=False), rst(1), wanted=alive)
case("RST_STREAM on stream 0", rst(0), wanted=wrong)
case("RST_STREAM of another length than 4", headers(1, POST, end=False), frame(RST_STREAM, 0, 1, b"\0\0\0"), wanted=size)

# ---- section 6.5: SETTINGS ----
case("SETTINGS are acknowledged", settings(MAX_STREAMS=100), wanted=lambda c: alive(c) + ([] if c.acks == 2 else [f"{c.acks=}"]))
case("SETTINGS with ACK and a payload", frame(SETTINGS, ACK, 0, b"\0"), wanted=size)
case("SETTINGS on a stream", frame(SETTINGS, 0, 1, struct.pack(">HI", 3, 100)), wanted=wrong)
case("SETTINGS of a length that 6 does not divide", frame(SETTINGS, 0, 0, b"\0\3\0"), wanted=size)
case("SETTINGS_ENABLE_PUSH of 2", settings(ENABLE_PUSH=2), wanted=wrong)
case("SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1", settings(INITIAL_WINDOW=1 << 31), wanted=gone(f.FLOW_CONTROL_ERROR))
case("SETTINGS_MAX_FRAME_SIZE below 2^14", settings(MAX_FRAME=16383), wanted=wrong)
case("SETTINGS_MAX_FRAME_SIZE above 2^24-1", settings(MAX_FRAME=1 << 24), wanted=wrong)
case("an unknown setting", frame(SETTINGS, 0, 0, struct.pack(">HI", 0xff, 1)), headers(1), wanted=ok)
case("SETTINGS are taken in their order", frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, 100, 4, 1)), headers(1),
     wanted=lambda c: [] if c.wait(lambda: c[1].lengths) and c[1].lengths == [1] else [repr(c[1].lengths)])

# ---- sections 6.6 to 6.8 ----
case("PUSH_PROMISE", headers(1, POST, end=False), frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + GET), wanted=wrong)
case("PING is answered with its octets", ping(b"h2spec__"), wanted=lambda c: [] if b"h2spec__" in c.pongs else [repr(c.pongs)])
case("PING with ACK is not answered", frame(PING, ACK, 0, b"ours-ack"), wanted=lambda c: alive(c) + (["it is"] if b"ours-ack" in c.pongs else []))
case("PING on a stream", frame(PING, 0, 1, b"\0" * 8), wanted=wrong)
case("PING of another length than 8", frame(PING, 0, 0, b"\0" * 6), wanted=size)
case("GOAWAY", headers(1), "answer 1", frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)), wanted=closed)
case("GOAWAY on a stream", frame(GOAWAY, 0, 1, struct.pack(">II", 0, 0)), wanted=wrong)
case("GOAWAY with an unknown error", headers(1), "answer 1", frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0xff)), wanted=closed)
case("RST_STREAM with an unknown error", headers(1, POST, end=False), rst(1, 0xff), headers(3), wanted=answered(3))

# ---- section 6.9: flow control ----
case("WINDOW_UPDATE of the connection", window(0, 1), headers(1), wanted=ok)
case("WINDOW_UPDATE of a stream", headers(1, POST, end=False), window(1, 1), data(1, b"x", end=True), wanted=ok)
case("a window of 1 octet", settings(INITIAL_WINDOW=1), headers(1),
     wanted=lambda c: [] if c.wait(lambda: c[1].lengths) and c[1].lengths == [1] else [repr(c[1].lengths)])
case("the connection's window above 2^31-1", window(0, 0x7fffffff), window(0, 0x7fffffff), wanted=gone(f.FLOW_CONTROL_ERROR))
case("a stream's window above 2^31-1", settings(INITIAL_WINDOW=0), headers(1), window(1, 0x7fffffff), window(1, 0x7fffffff),
     wanted=reset(1, f.FLOW_CONTROL_ERROR))
case("the first window changes after HEADERS", settings(INITIAL_WINDOW=0), headers(1), settings(INITIAL_WINDOW=1),
     wanted=lambda c: [] if c.wait(lambda: c[1].lengths) and c[1].lengths == [1] else [repr(c[1].lengths)])
case("a window below nothing", settings(INITIAL_WINDOW=3), headers(1), "sync 1", settings(INITIAL_WINDOW=2), "sync 1", window(1, 2),
     wanted=lambda c: [] if c.wait(lambda: sum(c[1].lengths) >= 4) and sum(c[1].lengths) == 4 else [repr(c[1].lengths)])
case("WINDOW_UPDATE of the connection by 0", window(0, 0), wanted=wrong)
case("WINDOW_UPDATE of a stream by 0", settings(INITIAL_WINDOW=0), headers(1), window(1, 0), wanted=reset(1, f.PROTOCOL_ERROR))
case("WINDOW_UPDATE of another length than 4", frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), wanted=size)

# ---- section 6.10: CONTINUATION ----
case("CONTINUATION", split(1, GET, 1), wanted=ok)
case("several CONTINUATION", split(1, GET, 1, 1, 3), wanted=ok)
case("CONTINUATION followed by another frame", frame(HEADERS, END_STREAM, 1, GET[:1]), frame(CONTINUATION, 0, 1, GET[1:]), ping(), wanted=wrong)
case("CONTINUATION on stream 0", frame(HEADERS, END_STREAM, 1, GET[:1]), frame(CONTINUATION, END_HEADERS, 0, GET[1:]), wanted=wrong)
case("CONTINUATION behind HEADERS with END_HEADERS", headers(1, POST, end=False), frame(CONTINUATION, END_HEADERS, 1, GET), wanted=wrong)
case("CONTINUATION behind CONTINUATION with END_HEADERS", split(1, GET, 1), frame(CONTINUATION, END_HEADERS, 1, GET), wanted=wrong)
case("CONTINUATION behind DATA", headers(1, POST, end=False), data(1, b"x"), frame(CONTINUATION, END_HEADERS, 1, GET), wanted=wrong)

# ---- section 8: messages: 9113-8.1-1 9113-8.1.1-2 9113-8.2.1-1 ----
case("HEAD", headers(1, request("HEAD")), wanted=lambda c: ok(c) + ([repr(c[1].lengths)] if c[1].lengths else []))
case("POST with trailers", headers(1, POST, end=False), data(1, b"x"), headers(1, [("x-test", "ok")]), wanted=ok)
case("a second HEADERS without END_STREAM", headers(1, POST, end=False), data(1, b"x"), headers(1, [("x-test", "ok")], end=False),
     wanted=reset(1, f.PROTOCOL_ERROR))
for what, pairs in (
        ("a name in upper case", request("GET", "/", ("X-TEST", "ok"))),
        ("a value with LF", request("GET", "/", ("if-none-match", '"a"\nx: y'))),
        ("a value with CR", request("GET", "/", ("x-test", "a\rb"))),
        ("a value with NUL", request("GET", "/", ("x-test", "a\0b"))),
        ("a value that begins with a space", request("GET", "/", ("x-test", " a"))),
        ("a value that ends in a space", request("GET", "/", ("x-test", "a "))),
        ("a name with a space", request("GET", "/", ("x test", "a"))),
        ("a name with a colon", request("GET", "/", ("x:test", "a"))),
        ("an empty name", request("GET", "/", ("", "a"))),
        ("an unknown pseudo-field", request("GET", "/", (":test", "ok"))),
        ("a pseudo-field of answers", request("GET", "/", (":status", "200"))),
        ("a pseudo-field behind a field", [("x-test", "ok"), *request()]),
        ("Connection", request("GET", "/", ("connection", "keep-alive"))),
        ("Keep-Alive", request("GET", "/", ("keep-alive", "timeout=5"))),
        ("Proxy-Connection", request("GET", "/", ("proxy-connection", "close"))),
        ("Transfer-Encoding", request("GET", "/", ("transfer-encoding", "chunked"))),
        ("Upgrade", request("GET", "/", ("upgrade", "websocket"))),
        ("TE with anything but trailers", request("GET", "/", ("te", "trailers, deflate"))),
        ("an empty :path", request("GET", "")),
        ("no :method", request(None)),
        ("no :scheme", request("GET", "/", scheme=None)),
        ("no :path", request("GET", None)),
        ("two :method", [(":method", "GET"), *request()]),
        ("two :scheme", [(":scheme", "http"), *request()]),
        ("two :path", [(":path", "/"), *request()]),
        ("two :authority", [(":authority", "localhost"), *request()]),
        ("neither :authority nor Host", request("GET", "/", authority=None)),
        ("a Host that says something else", request("GET", "/", ("host", "elsewhere"))),
        ("two Host", request("GET", "/", ("host", "localhost"), ("host", "localhost"))),
        ("an :authority that is none", request("GET", "/", authority="a b")),
        ("an :authority with userinfo", request("GET", "/", authority="me@localhost")),
        ("a :path with a space", request("GET", "/a b")),
        ("a :path with a fragment", request("GET", "/a#b")),
        ("a :path that is none", request("GET", "a")),
        ("a :path of * for GET", request("GET", "*")),
        ("another :scheme", request("GET", "/", scheme="ftp")),
        ("a Content-Length that is no number", request("GET", "/", ("content-length", "x"))),
        ("two Content-Length", request("GET", "/", ("content-length", "0"), ("content-length", "0"))),
        ("a Content-Length without content", request("POST", "/", ("content-length", "1")))):
    case(f"malformed: {what}", headers(1, pairs), headers(3), wanted=lambda c: malformed(1)(c) + answered(3)(c))
case("malformed: a pseudo-field in trailers", headers(1, POST, end=False), data(1, b"x"), headers(1, [(":method", "POST")]),
     wanted=malformed(1))
case("malformed: a Content-Length other than that of DATA", headers(1, request("POST", "/", ("content-length", "1")), end=False),
     data(1, b"test", end=True), wanted=malformed(1))
case("malformed: a Content-Length other than that of several DATA", headers(1, request("POST", "/", ("content-length", "1")), end=False),
     data(1, b"test"), data(1, b"test", end=True), wanted=malformed(1))
case("a Host beside an :authority that says the same", headers(1, request("GET", "/", ("host", "LOCALHOST"))), wanted=ok)
case("a Host instead of :authority", headers(1, request("GET", "/", ("host", "localhost"), authority=None)), wanted=ok)
case("TE: trailers", headers(1, request("GET", "/", ("te", "trailers"))), wanted=ok)

# ---- RFC 7541 ----
A = b"\x82\x86\x84\x41" + f.text("localhost")  # GET, http, /, :authority: localhost
NAME, NAME_HUFFMAN = f.text("custom-key"), b"\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f"
VALUE, VALUE_HUFFMAN = f.text("custom-value"), b"\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"
bad = gone(f.COMPRESSION_ERROR)
case("HPACK: an index", headers(1, A), wanted=ok)
for what, first, index in (("with indexing", 0x40, 0x40 | 58), ("without indexing", 0, 0x0f), ("never indexed", 0x10, 0x1f)):
    at = bytes([index]) if index == 0x40 | 58 else bytes([index, 58 - 15])
    case(f"HPACK: a literal {what}, name by index", headers(1, A + at + VALUE), wanted=ok)
    case(f"HPACK: a literal {what}, name by index, Huffman", headers(1, A + at + VALUE_HUFFMAN), wanted=ok)
    case(f"HPACK: a literal {what}", headers(1, A + bytes([first]) + NAME + VALUE), wanted=ok)
    case(f"HPACK: a literal {what}, Huffman", headers(1, A + bytes([first]) + NAME_HUFFMAN + VALUE_HUFFMAN), wanted=ok)
case("HPACK: a size of the table", headers(1, b"\x20" + A), wanted=ok)
case("HPACK: two sizes of the table", headers(1, b"\x20\x3f\xe1\x1f" + A), wanted=ok)
case("HPACK: an index that is none", headers(1, A + b"\xc6"), wanted=bad)
case("HPACK: a literal with an index that is none", headers(1, A + b"\x7f\x07" + VALUE), wanted=bad)
case("HPACK: a size of the table at the end", headers(1, A + b"\x20"), wanted=bad)
case("HPACK: Huffman with more than 7 bits of padding", headers(1, A + b"\0" + NAME + b"\x82\x07\xff"), wanted=bad)
case("HPACK: Huffman padded with zeros", headers(1, A + b"\0" + NAME + b"\x81\x00"), wanted=bad)
case("HPACK: Huffman with EOS", headers(1, A + b"\0" + NAME + b"\x84\xff\xff\xff\xff"), wanted=bad)
case("HPACK: index 0", headers(1, A + b"\x80"), wanted=bad)
case("HPACK: a size of the table above the setting", headers(1, b"\x3f\xe2\x1f" + A), wanted=bad)


def exceed(client):
    """One stream more than SETTINGS_MAX_CONCURRENT_STREAMS, which is known to the client."""
    client.sync()
    limit = client.settings[f.MAX_STREAMS]
    client.send(settings(INITIAL_WINDOW=0), *(headers(n) for n in range(1, 2 * limit + 2, 2))).sync()
    return reset(2 * limit + 1, f.PROTOCOL_ERROR, f.REFUSED_STREAM)(client)


case("more streams than SETTINGS_MAX_CONCURRENT_STREAMS", wanted=exceed)


def run(client, sent):
    """What stands between words goes out at once."""
    frames = []
    for step in (*sent, ""):
        if isinstance(step, bytes):
            frames.append(step)
            continue
        client.send(*frames)
        frames = []
        if step.startswith("answer"):
            client.answers(int(step.split()[1]))
        elif step:
            client.sync()


def judge(port, sent, wanted, first):
    with f.Client(port, first) as client:
        run(client, sent)
        # What comes of the frames may stand behind the first answer to PING, but not behind the second.
        client.sync().sync()
        return wanted(client)


def claimed():
    """The names of cases in h2spec.md."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "h2spec.md"), encoding="utf-8") as page:
        rows = [line for line in page if re.match(r"\| [a-z0-9]+/", line)]
    return {row.split("|")[2].strip() for row in rows}, len(rows)


def main(binary):
    tap = Tap()
    names = [name for name, *_ in CASES]
    tap.same("every name once", sorted(set(names)), sorted(names))
    for role, port in both(binary):
        for name, sent, wanted, first in CASES:
            tap.same(f"{role}: {name}", judge(port, sent, wanted, first), [])
    covered, rows = claimed()
    tap.same("h2spec.md names cases that there are", sorted(covered - set(names)), [])
    tap.same("h2spec.md has the whole list", rows, 147)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: h2spec.py BINARY")
main(sys.argv[1])
