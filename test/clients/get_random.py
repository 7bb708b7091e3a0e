#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
`stet get` against a server that does whatever servers do: it cuts answers off, sends less or more than was asked for, ranges of other versions,
304s, errors, codings, garbage. Whatever happened, a file is what the server has, or what it was before: never anything in between.

Random, by a seed that is printed: get_random.py BINARY [SEED [RUNS]].
"""

import contextlib
import gzip
import json
import os
import random
import socketserver
import subprocess
import sys
import tempfile
import threading

import support

BINARY = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 8
SIZES = [0, 1, 3000, 70000, 300000, 500000, 500000]
STRONG, WEAK, DATE, NONE = "strong tag", "weak tag", "date", "none"
DATES = ("Mon, 06 May 2024 07:08:%02d GMT", "Mon, 06 May 2024 09:00:00 GMT")
tap = support.Tap()


class Resource:
    """What the server has at one path: a version of its content, and how it speaks of it."""

    def __init__(self, rng, number):
        self.rng = rng
        self.number = number
        self.kind = rng.choice([STRONG] * 5 + [WEAK, DATE, DATE, NONE])
        self.coded = rng.random() < 0.3
        self.version = 0
        self.change()

    def change(self):
        self.version += 1
        self.plain = self.rng.randbytes(self.rng.choice(SIZES))
        self.octets = gzip.compress(self.plain, mtime=0) if self.coded else self.plain

    def tag(self, version=None):
        mark = f'"{self.number}-{version or self.version}"'
        return {STRONG: mark, WEAK: "W/" + mark}.get(self.kind)

    def fields(self, version=None):
        result = ["Cache-Control: max-age=0", "Date: " + DATES[1]]
        if self.tag(version):
            result.append("ETag: " + self.tag(version))
        if self.kind == DATE:
            result.append("Last-Modified: " + DATES[0] % ((version or self.version) % 60))
        return result

    def validator(self):
        return self.tag() or (DATES[0] % (self.version % 60) if self.kind == DATE else None)


class World:
    """The resources, how bad the server is, and what it found fault with."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.resources = [Resource(self.rng, number) for number in range(12)]
        self.badness = 0.0
        self.faults = []
        self.lock = threading.Lock()
        self.count = {}

    def told(self, what):
        self.count[what] = self.count.get(what, 0) + 1


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):  # the client may leave at any time
            while self.one():
                pass

    def one(self):
        line = self.rfile.readline().decode().split()
        fields = {}
        while len(line) == 3:
            text = self.rfile.readline().decode().strip()
            if not text:
                break
            name, value = text.split(":", 1)
            fields[name.lower()] = value.strip()
        if len(line) != 3:
            return False
        world = self.server.world
        with world.lock:
            look(world, fields)
            octets, goes_on = answer(world, world.resources[int(line[1].strip("/"))], fields)
        self.wfile.write(octets)
        return goes_on


def look(world, fields):
    """What a client never sends."""
    if "if-range" in fields and "range" not in fields:
        world.faults.append("If-Range without Range")
    if fields.get("if-range", "").startswith("W/"):
        world.faults.append("a weak tag in If-Range")
    if "content-length" in fields or "transfer-encoding" in fields:
        world.faults.append("a GET with content")
    if "range" in fields and ("if-none-match" in fields or "if-modified-since" in fields):
        world.faults.append("Range beside a condition of the cache")
    if "range" in fields and "if-range" not in fields:
        world.faults.append("Range with nothing to hold on to")


def message(status, fields, content, rng, length=None):
    """A framed answer; chunked now and then."""
    if length is None and rng.random() < 0.3:
        fields = fields + ["Transfer-Encoding: chunked"]
        half = len(content) // 2
        content = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (content[:half], content[half:]) if piece) + b"0\r\n\r\n"
    else:
        fields = fields + [f"Content-Length: {len(content) if length is None else length}"]
    return (f"HTTP/1.1 {status} X\r\n" + "".join(field + "\r\n" for field in fields) + "\r\n").encode() + content


def cut(world, octets):
    """Some of them, or all."""
    rng = world.rng
    if rng.random() >= world.badness:
        return octets, True
    world.told("cut")
    return octets[:rng.randrange(len(octets))], False


def part(world, resource, first):
    rng, length = world.rng, len(resource.octets)
    fields, last, version = resource.fields(), length - 1, resource.version
    begin, end = first, length
    if rng.random() < 0.3:
        end = rng.randint(first + 1, length)
        last = end - 1
        world.told("slice")
    shown = f"{begin}-{last}/{length}"
    if rng.random() < world.badness / 2:
        world.told("misfit")
        wrong = rng.randrange(5)
        if wrong == 0:
            fields = resource.fields(version + 1)
        elif wrong == 1:
            shown = f"{begin + 1}-{last + 1}/{length + 1}"
        elif wrong == 2:
            shown = f"{last}-{begin}/{length}"
        elif wrong == 3:
            fields = [field for field in fields if not field.startswith(("ETag", "Last-Modified"))]
        else:
            end -= 1 if end - begin > 1 else 0
    if resource.coded:
        fields = fields + ["Content-Encoding: gzip"]
    return cut(world, message(206, fields + ["Content-Range: bytes " + shown], resource.octets[begin:end], rng))


