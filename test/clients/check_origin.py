# SPDX-License-Identifier: MIT
"""
An origin that does everything right, but for the one fault that the path names: /right, /inm-ignored, ... It is written by the RFC and
octet by octet, so that `stet check` has something to find that no library would let through.
"""

import collections
import email.utils
import gzip
import hashlib
import socket
import threading
import time

import check_tweaks

CONTENT = b"".join(b"%d: what the other side has is never sent again.\n" % i for i in range(60))
MODIFIED = 1_750_000_000
PAGE = b"""<!doctype html><html><head><base href="/right/"><link rel="stylesheet icon" href="a.css"><link rel=next href="no.html">
<script src="b.js"></script></head><body><img src="c.png" srcset="c.png 1x, d.png 2x,"><a href="no.html">x</a><img src="data:image/png,x"></body>"""


def date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def seconds(text):
    """Any of the three forms; None if it is no date."""
    for form in ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"):
        try:
            return int(time.mktime(time.strptime(text.replace("  ", " "), form)) - time.timezone)
        except ValueError:
            continue
    return None


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            name, value = name.lower(), value.strip()
            self.fields[name] = f"{self.fields[name]}, {value}" if name in self.fields else value

    def get(self, name):
        return self.fields.get(name)


def opaque(tag):
    return tag[2:] if tag.startswith("W/") else tag


def tags(value):
    """The members of a list of tags."""
    found, rest = [], value
    while rest:
        rest = rest.lstrip(" ,")
        start = 3 if rest.startswith('W/"') else 1 if rest.startswith('"') else 0
        end = rest.find('"', start) + 1 if start else rest.find(",") % (len(rest) + 1)
        end = end or len(rest)
        found.append(rest[:end].strip())
        rest = rest[end:]
    return found


class Representation:
    """What is selected by Accept-Encoding, with the faults that a representation can have."""

    def __init__(self, request, fault, count):
        self.plain = CONTENT
        if fault in ("content-changes", "etag-reused"):
            self.plain = b"%d" % count + CONTENT
        coded = "gzip" in (request.get("accept-encoding") or "") and fault != "not-coded"
        wanted = [part.partition(";")[0].strip() for part in (request.get("accept-encoding") or "").split(",")]
        coded = coded and wanted[0] == "gzip"
        self.octets = gzip.compress(self.plain, mtime=0) if coded else self.plain
        if fault == "coding-other-content" and coded:
            self.octets = gzip.compress(b"old" + self.plain, mtime=0)
        self.tag = '"%s"' % hashlib.sha256(self.plain).hexdigest()[:16]
        if coded and fault != "coding-shares-tag":
            self.tag = self.tag[:-1] + '-gz"'
        if fault == "etag-reused":
            self.tag = '"always"'
        if fault == "etag-unstable":
            self.tag = '"%d"' % count
        self.coded = coded
        self.modified = MODIFIED + (count if fault == "last-modified-of-the-moment" else 0)
        self.fields = [("Date", date(time.time())), ("ETag", self.tag), ("Last-Modified", date(self.modified)),
                       ("Cache-Control", "max-age=3600"), ("Vary", "Accept-Encoding"), ("Content-Type", "text/plain"),
                       ("Accept-Ranges", "bytes"), ("Access-Control-Allow-Origin", "*")]
        if coded:
            self.fields.append(("Content-Encoding", "gzip"))
        if fault == "coding-without-vary":
            self.drop("Vary")
        if fault == "vary-only-when-coded" and not coded:
            self.drop("Vary")
        if fault == "coding-drops-etag" and coded:
            self.drop("ETag")
            self.tag = None

    def drop(self, name):
        self.fields = [field for field in self.fields if field[0] != name]


