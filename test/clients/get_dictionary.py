# SPDX-License-Identifier: MIT
"""
`stet get` with compression dictionaries (RFC 9842): a new version of a file comes as what is new in it, made by the zstd command, and ends
byte-identical. Whatever is wrong with such an answer, the file is fetched without. Rows of docs/requirements.tsv are named.
"""

import base64
import gzip
import hashlib
import http.server
import os
import random
import ssl
import subprocess
import sys
import tempfile
import threading

import support
from support import PATIENCE_S

BINARY = os.path.abspath(sys.argv[1])
tap = support.Tap()
MAGIC = bytes.fromhex("5e2a4d1820000000")

random.seed(9842)
FIRST = random.randbytes(200_000)
SECOND = FIRST[:70_000] + b"what is new" + FIRST[70_000:]
THIRD = SECOND + b"what is newer"


def available(content):
    """The value of Available-Dictionary."""
    return ":" + base64.b64encode(hashlib.sha256(content).digest()).decode() + ":"


def zstd(*arguments):
    return subprocess.run(["zstd", "-q", "-c", *arguments], capture_output=True, check=True, timeout=PATIENCE_S).stdout


def delta(dictionary, content, how):
    """What the zstd command makes of the content with the dictionary."""
    with tempfile.TemporaryDirectory() as work:
        names = [os.path.join(work, name) for name in ("dictionary", "content")]
        for name, octets in zip(names, (dictionary, content)):
            with open(name, "wb") as file:
                file.write(octets)
        return zstd(*([f"--patch-from={names[0]}"] if how == "patch" else ["-D", names[0]]), names[1])


class Page:
    """What a path has: its content, its fields, and what is done with one who offers a dictionary."""

    def __init__(self, content, *fields, how="patch", coding=None):
        self.content, self.fields, self.how, self.coding = content, list(fields), how, coding
        self.tag = hashlib.sha256(content).hexdigest()[:8]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages, dictionaries, asked, cuts = {}, {}, [], []

    def log_message(self, *_):
        pass

    def coded(self, page):
        """(content, coding, suffix of the tag)"""
        accepted = [member.strip() for member in self.headers.get("Accept-Encoding", "").split(",")]
        dictionary = Handler.dictionaries.get(self.headers.get("Available-Dictionary"))
        if dictionary is None or "dcz" not in accepted:
            return (gzip.compress(page.content), "gzip", "-gz") if page.coding == "gzip" else (page.content, None, "")
        digest = hashlib.sha256(dictionary).digest()
        frames = delta(dictionary, page.content, page.how)
        whole = MAGIC + digest + frames
        if page.how == "other":
            whole = MAGIC + bytes(32) + frames
        elif page.how == "damaged":
            whole = whole[:-40] + bytes(40)
        elif page.how == "short":
            whole = whole[:-1]
        elif page.how == "window":  # 128 MiB
            whole = MAGIC + digest + bytes.fromhex("28b52ffd0088") + frames[6:]
        elif page.how == "below":  # something lies on top of it
            return gzip.compress(whole), "dcz, gzip", "-dcz"
        elif page.how == "above":
            return MAGIC + digest + delta(dictionary, gzip.compress(page.content), "patch"), "gzip, dcz", "-dcz"
        return whole, "dcz", "-dcz"

    def do_GET(self):
        page = Handler.pages.get(self.path, Page(b""))
        content, coding, suffix = self.coded(page)
        tag = f'"{page.tag}{suffix}"'
        known = tag in self.headers.get("If-None-Match", "")
        Handler.asked.append((self.path, dict(self.headers.items()), 304 if known else 200, 0 if known else len(content)))
        self.send_response(304 if known else 200)
        fields = [("ETag", tag), ("Vary", "accept-encoding, available-dictionary"), *page.fields]
        if coding and not known:
            fields.append(("Content-Encoding", coding))
        for name, value in fields:
            self.send_header(name, value)
        if not known:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if known:
            return
        if self.path in Handler.cuts and coding:
            Handler.cuts.remove(self.path)
            content = content[: len(content) - 20]
            self.close_connection = True
        self.wfile.write(content)


class World:
    def __init__(self, root, certificate, origin, plain):
        self.root, self.certificate, self.origin, self.plain = root, certificate, origin, plain
        self.env = dict(support.clean_environment(), XDG_CACHE_HOME=os.path.join(root, ".cache"), TMPDIR=root)

    def stet(self, *arguments):
        return subprocess.run([BINARY, *arguments], cwd=self.root, env=self.env, capture_output=True, timeout=PATIENCE_S, check=False)

    def get(self, path, *options, secure=True):
        """(exit code, content)"""
        where = (self.origin if secure else self.plain) + path
        trust = [] if "-k" in options else ["--cacert", self.certificate]
        done = self.stet("get", *trust, *options, where)
        if done.stderr:
            print("# " + done.stderr.decode(errors="replace"))
        return done.returncode, done.stdout

    def clear(self):
        self.stet("cache", "rm", "--all")
        Handler.pages.clear()
        Handler.dictionaries.clear()
        del Handler.asked[:], Handler.cuts[:]

    def verified(self):
        return self.stet("cache", "verify").returncode

    @staticmethod
    def publish(path, content, *fields, dictionary=True, **how):
        Handler.pages[path] = Page(content, *fields, **how)
        if dictionary:
            Handler.dictionaries[available(content)] = content


