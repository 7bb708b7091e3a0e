# SPDX-License-Identifier: MIT
"""
`stet get` as its user meets it: options, output files, exit codes, what is told, a terminal. What a cache may do is the business of the
plays (test/vtc/get) and of test/spec.

One server is `stet serve`, whose files change; the other, Origin, says what it was asked, waits, or breaks off, as its path has it.
"""

import base64
import contextlib
import fcntl
import gzip
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

import support
from support import PATIENCE_S

BINARY = os.path.abspath(sys.argv[1])
tap = support.Tap()


DRIP_S = 0.05
PART = bytes(range(256)) * 2000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    go_on = threading.Event()  # what /wait waits for
    begun = threading.Event()  # its first half was sent

    def log_message(self, *_):
        pass

    def answer(self, status, content, *fields, length=None):
        self.send_response(status)
        for name, value in (("Content-Length", str(len(content) if length is None else length)), *fields):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def everything(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.split("?")[0].split("/")[1]
        if name == "echo":  # the request, with its fields in small letters and sorted
            fields = sorted(f"{key.lower()}: {value}" for key, value in self.headers.items() if key.lower() != "host")
            text = "\n".join([f"{self.command} {self.path}", *fields, body.decode("latin-1")])
            self.answer(200, text.encode("latin-1"), ("Cache-Control", "no-store"))
        elif name == "binary":
            self.answer(200, b"a\0b", ("Cache-Control", "no-store"))
        elif name == "redirect":
            self.answer(302, b"", ("Location", "/echo/there"))
        elif name == "cut":  # without a validator: it cannot be gone on with
            self.answer(200, b"begin", length=100)
            self.close_connection = True
        elif name == "part":  # the first half and no more, unless the rest of this very version is asked for
            rest = self.headers.get("Range") == "bytes=200000-" and self.headers.get("If-Range") == '"p"'
            if rest:
                self.answer(206, PART[200000:], ("ETag", '"p"'), ("Content-Range", f"bytes 200000-{len(PART) - 1}/{len(PART)}"))
            else:
                self.answer(200, PART[:200000], ("ETag", '"p"'), length=len(PART))
                self.wfile.flush()
                Handler.begun.set()
                Handler.go_on.wait(PATIENCE_S)
                self.close_connection = True
        elif name == "large":
            self.answer(200, b"x" * 50_000_000)
        elif name == "wait":  # half of it, then an octet now and then
            self.answer(200, b"h" * 500_000, length=1_000_000)
            self.wfile.flush()
            Handler.begun.set()
            left = 500_000
            with contextlib.suppress(OSError):
                while not Handler.go_on.wait(DRIP_S) and left > 0:
                    left -= self.wfile.write(b"h")
                self.wfile.write(b"h" * left)
        elif name == "longline":
            self.answer(200, b"", ("X-Long", "a" * 400_000))
        elif name == "bomb":
            self.answer(200, gzip.compress(bytes(10_000_000)), ("Content-Encoding", "gzip"))
        elif name == "still":
            self.answer(200, b"h", length=2)
            self.wfile.flush()
            Handler.go_on.wait(PATIENCE_S)
            self.close_connection = True
        else:
            self.answer(404, b"not here\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_ODD = everything


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that leaves is part of the tests."""


class World:
    """A folder to be in, with a cache of its own, and the URLs of both servers."""

    def __init__(self, root, served, port, origin_port):
        self.root, self.served = root, served
        self.serve, self.origin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{origin_port}"
        self.env = dict(support.clean_environment(), XDG_CACHE_HOME=os.path.join(root, ".cache"), TMPDIR=root, TERM="xterm")

    def start(self, *arguments, **how):
        # pylint: disable-next=consider-using-with
        return subprocess.Popen([BINARY, "get", *arguments], cwd=self.root, env=self.env, **how)

    def get(self, *arguments, stdin=b""):
        """(exit code, standard output, standard error)."""
        done = subprocess.run([BINARY, "get", *arguments], cwd=self.root, env=self.env, input=stdin, capture_output=True,
                              timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("utf-8", "replace")

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name), encoding="latin-1", newline="") as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="latin-1") as file:
            file.write(text)

    def stored(self, folder):
        """The files below a folder of the cache."""
        found = os.walk(os.path.join(self.root, ".cache", "stet", folder))
        return [os.path.join(root, name) for root, _, names in found for name in names]

    def publish(self, name, text):
        """A file of the server, replaced at once."""
        self.write("publish", text)
        os.rename(self.path("publish"), os.path.join(self.served, name))

    def listed(self, folder="."):
        return sorted(name for name in os.listdir(self.path(folder)) if name not in (".cache", "served"))

    def clear(self):
        for name in self.listed():
            subprocess.run(["rm", "-rf", self.path(name)], check=True)


def where_content_goes(world):
    url = world.serve + "/hello.txt"
    tap.same("without options it goes to standard output", world.get(url), (0, "hello\n", ""))
    tap.same("-o, with the name in the same word or behind it", (world.get("-oone", url), world.get("-o", "two", url)), ((0, "", ""),) * 2)
    tap.same("both files are there, and nothing else", (world.listed(), world.read("one"), world.read("two")), (["one", "two"], "hello\n", "hello\n"))
    tap.same("-o - is standard output", world.get("-o", "-", url), (0, "hello\n", ""))
    code, _, told = world.get("-o", "a", url, "-O", world.serve + "/other.txt?x=/y")
    tap.same("the n-th -o or -O is of the n-th URL", (code, world.read("a"), world.read("other.txt")), (0, "hello\n", "other\n"))
    tap.same("several files are summed up", re.sub(r"in .*?:", "in T:", told),
             "stet: 2 files in T: 1 not modified (304), 1 fetched; 6 B received, 6 B not sent again\n")
    code, out, _ = world.get("-s", "-o", "b", url, url)
    tap.same("a URL beyond the last -o goes to standard output", (code, out, world.read("b")), (0, "hello\n", "hello\n"))
    tap.same("more -o than URLs are a mistake", world.get("-o", "a", "-o", "b", url)[0], 2)
    tap.same("-O without a name in the URL", world.get("-O", world.serve + "/"),
             (2, "", f"stet: get: {world.serve}/: the URL ends in no name for a file; -o gives it one\n"))
    code, _, told = world.get("--remote-name-all", url, world.origin + "/x/hello.txt", url)
    tap.same("two URLs do not get into one file, but one may be there twice", (code, told.split("\n")[0], world.read("hello.txt")),
             (6, f"stet: get: {world.origin}/x/hello.txt: hello.txt: another URL is written there already; "
                 "-o gives this one another name", "hello\n"))
    tap.same("--output-dir needs the folder", world.get("--output-dir", "new/deep", url)[0], 1)
    tap.same("--create-dirs makes it", (world.get("--create-dirs", "--output-dir", "new/deep", url)[0], world.listed("new/deep")), (0, ["hello.txt"]))
    world.clear()


def lines_of_input(world):
    lines = f"# comment\n\n{world.serve}/hello.txt\tgreeting\r\n{world.serve}/other.txt\n"
    world.write("urls", lines)
    tap.same("--input names files, and --output-dir says where", (world.get("-s", "--input", "urls", "--output-dir", ".")[0], world.listed()),
             (0, ["greeting", "other.txt", "urls"]))
    tap.same("--input - with -O", (world.get("-s", "--input", "-", "-O", stdin=lines.encode())[0], world.listed()),
             (0, ["greeting", "other.txt", "urls"]))
    code, _, told = world.get("--input", "-", "--output-dir", ".", stdin=f"{world.serve}/hello.txt\nftp://x/\n".encode())
    tap.same("a line that is no URL is told with its number, and the others are fetched", (code, told.split("\n")[0]),
             (6, "stet: get: -:2: ftp://x/: only http and https are spoken here"))
    process = world.start("--input", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seen = []
    for name in ("hello", "other"):  # the next line is written when what is wanted of the last has come
        process.stdin.write(f"{world.serve}/{name}.txt\n".encode())
        process.stdin.flush()
        seen.append(process.stdout.readline())
    process.communicate(timeout=PATIENCE_S)
    tap.same("lines are fetched as they come", (seen, process.returncode), ([b"hello\n", b"other\n"], 0))
    told = world.get("-f", "--input", "-", stdin=f"{world.serve}/\x1b[2J\n".encode())[2]
    tap.same("what is told does not command the terminal", told.split("\n")[0], f"stet: get: -:1: {world.serve}/?[2J: the server says 404")
    tap.same("an input that is not there", world.get("--input", "nosuch")[0], 2)
    world.clear()


def what_failure_leaves(world):
    for name, arguments, wanted in (("a connection that is refused", ["http://127.0.0.1:1/"], 5),
                                    ("404 with -f", ["-f", world.serve + "/nosuch"], 22),
                                    ("content that is cut off", [world.origin + "/cut"], 5),
                                    ("content beyond --max-filesize", ["--max-filesize", "1M", world.origin + "/large"], 1),
                                    ("little that decodes to more than that", ["--max-filesize", "1M", world.origin + "/bomb"], 1)):
        world.write("kept", "precious\n")
        code = world.get("-o", "kept", *arguments)[0]
        tap.same(name + " leaves the file as it was", (code, world.read("kept"), world.listed()), (wanted, "precious\n", ["kept"]))
        tap.same(name + " makes no new file", (world.get("-o", "new", *arguments)[0], world.listed()), (wanted, ["kept"]))
    code, out, told = world.get(world.origin + "/cut")
    tap.same("what is cut off in a pipe, and cannot be gone on with, is told as that", (code, out, "closed with 95 bytes remaining" in told),
             (5, "begin", True))
    tap.same("a head with a line that is too long is told as that", re.sub(".*: ", "", world.get(world.origin + "/longline")[2]),
             "A line of the head is longer than libcurl takes, or there is no memory left.\n")
    tap.same("404 without -f is an answer like any other", (world.get("-o", "kept", world.origin + "/nosuch")[0], world.read("kept")),
             (0, "not here\n"))
    world.write("kept", "precious\n")
    tag = json.loads(world.get("--json", world.serve + "/hello.txt")[1])["etag"]
    code, out, _ = world.get("-o", "kept", "-w", "%{http_code}", "-H", "If-None-Match: " + tag, world.serve + "/hello.txt")
    tap.same("a 304 to a condition of one's own leaves the file as it was", (code, out, world.read("kept")), (0, "304", "precious\n"))
    world.clear()


def identity(world, name):
    seen = os.stat(world.path(name))
    return seen.st_ino, seen.st_mtime_ns


def files(world):
    url = world.serve + "/hello.txt"
    world.write("file", "old")
    os.chmod(world.path("file"), 0o640)
    os.symlink("file", world.path("link"))
    world.get("-o", "link", url)
    tap.same("a file that is replaced keeps its mode, and a link to it stays one",
             (os.path.islink(world.path("link")), world.read("file"), os.stat(world.path("file")).st_mode & 0o7777), (True, "hello\n", 0o640))
    world.get("-o", "new", url)
    mask = os.umask(0)
    os.umask(mask)
    tap.same("a new file has the mode that the umask leaves", os.stat(world.path("new")).st_mode & 0o7777, 0o666 & ~mask)
    before = identity(world, "new")
    out = world.get("-o", "new", "-w", "%{origin_code} %{file_kept}", url)[1]
    tap.same("a file that has the content is not written again", (out, identity(world, "new")), ("304 1", before))
    world.write("new", "hullo\n")
    out = world.get("-o", "new", "-w", "%{origin_code} %{file_kept}", url)[1]
    tap.same("one that somebody changed is", (out, world.read("new")), ("304 0", "hello\n"))
    os.unlink(world.path("new"))
    tap.same("and one that is gone is made", (world.get("-o", "new", url)[0], world.read("new")), (0, "hello\n"))
    world.get("-R", "-o", "new", url)
    tap.same("-R sets the time, also of a file that is kept", os.stat(world.path("new")).st_mtime, support.MODIFIED)
    before = identity(world, "new")
    out = world.get("-R", "-o", "new", "-w", "%{file_kept}", url)[1]
    tap.same("and it is known after that", (out, identity(world, "new")), ("1", before))
    tap.same("devices are written to", (world.get("-o", "/dev/null", url), os.path.exists("/dev/null")), ((0, "", ""), True))
    os.mkfifo(world.path("fifo"))
    process = world.start("-o", "fifo", url)
    tap.same("pipes are written to", (world.read("fifo"), process.wait(PATIENCE_S)), ("hello\n", 0))
    tap.same("a folder is no file", world.get("-o", ".", url)[0], 1)
    world.clear()


def files_of_others(world):
    """Which only root can have."""
    url, nobody = world.serve + "/hello.txt", 65534
    world.write("file", "old")
    os.chown(world.path("file"), nobody, nobody)
    os.chmod(world.path("file"), 0o640)
    code = world.get("-o", "file", url)[0]
    state = os.stat(world.path("file"))
    tap.same("a file that is replaced keeps its owner", (code, world.read("file"), state.st_uid, state.st_gid, state.st_mode & 0o7777),
             (0, "hello\n", nobody, nobody, 0o640))
    with open("/proc/sys/fs/protected_symlinks", encoding="ascii") as file:
        protects = file.read() == "1\n"
    os.mkdir(world.path("tmp"))
    os.chmod(world.path("tmp"), 0o1777)
    world.write("mine", "precious\n")
    os.symlink("../mine", world.path("tmp/link"))
    os.lchown(world.path("tmp/link"), nobody, nobody)
    code = world.get("-s", "-o", "tmp/link", url)[0]
    tap.same("a link is followed only where the system lets us", (code, world.read("mine")), (1, "precious\n") if protects else (0, "hello\n"))
    world.clear()


def without_rights(world):
    """A file that may be written to in a folder that may not: it is written to when all is there."""
    url, plain = world.serve + "/hello.txt", []
    if os.getuid() == 0:
        plain = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        shutil.copy(BINARY, world.path("stet"))  # the folder of the build need not be open to nobody
        os.chmod(world.root, 0o755)
    binary = world.path("stet") if plain else BINARY
    for name, mode in (("folder", 0o755), ("tmp", 0o777)):
        os.mkdir(world.path(name))
        os.chmod(world.path(name), mode)
    for name, mode in (("open", 0o666), ("closed", 0o444)):
        world.write("folder/" + name, "a precious file\n")
        os.chmod(world.path("folder/" + name), mode)
    os.chmod(world.path("folder"), 0o555)

    def get(*arguments):
        done = subprocess.run([*plain, binary, "get", "--no-store", "-s", *arguments], cwd=world.root, timeout=PATIENCE_S, check=False,
                              env=dict(world.env, TMPDIR=world.path("tmp")))
        return done.returncode, [world.read("folder/" + name) for name in world.listed("folder")]

    tap.same("what cannot be fetched leaves it as it was", get("-o", "folder/open", "http://127.0.0.1:1/"), (5, ["a precious file\n"] * 2))
    tap.same("what can be fetched is in it", get("-o", "folder/open", url), (0, ["a precious file\n", "hello\n"]))
    tap.same("a file that may not be written to stays", get("-o", "folder/closed", url), (1, ["a precious file\n", "hello\n"]))
    tap.same("and no new one comes", get("-o", "folder/new", url), (1, ["a precious file\n", "hello\n"]))
    os.chmod(world.path("folder"), 0o755)
    world.clear()


def requests(world):
    def asked(*arguments, stdin=b"", path="/echo"):
        return world.get("--no-compressed", *arguments, world.origin + path, stdin=stdin)[1]

    agent = asked().split("user-agent: ")[1].split("\n")[0]
    tap.same("a plain request", asked(), f"GET /echo\naccept: */*\nuser-agent: {agent}\n")
    tap.same("the user agent is stet", agent.split("/")[0], "stet")
    tap.same("-H adds, replaces, removes, and sends empty fields", asked(
        "-H", "X-A: 1", "-H", "Accept: text/html", "-H", "user-agent:", "-H", "X-Empty;"),
             "GET /echo\naccept: text/html\nx-a: 1\nx-empty: \n")
    world.write("fields", "X-One: 1\n\nX-Two: 2\r\n")
    tap.same("-H @FILE", asked("-H", "@fields", "-A", ""), "GET /echo\naccept: */*\nx-one: 1\nx-two: 2\n")
    tap.same("-A and -e", asked("-A", "me", "-e", "http://from/"), "GET /echo\naccept: */*\nreferer: http://from/\nuser-agent: me\n")
    form = "content-type: application/x-www-form-urlencoded"
    tap.same("-d joins what it is given", asked("-A", "", "-d", "a=1", "-d", "b=2"), f"POST /echo\naccept: */*\ncontent-length: 7\n{form}\na=1&b=2")
    world.write("data", "x\ny\r\n")
    tap.same("-d @FILE leaves line ends out", asked("-A", "", "-d", "@data").split("\n")[-1], "xy")
    tap.same("--data-binary @- does not", asked("-A", "", "--data-binary", "@-", stdin=b"x\ny").split("\n")[-2:], ["x", "y"])
    tap.same("--data-raw takes @ as it is", asked("-A", "", "--data-raw", "@data").split("\n")[-1], "@data")
    tap.same("-G makes a query", asked("-A", "", "-G", "-d", "a=1", path="/echo?b=2"), "GET /echo?b=2&a=1\naccept: */*\n")
    tap.same("-X", asked("-A", "", "-X", "ODD").split("\n")[0], "ODD /echo")
    tap.same("-u", "authorization: Basic " + base64.b64encode(b"me:secret").decode() in asked("-u", "me:secret").split("\n"), True)
    tap.same("letters stand together", asked("-sSfLA", "me").split("\n")[0], "GET /echo")
    tap.same("codings are asked for", "accept-encoding: br, zstd, gzip" in world.get(world.origin + "/echo")[1], True)
    tap.same("unless -H removes them", "accept-encoding" in world.get("-H", "Accept-Encoding:", world.origin + "/echo")[1], False)
    world.clear()


def heads_and_redirects(world):
    code, out, _ = world.get("-i", world.serve + "/hello.txt")
    head, _, content = out.partition("\r\n\r\n")
    tap.same("-i", (code, head.split("\r\n")[0], content), (0, "HTTP/1.1 200 OK", "hello\n"))
    code, out, _ = world.get("-I", world.serve + "/hello.txt")
    tap.same("-I shows the head and nothing else", (code, "Content-Length: 6\r\n" in out, out[-4:]), (0, True, "\r\n\r\n"))
    tag = re.search('ETag: (".*?")', out).group(1)
    code, out, _ = world.get("-I", "-H", "If-None-Match: " + tag, world.serve + "/hello.txt")
    tap.same("-I with a condition of one's own shows the 304", (code, out.split("\r\n")[0]), (0, "HTTP/1.1 304 Not Modified"))
    code, out, _ = world.get("-w", "%{http_code} %{num_redirects} %{redirect_url}", world.origin + "/redirect")
    tap.same("a redirect is an answer", (code, out), (0, f"302 0 {world.origin}/echo/there"))
    code, out, _ = world.get("-sL", "-w", "\n%{http_code} %{num_redirects} %{url_effective}", world.origin + "/redirect")
    tap.same("-L follows it", (code, out.split("\n")[0], out.split("\n")[-1]), (0, "GET /echo/there", f"200 1 {world.origin}/echo/there"))
    code, out, _ = world.get("-iL", world.origin + "/redirect")
    tap.same("-i with -L shows both heads", re.findall(r"^HTTP/1.1 (\d+)", out, flags=re.M), ["302", "200"])
    tap.same("--max-redirs", world.get("-L", "--max-redirs", "0", world.origin + "/redirect")[0], 5)


def telling(world):
    url = world.serve + "/hello.txt"
    code, out, _ = world.get("--json", url, "-w", "")
    got = json.loads(out)
    tap.same("--json tells and does not show the content", (code, got["http_code"], got["url"], out.count("\n")), (0, 200, url, 1))
    code, out, _ = world.get("--json", "-sf", world.serve + "/nosuch", "http://127.0.0.1:1/")
    got = [json.loads(line) for line in out.splitlines()]
    tap.same("--json tells failures, too", (code, [one["exitcode"] for one in got], [one["errormsg"] for one in got][0]),
             (6, [22, 5], "the server says 404"))
    world.write("format", "%{http_code}\\n")
    tap.same("-w @FILE", world.get("-o", "/dev/null", "-w", "@format", url), (0, "200\n", ""))
    tap.same("a variable that is not there", world.get("-w", "%{http_cod}", url),
             (2, "", "stet: get: --write-out %{http_cod}: there is no variable http_cod; did you mean http_code?\n"))
    tap.same("-w to standard error", world.get("-o", "/dev/null", "-w", "%{stderr}%{http_code}", url), (0, "", "200"))
    tap.same("-s is silent", world.get("-s", "http://127.0.0.1:1/"), (5, "", ""))
    tap.same("-S tells errors all the same", world.get("-sS", "http://127.0.0.1:1/")[2].startswith("stet: get: http://127.0.0.1:1/: "), True)
    world.clear()


def exit_codes(world):
    url = world.serve + "/changing.txt"
    world.publish("changing.txt", "one\n")
    tap.same("--changed for the first time", world.get("-s", "--changed", "-o", "c", url)[0], 0)
    tap.same("--changed when nothing has", world.get("-s", "--changed", "-o", "c", url)[0], 10)
    world.publish("changing.txt", "two\n")
    tap.same("--changed when it has, among others", world.get("-s", "--changed", "-o", "c", url, "-o", "d", world.serve + "/hello.txt")[0], 0)
    tap.same("it is written", world.read("c"), "two\n")
    tap.same("--changed of nothing", world.get("--changed", "--input", "/dev/null")[0], 10)
    tap.same("--changed with a failure", world.get("-s", "--changed", "-f", world.serve + "/nosuch")[0], 22)
    tap.same("--offline, stored", world.get("--offline", url), (0, "two\n", ""))
    tap.same("--offline, not stored", world.get("-s", "--offline", world.serve + "/other.html")[0], 7)
    tap.same("some of several fail", world.get("-s", "-o", "x", "-o", "y", "http://127.0.0.1:1/", url)[0], 6)
    tap.same("all fail in the same way", world.get("-s", "http://127.0.0.1:1/", "http://127.0.0.1:1/x")[0], 5)
    tap.same("a file that cannot be written", world.get("-s", "-o", "no/such/folder", url)[0], 1)
    tap.same("a cache that is needed and cannot be used", world.get("-s", "--changed", "--cache-dir", "/dev/null/x", url)[0], 1)
    code, out, told = world.get("--cache-dir", "/dev/null/x", url)
    tap.same("one that is not needed", (code, out, told.startswith("stet: get: the cache in /dev/null/x: ")), (0, "two\n", True))
    done = subprocess.run(["sh", "-c", 'exec "$0" get --no-store "$1" <&- >&-', BINARY, url], cwd=world.root, env=world.env,
                          capture_output=True, timeout=PATIENCE_S, check=False)
    tap.same("what is closed is not written to, whatever takes its number", (done.returncode, done.stderr.decode()),
             (1, f"stet: get: {url}: Bad file descriptor\n"))
    process = world.start(world.origin + "/large", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1)
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    tap.same("whoever reads goes away: it ends by SIGPIPE, without a word", (process.wait(PATIENCE_S), told), (-signal.SIGPIPE, b""))
    world.clear()


def usage(world):
    for arguments, told in (
            (["-b", "a=b", "h"], "there is no option -b: stet keeps no cookies; send one with -H 'Cookie: name=value'"),
            (["--etag-save", "f", "h"], "there is no option --etag-save: leave it out: stet keeps the tag with what it stores"),
            (["--outptu", "h"], "there is no option --outptu; did you mean --output?"),
            (["-u", "me", "h"], "-u: the password is missing, and nobody is asked for it; NAME: has an empty one"),
            (["-sj", "h"], "there is no option -j; stet help get names all"),
            (["-o"], "--output needs an argument: FILE"),
            (["--silent=1", "h"], "--silent takes no argument"),
            ([], "what? stet get http://127.0.0.1:8304/, for example"),
            (["--refresh", "--offline", "h"], "--offline: --refresh, --reload and --offline exclude each other"),
            (["-H", "Content-Length: 3", "h"], "--header Content-Length: 3: what frames the content and is about the connection is not for -H"),
            (["-C", "5", "h"], "--continue-at 5: stet itself knows where to go on; an offset is for -H 'Range: bytes=N-'"),
            (["http://a:b@h/"], "http://a:b@h/: a name and password are not for a URL; -u NAME:PASSWORD has them"),
            (["--cache-size", "1", "h"], "--cache-size 1: not a size (such as 64K) from 1048576 to 1125899906842624")):
        tap.same("usage: " + " ".join(arguments or ["nothing"]), world.get(*arguments), (2, "", f"stet: get: {told}\n"))


def in_one_piece(world):
    """With -Z, contents on standard output do not mix."""
    for name in "abc":
        world.publish(name, f"{name}\n" * 100_000)
    code, out, _ = world.get("-sZ", *(f"{world.serve}/{name}" for name in "abc"))
    pieces = re.findall(r"(?:a\n)+|(?:b\n)+|(?:c\n)+", out)
    tap.same("-Z: contents on standard output come one after the other", (code, sorted(piece[0] for piece in pieces), len(out)),
             (0, ["a", "b", "c"], 600_000))


def interrupted(world):
    Handler.go_on.clear()
    Handler.begun.clear()
    world.write("kept", "precious\n")
    process = world.start("-o", "kept", world.origin + "/wait", stderr=subprocess.PIPE)
    Handler.begun.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=PATIENCE_S)[1].decode()
    Handler.go_on.set()
    tap.same("SIGINT ends it in order", (process.returncode, told, world.read("kept"), world.listed()),
             (130, "stet: get: stopped; the same command goes on, with what came so far where that is possible\n", "precious\n", ["kept"]))
    Handler.go_on.clear()
    Handler.begun.clear()
    process = world.start("-s", "-o", "part", "--progress", "--retry", "0", world.origin + "/part")
    Handler.begun.wait(PATIENCE_S)
    while not any(os.path.getsize(path) == 200_000 for path in world.stored("parts")):
        pass  # until what was sent has arrived
    process.send_signal(signal.SIGINT)
    tap.same("SIGINT within what can be gone on with", (process.wait(PATIENCE_S), world.listed()), (130, ["kept"]))
    Handler.go_on.set()
    code, out, _ = world.get("-o", "part", "-w", "%{cache} %{size_download}", world.origin + "/part")
    tap.same("the same command goes on", (code, out), (0, f"combined {len(PART) - 200_000}"))
    tap.same("and the file is the server's", world.read("part").encode("latin-1") == PART, True)
    world.clear()


def connections(world):
    with support.certificate("h.example") as (certificate, key), \
            support.serving(world.served, "--cert", certificate, "--key", key, secure=True) as server:
        port = server.ports["https"]
        named, there = f"https://h.example:{port}/hello.txt", ["--resolve", f"h.example:{port}:127.0.0.1"]
        tap.same("a certificate that nobody vouches for", world.get("-s", *there, named)[0], 5)
        tell = ["-w", "%{http_version}", "-o", "/dev/null", "--reload"]
        tap.same("--cacert, and HTTP/2 by itself", world.get(*there, *tell, "--cacert", certificate, named), (0, "2", ""))
        tap.same("--http1.1", world.get(*there, *tell, "--cacert", certificate, "--http1.1", named), (0, "1.1", ""))
        other = f"https://h.example:{port}/other.txt"
        there = ["-s", "-w", " %{cache}", "--resolve", f"h.example:{port}:127.0.0.1"]
        tap.same("what came with -k", [world.get(*there, "-k", other)[1] for _ in "12"], ["other\n origin", "other\n validated"])
        tap.same("is not taken for something that was verified", world.get(*there, "--cacert", certificate, "--offline", other)[0], 7)
        tap.same("-k", world.get(*tell, "-k", f"https://127.0.0.1:{port}/hello.txt"), (0, "2", ""))
    tap.same("--http2-prior-knowledge", world.get(*tell, "--http2-prior-knowledge", world.serve + "/hello.txt"), (0, "2", ""))
    path = world.path("sock")
    server = support.Stet(BINARY, world.served, "--listen", "unix:" + path)
    tap.same("--unix-socket", world.get("--unix-socket", path, "http://h/hello.txt"), (0, "hello\n", ""))
    tap.same("what came by --unix-socket is not taken for the host's", world.get("-s", "--offline", "http://h/hello.txt")[0], 7)
    tap.same("but is there", world.get("--offline", "--unix-socket", path, "http://h/hello.txt"), (0, "hello\n", ""))
    server.stop()
    port = world.serve.rsplit(":", 1)[1]
    named, there = f"http://h.example:{port}/hello.txt", ["--resolve", f"h.example:{port}:127.0.0.1"]
    tap.same("--resolve", world.get(*there, named), (0, "hello\n", ""))
    tap.same("what came from there is not the host's either", world.get("-s", "--offline", named)[0], 7)
    tap.same("but is there, too", world.get("--offline", *there, named), (0, "hello\n", ""))
    tap.same("-x", world.get("-x", world.serve, "-w", " %{http_code}", "http://elsewhere.example/hello.txt")[1][-3:], "200")
    Handler.go_on.clear()
    tap.same("--max-time", world.get("-s", "-m", "0.2", "--retry", "0", world.origin + "/wait")[0], 5)
    tap.same("--idle-timeout", world.get("-s", "--idle-timeout", "0.2", "--retry", "0", world.origin + "/still")[0], 5)
    Handler.go_on.set()
    world.clear()


class Terminal:
    """stet get on a terminal of so many columns. `shown` is what it printed there."""

    def __init__(self, world, columns, *arguments, stdout=None):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = world.start(*arguments, stdin=slave, stdout=slave if stdout is None else stdout, stderr=slave)
        os.close(slave)
        self.master, self.shown = master, ""

    def read_until(self, pattern):
        until = time.monotonic() + PATIENCE_S
        while not (pattern and re.search(pattern, self.shown)):
            readable, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
            try:
                piece = os.read(self.master, 65536) if readable else b""
            except OSError:  # the other end is closed
                piece = b""
            if not piece:
                break
            self.shown += piece.decode("utf-8", "replace")
        return self.shown

    def finish(self):
        self.read_until(None)
        os.close(self.master)
        return self.process.wait(PATIENCE_S)


def on_a_terminal(world):
    terminal = Terminal(world, 80, world.origin + "/binary")
    tap.same("what is no text does not go to a terminal",
             (terminal.finish(), "\0" in terminal.shown, "this is no text" in terminal.shown), (1, False, True))
    terminal = Terminal(world, 80, "-o", "-", world.origin + "/binary")
    tap.same("unless -o - insists", (terminal.finish(), "a\0b" in terminal.shown), (0, True))
    for columns in (80, 40):
        Handler.go_on.clear()
        terminal = Terminal(world, columns, "-Z", "-o", "one", "-o", "two", world.origin + "/wait", world.origin + "/wait?2")
        terminal.read_until(r"one .*%[^%]*two .*%")
        Handler.go_on.set()
        code = terminal.finish()
        drawn = re.findall(r"^(?:\r|\x1b\[\d*[A-Z])*(one|two) .*?\d+%", terminal.shown, flags=re.M)
        lines = re.sub(r"\x1b\[\d*[A-Z]|\r", "", terminal.shown).split("\n")
        tap.same(f"{columns} columns: bars are drawn and fit", (code, sorted(set(drawn)), max(map(len, lines[:-2]), default=999) <= columns),
                 (0, ["one", "two"], True))
        tap.same(f"{columns} columns: they are gone in the end, and a summary stands there",
                 (terminal.shown.rfind("\x1b[J") > terminal.shown.rfind("%"), lines[-2].startswith("stet: 2 files in ")),
                 (True, True))
    terminal = Terminal(world, 80, "-s", "-o", "one", world.serve + "/hello.txt")
    tap.same("-s shows nothing", (terminal.finish(), terminal.shown), (0, ""))
    world.clear()


def main():
    origin = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    with support.folder({"hello.txt": b"hello\n", "other.txt": b"other\n"}) as served, support.serving(served, "--codings", "none") as server, \
            tempfile.TemporaryDirectory(prefix="stet-get-") as root:
        world = World(root, served, server.port, origin.server_address[1])
        for part in (where_content_goes, lines_of_input, what_failure_leaves, files, *[files_of_others] * (os.getuid() == 0), without_rights,
                     requests, heads_and_redirects, telling, exit_codes, usage, in_one_piece, interrupted, connections, on_a_terminal):
            part(world)
    origin.shutdown()
    tap.finish()


main()
