# SPDX-License-Identifier: MIT
"""A running `stet proxy` as its keeper sees it: where it listens, what it holds, what it takes of the machine, how it ends."""

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from support import Tap  # noqa: E402,F401  pylint: disable=wrong-import-position

PATIENCE_S = 30
READY = re.compile(rb"at http://127\.0\.0\.1:(\d+)/\n.*admin at http://127\.0\.0\.1:(\d+)\n.*try", re.S)


class Proxy:
    def __init__(self, binary, origins, *options):
        self.errors = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        command = [binary, "proxy", *(f"http://127.0.0.1:{port}" for port in origins), "--listen", "127.0.0.1:0", "--admin",
                   "127.0.0.1:0", *options]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors)
        self.sanitized = b"__asan_init" in (octets := open(binary, "rb").read()) or b"__tsan_init" in octets
        text, until = b"", time.monotonic() + PATIENCE_S
        while not (match := READY.search(text)):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                self.process.kill()
                raise RuntimeError(f"stet proxy does not start: {text!r} {self.said()}")
            text += piece
        self.port, self.admin_port = int(match.group(1)), int(match.group(2))

    def said(self):
        """What it has written to standard error."""
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")

    def admin(self, method, path, body=b""):
        """The JSON of an answer."""
        with socket.create_connection(("127.0.0.1", self.admin_port), PATIENCE_S) as to:
            to.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            octets = b""
            while piece := to.recv(65536):
                octets += piece
        return json.loads(octets.partition(b"\r\n\r\n")[2])

    def store(self):
        return self.admin("GET", "/status")["store"]

    def purge_all(self):
        return self.admin("POST", "/purge", b'{"type": "all", "purge": true}')

    def descriptors(self):
        """Of files, sockets and all else, but for bodies that are stored: those are memory."""
        return len(self.links()) - len(self.memory_files())

    def links(self):
        folder, found = f"/proc/{self.process.pid}/fd", {}
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                found[folder + "/" + name] = os.readlink(folder + "/" + name)
        return found

    def memory_files(self):
        """Octets of each."""
        sizes = []
        for path, target in self.links().items():
            with contextlib.suppress(OSError):
                if "memfd:" in target:
                    sizes.append(os.stat(path).st_blocks * 512)
        return sizes

    def memory(self):
        """Octets of its own: what is resident and no file, and what stands in memory files."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1)) * 1024 + sum(self.memory_files())

    def stop(self):
        """Ends it. What is wrong about how it ended, or nothing."""
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"it did not end within {PATIENCE_S} s of SIGTERM; {self.said()}"
        said = self.said()
        return f"exit code {code}: {said[:6000]}" if code != 0 or "Sanitizer" in said or "runtime error" in said else ""

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running(*arguments):
    proxy = Proxy(*arguments)
    try:
        yield proxy
    finally:
        if proxy.process.poll() is None:
            proxy.kill()


def eventually(value, wanted, within_s=PATIENCE_S):
    """The value, as soon as it is as wanted, or when time is over."""
    until = time.monotonic() + within_s
    while not wanted(got := value()) and time.monotonic() < until:
        time.sleep(0.05)  # nothing tells of another process's descriptors
    return got