FRESH = ("Cache-Control", "max-age=600")
STALE = (("Age", "100"), ("Cache-Control", "max-age=50"))
APP = ("Use-As-Dictionary", 'match="/app*js", id="v\\"1"')


def offered(number=-1):
    """What the last request said: Available-Dictionary, Dictionary-ID, whether dcz is accepted, and the octets that answered."""
    _, fields, _, octets = Handler.asked[number]
    return fields.get("Available-Dictionary"), fields.get("Dictionary-ID"), "dcz" in fields["Accept-Encoding"], octets


def first_and_second(world, *fields, how="patch", coding=None):
    """The first version is stored, and may be used for the second."""
    world.clear()
    world.publish("/app.1.js", FIRST, FRESH, APP, coding=coding)
    world.publish("/app.2.js", SECOND, *(fields or (FRESH,)), how=how, dictionary=False)
    return world.get("/app.1.js")


def a_new_version(world):
    tap.same("the first version comes as it is", first_and_second(world), (0, FIRST))
    tap.same("9842-6.1-1: without a dictionary dcz is not in Accept-Encoding", offered()[:3], (None, None, False))
    tap.same("the second version is what it should be", world.get("/app.2.js") == (0, SECOND), True)
    tap.same("9842-2.2-1: one digest of 32 octets, with the id", offered()[:3], (available(FIRST), '"v\\"1"', True))
    names = [name.lower() for name in Handler.asked[-1][1]]
    tap.same("9842-2.2-1: in one field line", names.count("available-dictionary"), 1)
    tap.same("and came as what is new in it", offered()[3] < 2000, True)
    count = len(Handler.asked)
    tap.same("it is stored decoded: it is served again", world.get("/app.2.js") == (0, SECOND), True)
    tap.same("without a request", len(Handler.asked), count)
    tap.same("it is validated by the tag that it came with", world.get("/app.2.js", "--refresh") == (0, SECOND), True)
    tap.same("which is enough", Handler.asked[-1][2], 304)
    world.stet("cache", "rm", world.origin + "/app.1.js")
    tap.same("it stays when its dictionary goes", world.get("/app.2.js") == (0, SECOND), True)
    world.publish("/app.3.js", THIRD, FRESH)
    tap.same("and nothing that is gone is offered", (world.get("/app.3.js") == (0, THIRD), offered()[0]), (True, None))
    tap.same("the cache is clean", world.verified(), 0)


def other_ways(world):
    for how, octets in (("-D", 3000), ("above", 250_000)):
        first_and_second(world, how=how)
        tap.same(f"{how}: the second version is what it should be", world.get("/app.2.js") == (0, SECOND), True)
        tap.same(f"{how}: in one answer", (len(Handler.asked), offered()[3] < octets), (2, True))
        tap.same(f"{how}: and from the cache", world.get("/app.2.js") == (0, SECOND), True)
    first_and_second(world, coding="gzip")
    tap.same("what is stored coded is a dictionary by its content", world.get("/app.2.js") == (0, SECOND), True)
    tap.same("and is offered with the digest of that", offered()[0], available(FIRST))


def a_chain(world):
    """Each version is the dictionary of the next, and the same URL that of itself."""
    world.clear()
    for content in (FIRST, SECOND, THIRD):
        world.publish("/app.js", content, FRESH, APP)
        tap.same("a version that was asked for in time", world.get("/app.js", "--refresh") == (0, content), True)
    tap.same("is made from the one before", (offered()[0], offered()[3] < 2000), (available(SECOND), True))
    tap.same("--changed: it is the same", world.get("/app.js", "--refresh", "--changed", "-o", "app")[0], 10)
    Handler.pages["/app.js"].tag = "another"
    tap.same("--changed: it is the same, although it came with another tag", world.get("/app.js", "--refresh", "--changed", "-o", "app")[0], 10)
    tap.same("as a delta", Handler.asked[-1][2:] < (201, 2000), True)


