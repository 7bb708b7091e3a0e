# SPDX-License-Identifier: MIT
"""The servers of the matrix: stet in both roles, each reached in the clear and in TLS, and an origin whose contents can be changed."""

import contextlib
import hashlib
import http.server
import os
import re
import select
import subprocess
import tempfile
import threading
import time

import cell

PATIENCE_S = 30
WANTED = re.compile(r"(https?)://127\.0\.0\.1:(\d+)")


class Stet:
    """`stet serve` or `stet proxy`. `ports` is {"http": port}, and with `secure` {"https": port} too."""

    def __init__(self, binary, role, what, *options, secure=False):
        command = [binary, role, what, "--listen", "127.0.0.1:0", "--workers", "2", *options]
        if secure:
            command += ["--listen", "https:127.0.0.1:0", "--tls-self-signed"]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.ports, self.said = {}, b""
        until = time.monotonic() + PATIENCE_S
        while len(self.ports) < 1 + secure:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536) if readable else b""
            if not piece:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"stet {role} does not start: {self.said.decode('utf-8', 'replace')}")
            self.said += piece
            found = WANTED.findall(self.said[:self.said.rfind(b"\n") + 1].decode("utf-8", "replace"))
            origin = WANTED.search(what)
            self.ports = {scheme: int(port) for scheme, port in found if not origin or port != origin.group(2)}
        # What else it says is read, so that the pipe never fills.
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            self.said += piece

    def stop(self):
        """Ends it. Returns what is wrong with how it ended."""
        self.process.terminate()
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:  # it goes round in circles
            self.process.kill()
            code = self.process.wait()
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        return "" if code == 0 else f"exit code {code}: {self.said[-3000:].decode('utf-8', 'replace')}"


class File(cell.Resource):
    """A file below the folder that is served."""

    def __init__(self, root, path, content, modified_s=None):
        super().__init__(path, content)
        self.name, self.modified_s = root + path, modified_s
        os.makedirs(os.path.dirname(self.name), exist_ok=True)
        self.change(content)

    def change(self, content):
        # As an editor does it: a new file in place of the old one.
        self.replace(self.name, content)
        self.content = content

    def replace(self, name, content):
        with open(name + "~", "wb") as file:
            file.write(content)
        if self.modified_s:
            os.utime(name + "~", (self.modified_s, self.modified_s))
        os.rename(name + "~", name)


class Page(cell.Resource):
    """A resource of the origin below."""

    def __init__(self, origin, path, content, control, form='"{}"'):
        super().__init__(path, content)
        self.control, self.form = control, form
        self.asked = []  # (method, If-None-Match, Accept-Encoding, Range, status) of each request of stet
        self.fresh = "max-age" in control
        origin.pages[path] = self

    @property
    def tag(self):
        return self.form.format(hashlib.sha256(self.content).hexdigest()[:12]) if self.form else None

    def change(self, content):
        self.content = content


class Origin:
    """Answers GET and HEAD for its pages, If-Match by strong and If-None-Match by weak comparison. It never codes, and knows no ranges."""

    def __init__(self):
        self.pages = {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        pages = self.pages

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection of stet."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                page = pages[self.path.partition("?")[0]]
                content, tag = page.content, page.tag
                held = [one.strip().removeprefix("W/") for one in self.headers.get("If-None-Match", "").split(",")]
                must = self.headers.get("If-Match")
                lost = must is not None and (tag is None or tag.startswith("W/") or tag not in must.split(", "))
                same = not lost and tag is not None and tag.removeprefix("W/") in held
                status = 412 if lost else 304 if same else 200
                content = b"" if lost else content
                page.asked.append((self.command, self.headers.get("If-None-Match") or must, self.headers.get("Accept-Encoding"),
                                   self.headers.get("Range"), status))
                self.send_response(status)
                self.send_header("Cache-Control", page.control)
                if tag:
                    self.send_header("ETag", tag)
                if not same:
                    self.send_header("Content-Type", "text/plain; charset=utf-8")
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET" and not same:
                    self.wfile.write(content)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        return Handler

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def serving(binary, *options, root=None, **how):
    """(stet serve, the folder that it serves: `root` or a new one)."""
    with tempfile.TemporaryDirectory(prefix="stet-matrix-") as folder:
        root = root or folder
        stet = Stet(binary, "serve", root, "--cache", "/**=no-cache", *options, **how)
        try:
            yield stet, root
        finally:
            failure = stet.stop()
            if failure:
                raise RuntimeError(failure)


@contextlib.contextmanager
def proxying(binary, port, *options, **how):
    """stet proxy before the origin on this port."""
    stet = Stet(binary, "proxy", f"http://127.0.0.1:{port}", *options, **how)
    try:
        yield stet
    finally:
        failure = stet.stop()
        if failure:
            raise RuntimeError(failure)
