# SPDX-License-Identifier: MIT
"""
A client of HTTP/2 that sends whatever frames a test wants, whether they are right or not, and tells what comes back. It never
sleeps: a PING behind the frames says when they are dealt with.
"""

import socket
import struct
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION) = range(10)
PRIORITY_UPDATE = 16
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 1, 1, 4, 8, 32
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
 CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
TABLE_SIZE, ENABLE_PUSH, MAX_STREAMS, INITIAL_WINDOW, MAX_FRAME, MAX_LIST = range(1, 7)
PATIENCE_S = 20


def frame(kind, flags, stream, payload=b"", length=None):
    return struct.pack(">I", len(payload) if length is None else length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def number(value, bits, first=0):
    """An integer of HPACK (RFC 7541 section 5.1) behind `first`."""
    top = (1 << bits) - 1
    if value < top:
        return bytes([first | value])
    out, value = [first | top], value - top
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def text(octets):
    octets = octets.encode("latin-1") if isinstance(octets, str) else octets
    return number(len(octets), 7) + octets


def block(pairs, first=0):
    """A field block of literals; `first` 0: without indexing, 0x10: never indexed, 0x40: with indexing."""
    return b"".join(bytes([first]) + text(name) + text(value) for name, value in pairs)


def request(method="GET", path="/", *more, scheme="http", authority="localhost"):
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [(name, value) for name, value in pseudo if value is not None] + list(more)


def headers(stream, pairs=None, end=True, flags=END_HEADERS):
    fields = block(request() if pairs is None else pairs) if not isinstance(pairs, bytes) else pairs
    return frame(HEADERS, flags | (END_STREAM if end else 0), stream, fields)


def data(stream, octets=b"", end=False):
    return frame(DATA, END_STREAM if end else 0, stream, octets)


def settings(**values):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", globals()[name], value) for name, value in values.items()))


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def rst(stream, error=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", error))


def ping(octets=b"\0" * 8):
    return frame(PING, 0, 0, octets)


class Stream:
    """What came of one stream."""

    def __init__(self):
        self.fields, self.interims, self.trailers, self.body, self.ended, self.reset, self.lengths = None, [], None, b"", False, None, []

    @property
    def status(self):
        return int(self.fields[":status"]) if self.fields else None

    def take(self, fields):
        if fields.get(":status", "").startswith("1"):
            self.interims.append(fields)
        elif self.fields is None:
            self.fields = fields
        else:
            self.trailers = fields


class Client:
    """One connection. `streams`, `goaways` (last stream, error) and `closed` tell what has come."""

    def __init__(self, port, first=None):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest, self.decoder, self.pings = b"", hpack.Decoder(), 0
        self.streams, self.goaways, self.pongs, self.pinged, self.frames, self.settings = {}, [], [], [], [], {}
        self.opened, self.closed, self.acks = {}, False, 0
        self.send(PREFACE + frame(SETTINGS, 0, 0) if first is None else first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        """A server that has hung up is no failure of sending: what it said is still to be read."""
        try:
            self.socket.sendall(b"".join(frames))
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def stream(self, number_of):
        return self.streams.setdefault(number_of, Stream())

    def __getitem__(self, number_of):
        return self.stream(number_of)

    def read(self, until_s=None):
        """One frame; None at the end of the connection or of the time."""
        until_s = until_s or time.monotonic() + PATIENCE_S
        while len(self.rest) < 9 or len(self.rest) < 9 + int.from_bytes(self.rest[:3], "big"):
            try:
                self.socket.settimeout(max(0.001, until_s - time.monotonic()))
                piece = self.socket.recv(1 << 17)
            except TimeoutError:
                return None
            except ConnectionResetError:
                piece = b""
            if not piece:
                self.closed = True
                return None
            self.rest += piece
        length = int.from_bytes(self.rest[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.rest[3:9])
        payload, self.rest = self.rest[9:9 + length], self.rest[9 + length:]
        self.frames.append((kind, flags, stream, length))
        self.note(kind, flags, stream & 0x7fffffff, payload)
        return kind, flags, stream, payload

    def note(self, kind, flags, stream, payload):
        if kind == HEADERS:
            assert flags & END_HEADERS, "the server has sent CONTINUATION, which these tests do not read"
            self.stream(stream).take(dict({name.decode("latin-1"): value.decode("latin-1") for name, value in self.decoder.decode(payload, raw=True)}.items()))
        elif kind == DATA:
            self.stream(stream).body += payload
            self.stream(stream).lengths.append(len(payload))
        elif kind == RST_STREAM:
            self.stream(stream).reset = struct.unpack(">I", payload)[0]
        elif kind == GOAWAY:
            self.goaways.append(struct.unpack(">II", payload[:8]))
        elif kind == PING and flags & ACK:
            self.pongs.append(payload)
        elif kind == PING:
            self.pinged.append(payload)
        elif kind == SETTINGS and flags & ACK:
            self.acks += 1
        elif kind == SETTINGS:
            self.settings.update(struct.unpack(">HI", payload[i:i + 6]) for i in range(0, len(payload), 6))
            self.send(frame(SETTINGS, ACK, 0))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.stream(stream).ended = True

    def sync(self):
        """All that was sent is dealt with, or the connection has ended."""
        self.pings += 1
        mark = struct.pack(">Q", self.pings)
        self.send(ping(mark))
        while mark not in self.pongs and self.read():
            pass
        return self

    def end(self, patience_s=PATIENCE_S):
        """Reads until the server closes."""
        until_s = time.monotonic() + patience_s
        while self.read(until_s):
            pass
        return self

    def answers(self, *numbers):
        """Reads until these streams are over, or the connection."""
        until_s = time.monotonic() + PATIENCE_S
        while not all(self.stream(n).ended or self.stream(n).reset is not None for n in numbers) and self.read(until_s):
            pass
        return self

    def wait(self, done, patience_s=PATIENCE_S):
        """Reads until `done()`; tells whether it came true."""
        until_s = time.monotonic() + patience_s
        while not done():
            if not self.read(until_s):
                return done()
        return True

    def get(self, number_of, *arguments):
        self.send(headers(number_of, request(*arguments) if arguments else None))
        self.answers(number_of)
        return self.stream(number_of)