def the_best(world):
    world.clear()
    world.publish("/one", FIRST, FRESH, ("Use-As-Dictionary", 'match="/app/*"'))
    world.publish("/two", SECOND, FRESH, ("Use-As-Dictionary", 'match="/*"'))
    world.publish("/none", THIRD[:-1], FRESH, ("Use-As-Dictionary", 'match="/app/:name"'))
    world.publish("/app/new", THIRD, FRESH)
    for path in ("/one", "/two", "/none"):
        world.get(path)
    tap.same("of two that match", world.get("/app/new") == (0, THIRD), True)
    tap.same("9842-2.2-1: that with the longer pattern is offered, alone", offered()[:3], (available(FIRST), None, True))


def freshness(world):
    for fields, wanted, what in (
        ((*STALE, APP), None, "stale: not offered"),
        ((("Cache-Control", "no-cache"), APP), None, "to be validated first: not offered"),
        ((("Age", "100"), ("Cache-Control", "max-age=50, stale-while-revalidate=1000"), APP), available(FIRST), "may be served stale: offered"),
    ):
        world.clear()
        world.publish("/app.1.js", FIRST, *fields)
        world.publish("/app.2.js", SECOND, FRESH, dictionary=False)
        world.get("/app.1.js")
        tap.same("9842-2.2.1-1: " + what, (world.get("/app.2.js") == (0, SECOND), offered()[0]), (True, wanted))
    world.clear()
    world.publish("/app.1.js", FIRST, *STALE, APP)
    world.publish("/app.2.js", SECOND, FRESH, dictionary=False)
    world.get("/app.1.js")
    Handler.pages["/app.1.js"].fields = [FRESH, APP]
    world.get("/app.1.js")
    tap.same("9842-2.2.1-1: freshened by a 304", Handler.asked[-1][2], 304)
    tap.same("9842-2.2.1-1: it is offered", (world.get("/app.2.js") == (0, SECOND), offered()[0]), (True, available(FIRST)))


def never(world):
    for options in (["--no-dictionary"], ["--no-compressed"], ["--reload"], ["-k"], ["-H", "Accept-Encoding: zstd"], ["-H", "Range: bytes=0-1"],
                    ["-u", "somebody:else"]):
        first_and_second(world)
        Handler.pages["/app.2.js"].fields = [FRESH]
        tap.same(f"{options[0]}: the second version is what it should be", world.get("/app.2.js", *options) == (0, SECOND), True)
        tap.same(f"{options[0]}: nothing is offered", "Available-Dictionary" in Handler.asked[-1][1], False)
    world.clear()
    world.publish("/app.1.js", FIRST, FRESH, APP)
    world.publish("/app.2.js", SECOND, FRESH)
    world.get("/app.1.js", secure=False)
    tap.same("9842-8-1: http has no dictionaries", world.get("/app.2.js", secure=False) == (0, SECOND), True)
    tap.same("9842-8-1: nothing is offered", offered()[:3], (None, None, False))
    world.get("/app.2.js")
    tap.same("9842-8-1: not to the https of the same host either", offered()[:3], (None, None, False))


def what_is_wrong(world):
    for how in ("other", "damaged", "short", "window", "below"):
        first_and_second(world, how=how)
        tap.same(f"{how}: the second version is what it should be", world.get("/app.2.js", "-o", "out")[0], 0)
        with open(os.path.join(world.root, "out"), "rb") as file:
            tap.same(f"{how}: in the file", file.read() == SECOND, True)
        tap.same(f"{how}: it was asked for again without a dictionary", (len(Handler.asked), *offered()[:3]), (3, None, None, False))
        tap.same(f"{how}: and is stored", world.get("/app.2.js") == (0, SECOND), True)
    first_and_second(world, how="other")
    tap.same("a wrong digest is known before standard output has got an octet", world.get("/app.2.js") == (0, SECOND), True)
    first_and_second(world)
    Handler.cuts.append("/app.2.js")
    tap.same("cut off: the second version is what it should be", world.get("/app.2.js") == (0, SECOND), True)
    tap.same("cut off: no part was asked for", any("Range" in fields for _, fields, _, _ in Handler.asked), False)
    tap.same("the cache is clean", world.verified(), 0)
    first_and_second(world)
    found = [os.path.join(root, name) for root, _, names in os.walk(os.path.join(world.root, ".cache", "stet", "bodies")) for name in names]
    os.truncate(found[0], 1000)
    tap.same("a dictionary that is damaged in the cache is not one", world.get("/app.2.js") == (0, SECOND), True)


def serving(context):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    with tempfile.TemporaryDirectory(prefix="stet-dictionary-") as root:
        certificate, key = (os.path.join(root, name) for name in ("certificate.pem", "key.pem"))
        support.make_certificate(certificate, key, "localhost", "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        servers = [serving(context), serving(None)]
        origin, plain = (f"{scheme}://localhost:{server.server_address[1]}" for scheme, server in zip(("https", "http"), servers))
        world = World(root, certificate, origin, plain)
        for test in (a_new_version, other_ways, a_chain, the_best, freshness, never, what_is_wrong):
            test(world)
    tap.finish()


main()
