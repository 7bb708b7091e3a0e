# SPDX-License-Identifier: MIT
"""What the tests with real clients share: the server, a relay that sees every octet, and the judgement of what it saw.

A client talks to stet through the relay, so that its own library need not tell the truth: how many connections it made, what
it sent, and what came back, to the last octet, is read from the wire.
"""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LATER = "Tue, 21 Nov 2050 08:00:00 GMT"  # it will be a Monday: the name of the day decides nothing
PAGE = b"<!doctype html><title>stet</title><p>" + b"A byte that the other side has is never sent again.\n" * 40
MODIFIED = 1_700_000_000  # of every file, so that Last-Modified is well in the past
PATIENCE_S = 30
SHOWN = 1000  # characters of a wrong value
RULES = [
    "--header", "*.html: Vary: Accept-Encoding",
    "--header", "/page.html: Content-Location: /page.html",
    "--cache", "*.html=max-age=600",
]
# What a 304 carries if the 200 would have (RFC 9110 section 15.4.5).
CARRIED = ["ETag", "Cache-Control", "Vary", "Content-Location"]


# A test that is stopped stops its server.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class Tap:
    """Counts and prints test lines."""

    def __init__(self):
        self.count = self.failed = 0

    def same(self, what, got, wanted):
        self.count += 1
        what = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in what)  # no XML has a control octet
        if got == wanted:
            print(f"ok {self.count} - {what}", flush=True)
            return
        self.failed += 1
        print(f"not ok {self.count} - {what}")
        for word, value in (("wanted", wanted), ("got   ", got)):
            text = repr(value)
            print(f"#   {word} {text if len(text) < SHOWN else text[:SHOWN] + '...'}", flush=True)

    def finish(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def clean_environment():
    """The environment without proxies, which a client would ask instead."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


class Stet:
    """
    A running `stet serve` of the folder `what`, or `stet proxy` before the port `what`. With `secure` it is also reached in TLS, with a certificate
    of its own making unless the options name one. `ports` is {"http": port, "https": port}. Its access log and its other lines come
    over one pipe.
    """

    def __init__(self, binary, what, *options, role="serve", secure=False):
        command = [binary, role, what if role == "serve" else f"http://127.0.0.1:{what}", "--listen", "127.0.0.1:0",
                   "--workers", "2", "--log", "-", "--log-format", "common", *options]
        if secure:
            command += ["--listen", "https:127.0.0.1:0", *([] if "--cert" in options else ["--tls-self-signed"])]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.rest, self.ports = b"", {}
        try:
            while len(self.ports) < 1 + secure:
                found = re.findall(r"(https?)://127\.0\.0\.1:(\d+)", self.line())
                self.ports.update({scheme: int(port) for scheme, port in found if int(port) != what})
        except RuntimeError:
            self.stop()
            raise
        self.port = self.ports["http"]

    def line(self):
        """The next line that the server prints."""
        until = time.monotonic() + PATIENCE_S
        while b"\n" not in self.rest:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not piece:
                raise RuntimeError("stet printed no line" if not readable else "stet ended")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def logged(self, count):
        """The next `count` lines of the access log, as {target: status}; of two for a target, a list of both."""
        seen = {}
        for _ in range(count):
            line = self.line()
            match = re.search(r'"[A-Z]+ (\S+) HTTP/[12](?:\.[01])?" (\d{3}) ', line)
            target, status = (match.group(1), int(match.group(2))) if match else (line, 0)
            seen[target] = [seen[target], status] if target in seen else status
        return seen

    def stop(self):
        """Ends the server. Returns its exit code."""
        self.process.terminate()
        self.process.stdout.close()
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:  # it goes round in circles
            self.process.kill()
            return self.process.wait()


class Relay:
    """Passes connections on to a port and keeps all octets: `connections` holds [sent by client, sent by server] each."""

    def __init__(self, port):
        self.port_behind = port
        self.connections = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                front, _ = self.listener.accept()
            except OSError:
                return
            behind = socket.create_connection(("127.0.0.1", self.port_behind), PATIENCE_S)
            behind.settimeout(None)
            octets = [bytearray(), bytearray()]
            self.connections.append(octets)
            for source, target, kept in ((front, behind, octets[0]), (behind, front, octets[1])):
                thread = threading.Thread(target=self.pump, args=(source, target, kept), daemon=True)
                thread.start()
                self.threads.append(thread)

    @staticmethod
    def pump(source, target, kept):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                kept += piece
                target.sendall(piece)
        # The end of one direction ends the connection: no client here closes one half only.
        for side in (target, source):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def finish(self):
        """After the client has ended: all that was under way has come."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join(PATIENCE_S)
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.connections


def head_of(octets):
    """(start line, {lower-case name: value}) of a head without its empty line."""
    lines = octets.decode("latin-1").split("\r\n")
    return lines[0], {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}


def messages(octets, bodies):
    """The heads in what one side sent, with what follows each: [(start line, fields, body)]. Answers of 304 have no body."""
    found, rest = [], bytes(octets)
    while rest:
        head, empty_line, rest = rest.partition(b"\r\n\r\n")
        if not empty_line:
            found.append((f"not a head: {head[:80]!r}", {}, b""))
            break
        start, fields = head_of(head)
        length = int(fields.get("content-length", 0)) if bodies and " 304 " not in start else 0
        found.append((start, fields, rest[:length]))
        rest = rest[length:]
    return found


def date_s(text):
    """Seconds of an IMF-fixdate, counted from any point: enough to subtract one from another."""
    match = re.fullmatch(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", text or "")
    if not match:
        return None
    day, month, year, hour, minute, second = match.groups()
    return time.mktime(time.strptime(f"{day} {month} {year} 12:00:00", "%d %b %Y %H:%M:%S")) + (
        int(hour) * 3600 + int(minute) * 60 + int(second))


def judge_fields(tap, ok_fields, not_modified_fields):
    """The 304 carries what the 200 does."""
    for name in CARRIED:
        value = not_modified_fields.get(name.lower())
        tap.same(f"the 304 carries {name} as the 200 does", (value is not None, value), (True, ok_fields.get(name.lower())))
    for what, fields in (("200", ok_fields), ("304", not_modified_fields)):
        date, expires = date_s(fields.get("date")), date_s(fields.get("expires"))
        life = expires - date if date and expires else (fields.get("date"), fields.get("expires"))
        tap.same(f"the {what} carries Date, and Expires 600 seconds later", life, 600)


def judge_wire(tap, connections, etag):
    """One connection; a 200, a 304 for the tag, a 304 for the date, and not an octet more."""
    tap.same("one connection", len(connections), 1)
    requests, answers = messages(connections[0][0], False), messages(connections[0][1], True)
    tap.same("the second request has the tag", [r[1].get("if-none-match") for r in requests[1:2]], [etag])
    tap.same("the third request has the date", [r[1].get("if-modified-since") for r in requests[2:3]], [LATER])
    tap.same("200, 304, 304, and not an octet after an empty line", [answer[0] for answer in answers],
             ["HTTP/1.1 200 OK", "HTTP/1.1 304 Not Modified", "HTTP/1.1 304 Not Modified"])
    if len(answers) == 3:
        tap.same("the 200 has the page", answers[0][2], PAGE)
        judge_fields(tap, answers[0][1], answers[1][1])
        judge_fields(tap, answers[0][1], answers[2][1])


@contextlib.contextmanager
def folder(files):
    """A folder with {path: octets}."""
    with tempfile.TemporaryDirectory(prefix="stet-client-") as root:
        for path, content in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as file:
                file.write(content)
            os.utime(full, (MODIFIED, MODIFIED))
        yield root


@contextlib.contextmanager
def serving(what, *options, **how):
    server = Stet(sys.argv[1], what, *options, **how)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def certificate(*names):
    """(certificate, key): files of a new certificate that signs itself, for these names. ECDSA with P-256."""
    with tempfile.TemporaryDirectory(prefix="stet-certificate-") as work:
        paths = [os.path.join(work, name) for name in ("certificate.pem", "key.pem")]
        make_certificate(*paths, *names)
        yield paths


def make_certificate(path, key_path, *names):
    alternatives = "subjectAltName=" + ",".join("DNS:" + name for name in names)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    "/CN=" + names[0], "-addext", alternatives, "-out", path, "-keyout", key_path], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)