def answer(world, resource, fields):
    """(octets, whether the connection goes on)"""
    rng, fate = world.rng, world.rng.random()
    if fate < world.badness / 6:
        world.told("closed")
        return b"", False
    if fate < world.badness / 4:
        world.told("503")
        return message(503, [], b"down", rng), True
    if fate < world.badness / 3:
        world.told("304 unasked")
        return b"HTTP/1.1 304 X\r\n" + b"ETag: \"other\"\r\n\r\n", True
    holds = fields.get("if-range") == resource.validator()
    if "range" in fields and holds and rng.random() > 0.1:
        first = int(fields["range"][6:].split("-")[0])
        if first < len(resource.octets):
            world.told("206")
            return part(world, resource, first)
    matches = resource.tag() and resource.tag().removeprefix("W/") in fields.get("if-none-match", "")
    if matches or (resource.kind == DATE and fields.get("if-modified-since") == resource.validator()):
        world.told("304")
        return ("HTTP/1.1 304 X\r\n" + "".join(field + "\r\n" for field in resource.fields()) + "\r\n").encode(), True
    world.told("200")
    coding = ["Content-Encoding: gzip"] if resource.coded else []
    return cut(world, message(200, resource.fields() + coding, resource.octets, rng))


def run(world, folder, base):
    """One run of stet get over all resources: {number: what --json says}"""
    files = os.path.join(folder, "files")
    urls = "".join(f"{base}/{number}\t{number}\n" for number in range(len(world.resources)))
    options = ["--cache-dir", os.path.join(folder, "cache"), "--input", "-", "--output-dir", files, "--create-dirs", "--json", "-f", "-s"]
    options += ["--retry", str(world.rng.randrange(4))] + (["-Z"] if world.rng.random() < 0.7 else [])
    done = subprocess.run([BINARY, "get", *options], input=urls.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if len(told) != len(world.resources) or done.returncode < 0 or b"Sanitizer" in done.stderr:
        return None, f"exit code {done.returncode}, {len(told)} told: {done.stderr[-2000:]!r}"
    return {int(one["url"].rsplit("/", 1)[1]): one for one in told}, None


def content(folder, number):
    try:
        with open(os.path.join(folder, "files", str(number)), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def judge(world, folder, before, told):
    problems = []
    for resource in world.resources:
        one, now = told[resource.number], content(folder, resource.number)
        good = one["exitcode"] == 0
        if good and now != resource.plain:
            problems.append(f"/{resource.number} ({resource.kind}): not what the server has: {one}")
        if not good and now != before[resource.number]:
            problems.append(f"/{resource.number} ({resource.kind}): failed, and the file is another one: {one}")
        if good and one["cache_changed"] and before[resource.number] == now and one["cache_had"]:
            problems.append(f"/{resource.number} ({resource.kind}): changed, says stet, and is not: {one}")
    return problems


def play(world, folder, base):
    os.mkdir(os.path.join(folder, "files"))
    problems, failed = [], 0
    for turn in range(RUNS + 1):
        last = turn == RUNS
        world.badness = 0.0 if last else world.rng.choice([0.0, 0.2, 0.5, 0.8])
        for resource in world.resources:
            if world.rng.random() < 0.3:
                resource.change()
        before = {resource.number: content(folder, resource.number) for resource in world.resources}
        told, wrong = run(world, folder, base)
        if wrong:
            return problems + [f"run {turn}: {wrong}"]
        problems += [f"run {turn}: {problem}" for problem in judge(world, folder, before, told)]
        failed += sum(one["exitcode"] != 0 for one in told.values())
        if last:
            problems += [f"a good server, and /{n} failed: {one}" for n, one in told.items() if one["exitcode"] != 0]
    print(f"# {failed} failed; the server: {dict(sorted(world.count.items()))}")
    return problems + sorted(set(world.faults))


def main():
    print(f"# seed {SEED}")
    world = World(SEED)
    with tempfile.TemporaryDirectory(prefix="stet-get.") as folder, socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.world = world
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        tap.same(f"{RUNS} runs against a server that does anything (seed {SEED})", play(world, folder, base)[:5], [])
        verified = subprocess.run([BINARY, "cache", "verify", "--cache-dir", os.path.join(folder, "cache")], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        tap.same("the cache is sound", (verified.returncode, verified.stdout.decode() if verified.returncode else ""), (0, ""))
        server.shutdown()
    tap.finish()


main()
