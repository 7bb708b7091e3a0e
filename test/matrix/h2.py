# SPDX-License-Identifier: MIT
"""
An HTTP/2 client that looks at every frame: one connection in TLS, one request at a time. It frames by itself (RFC 9113); field
blocks are decoded by libnghttp2's HPACK and written as literals.
"""

import ctypes
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
NAMES = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"]
EMIT, FINAL = 2, 1  # of nghttp2_hd_inflate_hd2


class Failure(Exception):
    """What came is not HTTP/2, or the stream or the connection was ended."""


class Pair(ctypes.Structure):
    """nghttp2_nv"""

    _fields_ = [("name", ctypes.POINTER(ctypes.c_ubyte)), ("value", ctypes.POINTER(ctypes.c_ubyte)),
                ("name_len", ctypes.c_size_t), ("value_len", ctypes.c_size_t), ("flags", ctypes.c_ubyte)]


class Inflater:
    """The decoder of one connection."""

    def __init__(self):
        self.library = ctypes.CDLL("libnghttp2.so.14")
        self.library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.library.nghttp2_hd_inflate_hd2.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p,
                                                        ctypes.c_size_t, ctypes.c_int]
        self.state = ctypes.c_void_p()
        if self.library.nghttp2_hd_inflate_new(ctypes.byref(self.state)):
            raise MemoryError

    def fields(self, block):
        """[(name, value)] of a whole field block."""
        found = []
        while True:
            pair, flags = Pair(), ctypes.c_int()
            used = self.library.nghttp2_hd_inflate_hd2(self.state, ctypes.byref(pair), ctypes.byref(flags), block, len(block), 1)
            if used < 0:
                raise Failure(f"HPACK: error {used}")
            block = block[used:]
            if flags.value & EMIT:
                found.append((ctypes.string_at(pair.name, pair.name_len).decode("latin-1"),
                              ctypes.string_at(pair.value, pair.value_len).decode("latin-1")))
            elif flags.value & FINAL or not block:
                self.library.nghttp2_hd_inflate_end_headers(self.state)
                return found

    def close(self):
        self.library.nghttp2_hd_inflate_del(self.state)
        self.state = None


def integer(value, bits):
    """RFC 7541 5.1, with zeros before."""
    if value < (1 << bits) - 1:
        return bytes([value])
    octets, value = bytes([(1 << bits) - 1]), value - (1 << bits) + 1
    while value >= 128:
        octets, value = octets + bytes([value % 128 + 128]), value // 128
    return octets + bytes([value])


def literal(name, value):
    """Without indexing, new name (6.2.2), no Huffman code."""
    name, value = name.encode("ascii"), value.encode("latin-1")
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value


class Connection:
    """ask() gives (status, [(name, value)], body); frames that must not be there are failures."""

    def __init__(self, port, patience_s):
        plain = socket.create_connection(("127.0.0.1", port), patience_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        if self.socket.selected_alpn_protocol() != "h2":
            raise Failure("no h2 by ALPN")
        self.inflater, self.rest, self.stream, self.leaving = Inflater(), b"", -1, False
        self.socket.sendall(PREFACE + self.frame(SETTINGS, 0, 0, b""))

    @staticmethod
    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload

    def exactly(self, count):
        while len(self.rest) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise Failure("the connection was closed")
            self.rest += piece
        octets, self.rest = self.rest[:count], self.rest[count:]
        return octets

    def next_frame(self):
        """The next frame of a stream: (kind, flags, stream, payload). Those of the connection are dealt with."""
        while True:
            head = self.exactly(9)
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            payload = self.exactly(int.from_bytes(head[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(self.frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(self.frame(PING, ACK, 0, payload))
            elif kind == GOAWAY:
                if payload[4:8] != b"\0\0\0\0":
                    raise Failure(f"GOAWAY with error {int.from_bytes(payload[4:8], 'big')}: {payload[8:]!r}")
                self.leaving = True
            elif kind in (DATA, HEADERS, RST_STREAM, PUSH_PROMISE, CONTINUATION):
                return kind, flags, stream, payload

    def block(self, flags, payload):
        """The field block of a HEADERS frame and what continues it."""
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if flags & PRIORITY:
            payload = payload[5:]
        while not flags & END_HEADERS:
            kind, flags, _, more = self.next_frame()
            if kind != CONTINUATION:
                raise Failure(f"{NAMES[kind]} within a field block")
            payload += more
        return self.inflater.fields(payload)

    def ask(self, method, path, fields):
        self.stream += 2
        pairs = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path),
                 *((name.lower(), value) for name, value in fields.items())]
        block = b"".join(literal(*pair) for pair in pairs)
        self.socket.sendall(self.frame(HEADERS, END_HEADERS | END_STREAM, self.stream, block))
        status, head, body, done = 0, [], b"", False
        while not done:
            kind, flags, stream, payload = self.next_frame()
            if stream != self.stream or kind not in (HEADERS, DATA):
                raise Failure(f"{NAMES[kind]} of stream {stream}, {payload[:8]!r}, while stream {self.stream} is open")
            done = bool(flags & END_STREAM)
            if kind == DATA:
                body += self.content(method, status, flags, payload)
                continue
            found = self.block(flags, payload)
            if not status:  # else trailer fields
                status, head = int(found[0][1]), found[1:]
        if body and ("content-length", str(len(body))) not in head and any(name == "content-length" for name, _ in head):
            raise Failure(f"{len(body)} octets of content: {head}")
        return status, head, body

    def content(self, method, status, flags, payload):
        # RFC 9113 8.1 and RFC 9110 15.4.5: the HEADERS frame of a 304, and of an answer to HEAD, ends its stream.
        if status in (0, 304) or method == "HEAD":
            raise Failure(f"DATA for {method} after status {status}")
        credit = struct.pack(">I", max(1, len(payload)))
        self.socket.sendall(self.frame(WINDOW_UPDATE, 0, 0, credit) + self.frame(WINDOW_UPDATE, 0, self.stream, credit))
        return payload[1:len(payload) - payload[0]] if flags & PADDED else payload

    def close(self):
        self.inflater.close()
        self.socket.close()