def client_test(exchange):
    """
    A test with one client. exchange(url, straight_url) has it make three requests on one connection: plain, with the tag of the
    first answer, with If-Modified-Since LATER. It returns what the client saw, [(status, body), ...]. A request to
    straight_url goes past the relay and does not count. Content is not coded, so that what is on the wire is the page; the matrix and the
    clients over TLS see to codings.
    """
    tap = Tap()
    with folder({"page.html": PAGE}) as root, serving(root, *RULES, "--codings", "none") as server:
        relay = Relay(server.port)
        urls = (f"http://127.0.0.1:{port}/page.html" for port in (relay.port, server.port))
        seen = exchange(*urls)
        connections = relay.finish()
    tap.same("what the client saw", [tuple(one) for one in seen], [(200, PAGE.decode()), (304, ""), (304, "")])
    answers = messages(connections[0][1], True) if connections else []
    judge_wire(tap, connections, answers[0][1].get("etag") if answers else None)
    tap.finish()


def get(port, path, **fields):
    """(status, fields in small letters, body) of a request on a connection of its own, in the clear."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path, headers=fields)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def run_json(command, *arguments):
    """Runs a client that prints JSON."""
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                          stdin=subprocess.DEVNULL, env=clean_environment())
    try:
        return json.loads(done.stdout)
    except ValueError:
        print(f"# {command[0]}: exit code {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
        return []
