# SPDX-License-Identifier: MIT
"""
`stet cache`, and the cache of `stet get` when its users are killed: 200 times, in the middle of parallel fetches of contents that change
and do not all fit. `stet cache verify` has to be clean each time, and what is fetched after all that has to be what the server has.

STET_SEED chooses the run; it is told.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

import support
from support import PATIENCE_S

BINARY = sys.argv[1]
KILLS, AT_ONCE = 200, 8
FILES = 60
SIZES = (0, 90, 3000, 5000, 40000, 300000)
CACHE_SIZE = "3M"  # about half of what there is
tap = support.Tap()
seed = int(os.environ.get("STET_SEED") or time.time())
chance = random.Random(seed)
print(f"# STET_SEED={seed}", flush=True)


class Place:
    """A server of `site`, a cache, and stet run with it."""

    def __init__(self, folder):
        self.site, self.cache = os.path.join(folder, "site"), os.path.join(folder, "cache")
        os.mkdir(self.site)
        # pylint: disable-next=consider-using-with
        self.server = subprocess.Popen([BINARY, "serve", self.site, "--listen", "127.0.0.1:0", "--cache", "/fresh=max-age=600"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = self.server.stdout.readline().decode()
        self.base = re.search(r"http://127\.0\.0\.1:\d+/", line).group(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def write(self, name, content):
        path = os.path.join(self.site, name)
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.rename(path + ".new", path)

    def command(self, *words):
        return [BINARY, *words, "--cache-dir", self.cache]

    def run(self, *words):
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False,
                              env=support.clean_environment())
        return done.returncode, done.stdout, done.stderr.decode()


def verbs(place):
    place.write("a", b"first")
    place.write("fresh", b"first")
    for name in ("a", "fresh"):
        place.run("get", "-s", place.base + name)
    tap.same("ls names what is stored, in order", place.run("cache", "ls"), (0, f"{place.base}a\n{place.base}fresh\n".encode(), ""))
    entries = json.loads(place.run("cache", "ls", "--json")[1])
    tap.same("ls --json tells what each is", [(e["uri"][len(place.base):], e["status"], e["octets"], e["state"]) for e in entries],
             [("a", 200, 5, "stale"), ("fresh", 200, 5, "fresh")])
    tap.same("ls --prefix selects", place.run("cache", "ls", "--prefix", place.base + "f")[1], f"{place.base}fresh\n".encode())
    tap.same("show --body has the content", place.run("cache", "show", "--body", place.base + "a"), (0, b"first", ""))
    shown = place.run("cache", "show", place.base + "fresh")[1].decode()
    tap.same("show tells where the freshness comes from", "that of max-age. (RFC 9111 5.2.2.1)" in shown, True)
    details = json.loads(place.run("cache", "show", "--json", place.base + "fresh")[1])[0]
    tap.same("show --json has core's reasons", (details["reason"], details["lifetime_reason"], details["lifetime"]),
             ("fresh", "lifetime-max-age", 600))
    stats = json.loads(place.run("cache", "stats", "--json")[1])
    tap.same("the same content is kept once", (stats["stored_now"], stats["bodies"], stats["shared_octets"]), (2, 1, 5))
    tap.same("rm says how many", place.run("cache", "rm", place.base + "a"), (0, b"1 removed\n", ""))
    tap.same("what is not stored is 1 and told", place.run("cache", "rm", place.base + "a"),
             (1, b"0 removed\n", f"stet: cache: nothing is stored under {place.base}a\n"))
    tap.same("and for show", place.run("cache", "show", place.base + "a")[0], 1)
    tap.same("rm --all", place.run("cache", "rm", "--all"), (0, b"1 removed\n", ""))
    for words in (["cache"], ["cache", "list"], ["cache", "ls", "--mend"], ["cache", "rm"], ["cache", "show"], ["cache", "verify", "x"],
                  ["cache", "show", "ftp://a/"]):
        code, out, told = place.run(*words)
        tap.same(f"{' '.join(words)}: a wrong command line is 2 and one line", (code, out, told.count("\n")), (2, b"", 1))


def faults(place):
    place.write("big", bytes(200000))
    place.run("get", "-s", place.base + "big")
    details = json.loads(place.run("cache", "show", "--json", place.base + "big")[1])[0]
    with open(os.path.join(place.cache, details["file"]), "r+b") as file:
        file.write(b"damaged")
    code, out, _ = place.run("cache", "verify")
    tap.same("verify finds a changed content", (code, out.splitlines()[0]),
             (1, f"fault: the content is not what was stored: {place.base}big".encode()))
    code, out, _ = place.run("cache", "verify", "--mend")
    tap.same("verify --mend takes it away", (code, out.splitlines()[-1].split(b": ")[-1]), (1, b"1 fault, mended"))
    tap.same("and then it is clean", place.run("cache", "verify"), (0, b"0 stored, 0 contents, 0 octets: clean\n", ""))
    tap.same("it is fetched anew", place.run("get", "-s", place.base + "big"), (0, bytes(200000), ""))


def change_some(place, contents, count):
    for name in chance.sample(sorted(contents), count):
        contents[name] = chance.randbytes(chance.choice(SIZES))
        place.write(name, contents[name])


def fetch_and_kill(place, folder):
    fetching = []
    for number in range(AT_ONCE):
        order = chance.sample(range(FILES), FILES)
        path = os.path.join(folder, f"list-{number}")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{place.base}f{i}\n" for i in order)
        words = place.command("get", "-s", "-Z", "--input", path, "--output-dir", os.path.join(folder, f"out-{number}"), "--create-dirs",
                              "--cache-size", CACHE_SIZE, "--max-object-bytes", "1M", *(["--reload"] if chance.random() < 0.2 else []))
        # pylint: disable-next=consider-using-with
        fetching.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         env=support.clean_environment()))
    for process in fetching:
        time.sleep(chance.random() * 0.05)  # any moment of what they do will do
        process.kill()
        process.wait()


def kills(place, folder):
    contents = {f"f{i}": b"" for i in range(FILES)}
    change_some(place, contents, FILES)
    unclean = []
    for _ in range(KILLS // AT_ONCE):
        fetch_and_kill(place, folder)
        code, out, told = place.run("cache", "verify")
        if code:
            unclean.append((out.decode(), told))
        change_some(place, contents, 5)
    tap.same(f"verify is clean after each of {KILLS} kills", unclean, [])
    stats = json.loads(place.run("cache", "stats", "--json")[1])
    tap.same("something was stored, and the limit held", stats["stored"] > 0 and 0 < stats["octets"] <= stats["octets_max"] == 3 << 20, True)
    wrong = [name for name in contents if place.run("get", "-s", place.base + name)[1] != contents[name]]
    tap.same("what is fetched then is what the server has", wrong, [])


def main():
    for play in (verbs, faults):
        with tempfile.TemporaryDirectory(prefix="stet-cache-") as folder, Place(folder) as place:
            play(place)
    with tempfile.TemporaryDirectory(prefix="stet-cache-") as folder, Place(folder) as place:
        kills(place, folder)
    tap.finish()


main()