def not_modified(request, it, fault):
    """Whether 304 is due; faults bend it."""
    none_match, since = request.get("if-none-match"), request.get("if-modified-since")
    when = seconds(since) if since is not None else None
    by_date = when is not None and (it.modified == when if fault == "ims-exact-only" else it.modified <= when)
    if fault == "ims-earlier-matched" and when is not None:
        by_date = True
    if fault == "ims-invalid-matched" and since is not None and when is None:
        return True
    if fault == "ims-ignored":
        by_date = False
    if none_match is None or it.tag is None:
        return by_date
    if fault == "inm-ignored" or (fault == "coded-tag-not-matched" and it.coded):
        return False
    if fault == "ims-beats-inm" and since is not None:
        return by_date
    if fault == "inm-list-ignored":
        return none_match in ("*", it.tag) or opaque(none_match) == it.tag
    if fault == "inm-weak-ignored":
        return none_match == "*" or it.tag in tags(none_match)
    if fault == "inm-overmatch":
        return True
    if fault == "inm-prefix-matched":
        return any(opaque(tag)[:8] == it.tag[:8] for tag in tags(none_match)) or none_match == "*"
    matches = none_match.strip() == "*" or it.tag in [opaque(tag) for tag in tags(none_match)]
    return matches and (by_date or since is None) if fault == "ims-vetoes-inm" else matches


def failed(request, it):
    """Whether 412 is due."""
    match, since = request.get("if-match"), request.get("if-unmodified-since")
    if match is not None:
        return match != "*" and it.tag not in tags(match)
    when = seconds(since) if since is not None else None
    return when is not None and it.modified > when


def ranges(value, length):
    """[(first, last)]; None to ignore it, [] if nothing of it is there."""
    unit, _, specs = value.partition("=")
    found = []
    for spec in specs.split(","):
        first, dash, last = spec.strip().partition("-")
        if unit != "bytes" or not dash or (first and last and int(last) < int(first)):
            return None
        if not first:
            found.append((max(0, length - int(last)), length - 1))
        elif int(first) < length:
            found.append((int(first), min(int(last or length), length - 1)))
    return found


def if_range(request, it, fault):
    value = request.get("if-range")
    if value is None or fault == "if-range-ignored":
        return True
    if fault == "if-range-weak-matched":
        value = opaque(value)
    return value == it.tag if '"' in value[:3] else seconds(value) == it.modified


def partial(request, it, fault):
    """(status, fields, content)."""
    wanted = ranges(request.get("range"), len(it.octets))
    if wanted is None:
        return 200, it.fields, it.octets
    if not wanted:
        fields = [] if fault == "416-without-length" else [("Content-Range", f"bytes */{len(it.octets)}")]
        return 416, [("Date", date(time.time())), *fields], b""
    if len(wanted) > 1:
        text = b""
        for first, last in wanted:
            text += b"--b\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s\r\n" % (first, last, len(it.octets), it.octets[first:last + 1])
        if fault == "multipart-malformed":
            text = text.replace(b"\r\n\r\n", b"\n\n")
        return 206, [f for f in it.fields if f[0] != "Content-Type"] + [("Content-Type", "multipart/byteranges; boundary=b")], text + b"--b--\r\n"
    first, last = wanted[0]
    octets = it.octets[first:last + 1]
    if fault == "206-wrong-octets":
        octets = b"!" * len(octets)
    fields = [field for field in it.fields if fault != "206-lacks-field" or field[0] != "ETag"]
    return 206, fields + [("Content-Range", f"bytes {first}-{last}/{len(it.octets)}")], octets


def head_304(it, fault):
    left = {"304-lacks-etag": "ETag", "304-lacks-vary": "Vary", "304-lacks-freshness": "Cache-Control",
            "304-lacks-cors": "Access-Control-Allow-Origin", "304-lacks-field": "Date"}.get(fault)
    fields = [field for field in it.fields
              if field[0] not in ("Last-Modified", "Content-Type", "Content-Encoding", "Accept-Ranges", left)]
    if fault == "304-changes-freshness":
        fields = [(name, "max-age=5" if name == "Cache-Control" else value) for name, value in fields]
    if fault == "304-other-etag":
        fields = [(name, '"other"' if name == "ETag" else value) for name, value in fields]
    if fault == "304-wrong-length":
        fields.append(("Content-Length", "0"))
    return fields


