# SPDX-License-Identifier: MIT
"""
What the tests with real applications share: `stet proxy` in front of an application, what its access log says of each request,
and the browser of test/clients.
"""

import contextlib
import json
import os
import re
import select
import subprocess
import sys
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "clients"))

# pylint: disable=wrong-import-position
import support  # noqa: E402
from devtools import Chromium, Failure  # noqa: E402,F401  (for the tests)

PATIENCE_S = 60


class Proxy:
    """A running `stet proxy`. `seen` holds the records of its access log."""

    def __init__(self, binary, port, *options):
        command = [binary, "proxy", f"http://127.0.0.1:{port}", "--listen", "127.0.0.1:0", "--workers", "2", "--log", "-",
                   "--log-format", "json", *options]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.rest, self.seen = b"", []
        until = time.monotonic() + PATIENCE_S
        match = None
        while not match:
            line = self.line(until)
            if line is None:
                self.process.kill()
                raise RuntimeError("stet proxy does not start")
            match = re.search(rb"http://127\.0\.0\.1:(\d+)", line) if port != 0 else None
            match = match if match and int(match.group(1)) != port else None
        self.port = int(match.group(1))

    def line(self, until):
        """The next line that comes before `until`, or None."""
        while b"\n" not in self.rest:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not piece:
                return None
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def log(self, quiet_s=0.4):
        """The records since the last call: everything until nothing has come for a while."""
        records = []
        while (line := self.line(time.monotonic() + quiet_s)) is not None:
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        self.seen += records
        return records

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def proxy(port, *options):
    running = Proxy(sys.argv[1], port, *options)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def program(command, port, **options):
    """A program that will answer HTTP on `port`; its output goes to a file that is shown if it does not."""
    with open(os.path.join(options["cwd"], "output.log"), "wb") as log:
        # pylint: disable-next=consider-using-with
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError):
                get(port, "/")
                break
            if time.monotonic() > until or process.poll() is not None:
                with open(log.name, encoding="utf-8", errors="replace") as text:
                    raise RuntimeError(command[0] + " does not answer: " + text.read()[-2000:])
            time.sleep(0.1)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(PATIENCE_S)


def get(port, path, **fields):
    """(status, fields, body) for a client without cookies and without a cache."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=fields)
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def free_port():
    import socket  # pylint: disable=import-outside-toplevel
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def hit(record):
    """Whether the answer came out of the store with nothing asked."""
    return ";hit" in record.get("cache", "")


def picture(browser, name):
    if "SCREENSHOTS" in os.environ:
        browser.screenshot(os.path.join(os.environ["SCREENSHOTS"], name + ".png"))


def run(judge):
    """A test: judge(tap, browser)."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BINARY")
    tap = support.Tap()
    browser = Chromium()
    try:
        judge(tap, browser)
    finally:
        browser.close()
    tap.finish()
