# SPDX-License-Identifier: MIT
"""
The clients of the matrix, from sockets, so that every octet is looked at: HTTP/1.1 in the clear and in TLS, HTTP/2 in TLS. Each has

    ask(method, path, fields) -> Answer
    close()                   -> what the server sent that nobody had asked for, as text; "" for nothing
"""

import socket
import ssl
import subprocess
import zlib

import h2

PATIENCE_S = 30
TRANSPORTS = ["h1", "tls", "h2"]
DECODERS = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-qdc"]}


class Failure(Exception):
    """What came is not HTTP, or nothing came."""


class Answer:
    """A final answer: status, fields as they came, and the octets of the body."""

    def __init__(self, status, lines, body):
        self.status, self.body = status, body
        pairs = [line.partition(":") for line in lines]
        self.fields = [(name.lower(), value.strip()) for name, _, value in pairs]

    def get(self, name):
        """The value of a field; None if it is not there, and a list of values if it stands in several lines."""
        values = [value for found, value in self.fields if found == name]
        return values[0] if len(values) == 1 else values or None

    @property
    def tag(self):
        return self.get("etag")

    @property
    def coding(self):
        return self.get("content-encoding") or "identity"

    def varies(self):
        """Whether Vary has Accept-Encoding, once."""
        values = [value for name, value in self.fields if name == "vary"]
        members = [member.strip().lower() for value in values for member in value.split(",")]
        return members.count("accept-encoding") == 1

    def decoded(self):
        """The content without its coding."""
        return decode(self.coding, self.body)


def decode(coding, octets):
    """Without the coding; None if the octets are not in it, or not to their end."""
    if coding == "identity":
        return octets
    if coding == "gzip":
        engine = zlib.decompressobj(31)
        try:
            content = engine.decompress(octets)
        except zlib.error:
            return None
        return content if engine.eof and not engine.unused_data else None
    if coding not in DECODERS:
        return None
    done = subprocess.run(DECODERS[coding], input=octets, capture_output=True, check=False, timeout=PATIENCE_S)
    return done.stdout if done.returncode == 0 else None


class Http1:
    """One kept connection, in the clear or in TLS."""

    def __init__(self, port, secure):
        self.port, self.secure, self.socket, self.rest = port, secure, None, b""
        self.connect()

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.secure:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["http/1.1"])
            plain = context.wrap_socket(plain, server_hostname="localhost")
        self.socket, self.rest = plain, b""

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Failure("the connection was closed within an answer that began with " + repr(self.rest[:200]))
        self.rest += piece

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(mark)
        return head

    def exactly(self, count):
        while len(self.rest) < count:
            self.more()
        octets, self.rest = self.rest[:count], self.rest[count:]
        return octets

    def ask(self, method, path, fields):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in fields.items())]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        head = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        if not head[0].startswith("HTTP/1.1 "):
            raise Failure("not an answer: " + repr(head[0]))
        answer = Answer(int(head[0][9:12]), head[1:], b"")
        if method != "HEAD" and answer.status not in (204, 304):
            answer.body = self.body(answer)
        if (answer.get("connection") or "") == "close":
            self.socket.close()
            self.connect()
        return answer

    def body(self, answer):
        if answer.get("transfer-encoding") != "chunked":
            return self.exactly(int(answer.get("content-length")))
        octets = b""
        while size := int(self.until(b"\r\n").partition(b";")[0], 16):
            octets += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise Failure("a chunk does not end where it says")
        while self.until(b"\r\n"):
            pass  # trailer fields
        return octets

    def close(self):
        """Half-closes: the server then closes, and until then nothing may come."""
        if not self.secure:
            self.socket.shutdown(socket.SHUT_WR)
            while piece := self.socket.recv(65536):
                self.rest += piece
        self.socket.close()
        return repr(self.rest) if self.rest else ""


class Http2:
    """One connection (h2.py)."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def ask(self, method, path, fields):
        if self.connection is None:
            self.connection = h2.Connection(self.port, PATIENCE_S)
        try:
            status, pairs, body = self.connection.ask(method, path, fields)
        except h2.Failure as failure:
            raise Failure(str(failure)) from failure
        if self.connection.leaving:
            self.close()
        answer = Answer(status, [], body)
        answer.fields = pairs
        return answer

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
        return ""


def client(transport, ports):
    """A client for ports = {"http": port, "https": port}."""
    if transport == "h2":
        return Http2(ports["https"])
    return Http1(ports["https" if transport == "tls" else "http"], transport == "tls")