def respond(request, fault, count):
    """(status, fields, content, what stands behind the message)."""
    it = Representation(request, fault, count)
    if failed(request, it):
        return 412, [("Date", date(time.time())), ("Content-Type", "text/plain")], b"no", b""
    if not_modified(request, it, fault) and not (fault == "range-before-inm" and request.get("range")):
        return 304, head_304(it, fault), b"", b"hello" if fault == "304-with-content" and request.method == "GET" else b""
    if request.method == "HEAD":
        return 200, it.fields, it.octets if fault != "head-wrong-length" else b"x", b""
    if request.get("range") and fault != "ranges-announced-only" and if_range(request, it, fault):
        return (*partial(request, it, fault), b"")
    return 200, it.fields, it.octets, b""


class Origin:
    """Listens at a port of its own. `asked` has the heads of all requests."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked, self.count, self.counts = [], 0, collections.Counter()
        self.over, self.stalled = threading.Event(), threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        rest = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in rest:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    rest += piece
                head, rest = rest.split(b"\r\n\r\n", 1)
                if not self.answer(connection, Request(head), head):
                    return

    def odd(self, connection, name):
        """Servers that are none. True if it was one."""
        if name == "garbage":
            connection.sendall(b"\0\1\2SSH-2.0-OpenSSH\r\n")
        elif name == "silent":
            self.over.wait(60)
        elif name == "stalls":
            connection.sendall(b"HTTP/1.1 200 OK\r\nETag: \"s\"\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n")
            self.stalled.set()
            self.over.wait(60)
        elif name in ("401", "404", "405", "500"):
            connection.sendall(f"HTTP/1.1 {name} X\r\nDate: {date(time.time())}\r\nContent-Length: 0\r\n\r\n".encode())
        elif name == "cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello")
        elif name == "loop":
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n")
        elif name == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\n")
            while not self.over.is_set():
                connection.sendall(b"x" * 65536)
        else:
            return name == "closes"
        return True

    def answer(self, connection, request, head):
        fault = request.path.split("/")[1]
        self.count += 1
        self.asked.append(head.decode("latin-1"))
        conditional = any(name.startswith("if-") or name == "range" for name in request.fields)
        try:
            if self.odd(connection, fault) or (fault == "probe-no-answer" and conditional):
                return False
        except OSError:
            return False
        status, fields, content, behind = respond(request, fault, self.count)
        tweak = {**check_tweaks.TWEAKS, **check_tweaks.EDGES}.get(fault)
        if tweak:
            self.counts[request.path] += 1
            it, answer = Representation(request, fault, self.count), [status, fields, content]
            tweak(request, answer, it, self.counts[request.path])
            status, fields, content = answer
        if fault == "redirect":
            status, fields, content = 301, [("Location", "/right"), ("Date", date(time.time()))], b""
        if fault == "page":
            fields = [(name, "text/html" if name == "Content-Type" else value) for name, value in fields]
            content = PAGE
        if fault == "probe-server-error" and conditional:
            status, fields, content = 500, [("Date", date(time.time()))], b""
        if fault == "head-refused" and request.method == "HEAD":
            status, fields, content = 405, [("Date", date(time.time()))], b""
        if fault == "probe-throttled" and request.get("if-none-match"):
            status, fields, content = 429, [("Date", date(time.time()))], b""
        length = [] if status == 304 else [("Content-Length", str(len(content)))]
        text = "".join(f"{name}: {value}\r\n" for name, value in [*fields, *length])
        connection.sendall(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + (b"" if request.method == "HEAD" else content) + behind)
        return True

    def stop(self):
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
