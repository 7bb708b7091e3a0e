# SPDX-License-Identifier: MIT
"""stet as the tests of HTTP/2 run it: serve, and proxy before a serve, on ports of the system's choice."""

import contextlib
import http.server
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE_S = 20
PAGE = b"A byte that the other side has is never sent again.\n" * 4
LARGE = bytes(range(256)) * 4096  # 1 MiB

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Tap:
    """Counts and prints test lines."""

    def __init__(self):
        self.count = self.failed = 0

    def same(self, what, got, wanted):
        self.count += 1
        if got == wanted:
            print(f"ok {self.count} - {what}", flush=True)
            return
        self.failed += 1
        print(f"not ok {self.count} - {what}\n#   wanted {str(wanted)[:600]}\n#   got    {str(got)[:600]}", flush=True)

    def finish(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


class Stet:
    """A running stet."""

    def __init__(self, binary, role, *options):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([binary, role, *options, "--listen", "127.0.0.1:0", "--workers", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.rest, self.port = b"", 0
        found = re.findall(r"http://127\.0\.0\.1:(\d+)", self.line())
        self.port = int(found[-1])

    def line(self):
        """The next line that it prints."""
        until = time.monotonic() + PATIENCE_S
        while b"\n" not in self.rest:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not piece:
                raise RuntimeError("stet printed no line" if not readable else "stet ended")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def memory(self):
        """Octets that are its own."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return 1024 * int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1))

    def stop(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def running(binary, role, *options):
    """A stet that ends with the block, and had better end well."""
    stet = Stet(binary, role, *options)
    try:
        yield stet
    finally:
        code = stet.process.poll()
        code = stet.stop() if code is None else code
        if code != 0:
            print(f"Bail out! stet {role} ended with {code}\n{stet.rest.decode('utf-8', 'replace')}", flush=True)
            sys.exit(1)


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="stet-http2-") as root:
        for name, octets in (("index.html", PAGE), ("large", LARGE)):
            with open(os.path.join(root, name), "wb") as out:
                out.write(octets)
        yield root


@contextlib.contextmanager
def serving(binary, *options):
    with folder() as root, running(binary, "serve", root, *options) as stet:
        yield stet


class Echo(http.server.BaseHTTPRequestHandler):
    """An origin that says what it was asked, then an empty line and the content."""

    protocol_version = "HTTP/1.1"
    asked = []  # paths

    def content(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0))), b""
        octets = b""
        while size := int(self.rfile.readline(), 16):
            octets += self.rfile.read(size)
            self.rfile.readline()
        trailers = b""
        while (line := self.rfile.readline()).strip():
            trailers += line
        return octets, trailers

    def do_GET(self):  # pylint: disable=invalid-name
        self.asked.append(self.path)
        octets, trailers = self.content()
        said = f"{self.requestline}\r\n{self.headers}".encode("latin-1").replace(b"\r\n", b"\n").strip() + b"\n" + trailers + b"\n" + octets
        self.send_response(200)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "X-Hop")
        self.send_header("X-Hop", "1")
        if self.path != "/trailers":
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"3\r\nall\r\n0\r\nX-Sum: 17\r\n\r\n")

    do_POST = do_GET

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Nothing."""


@contextlib.contextmanager
def echoing(binary, *options):
    """A proxy before Echo."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as origin:
        origin.daemon_threads = True
        threading.Thread(target=origin.serve_forever, args=(0.05,), daemon=True).start()
        with running(binary, "proxy", f"http://127.0.0.1:{origin.server_port}", *options) as stet:
            yield stet
        origin.shutdown()


@contextlib.contextmanager
def proxying(binary, *options):
    with serving(binary) as origin, running(binary, "proxy", f"http://127.0.0.1:{origin.port}", *options) as stet:
        yield stet


def both(binary, *options):
    """(role, port) of serve, then of proxy."""
    for role, way in (("serve", serving), ("proxy", proxying)):
        with way(binary, *options) as stet:
            yield role, stet.port
