# SPDX-License-Identifier: MIT
"""
peers.py BINARY: `stet check` of real servers, as Debian has them (daemons.py says how they are set up). docs/peers.md is the expectation: each
row of its tables is found, on the files that it names, and no other error or warning is. So a false finding fails here, and a fault that is no
longer found does, too. Notes are not compared.

A section is headed by the server and the version that it is about, with two numbers. Where another version is here, or none, that is
said and the section is skipped: its faults may have been mended.
"""

import concurrent.futures
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

import daemons

TOP = daemons.TOP
sys.path.insert(0, os.path.join(TOP, "test", "clients"))
import support  # noqa: E402  pylint: disable=wrong-import-position

BINARY = sys.argv[1]
DOCUMENT = os.path.join(TOP, "docs", "peers.md")
HEADING = re.compile(r"^## ([\w ]+?) (\d+\.\d+)$")
ROW = re.compile(r"^\| `([\w-]+)` \| ([^|]+) \|")
FILES = ["/index.html", "/style.css", "/small.txt", "/photo.bin", "/large.bin", "/epoch.bin", "/untyped", "/vary/index.html", "/vary/style.css"]
MORE = {
    "nginx": ["/static/index.html", "/before/index.html", "/types/index.html", "/types/style.css"],
    "caddy": ["/static/index.html"],
    "h2o": ["/static/index.html"],
    "varnish": ["/types/style.css"],
    "nginx-cache": ["/types/style.css"],
}
# What a section of the document is called, and the peer with its version.
SECTIONS = {"nginx": "nginx", "nginx as a cache": "nginx-cache", "Apache": "apache", "lighttpd": "lighttpd", "Caddy": "caddy", "h2o": "h2o",
            "Varnish": "varnish", "Varnish before nginx": "varnish-hop", "Python http server": "python"}
OWN = ["--header", "/vary/**: Cache-Control: max-age=3600", "--header", "/vary/**: Access-Control-Allow-Origin: *", "--cache", "/types/**=no-cache"]
# What depends on the moment is not asked: whether Varnish passes Range on for what it does not store, whether stet proxy has made its coded
# copies before nginx changes the lifetime, and whether it has its own or those of h2o and Caddy. The number is 1 for the server itself, 2 behind stet proxy.
OPTIONS = {("varnish", "/types/style.css", 1): ["--skip", "range"], ("nginx", "/types/index.html", 2): ["--skip", "coding"],
           ("caddy", "/static/index.html", 2): ["--skip", "if-match"],
           **{("h2o", path, 2): ["--skip", "accept-ranges-contradicts"] for path in FILES}}
HOPS = ["/index.html", "/photo.bin", "/vary/style.css", "/before/index.html"]
CODED = ["/index.html", "/style.css", "/vary/index.html", "/vary/style.css", "/types/index.html", "/types/style.css"]

tap = support.Tap()


def peer_of(name):
    return "varnish" if name == "varnish-hop" else name.split("-")[0]


def files_of(name):
    return HOPS if name == "varnish-hop" else FILES + MORE.get(name, [])


def where(cell, files):
    """The files that a cell of a table names: "all", "all but `/a`, `/b/`" or "`/a`, `/b/`"."""
    named = re.findall(r"`([^`]+)`", cell)
    fits = [file for file in files if any(file == one or (one.endswith("/") and file.startswith(one)) for one in named)]
    if len(named) > len(set(fits)):
        raise ValueError(f"docs/peers.md names a file that is none: {cell}")
    return set(files) - set(fits) if cell.startswith("all") else set(fits)


def expectations():
    """{peer: (version, {file: rules}, {file: rules} behind stet proxy)} of the document."""
    out, name, behind = {}, None, 0
    with open(DOCUMENT, encoding="utf-8") as document:
        for line in document:
            heading, row = HEADING.match(line), ROW.match(line)
            if line.startswith("## "):
                name, behind = SECTIONS[heading.group(1)] if heading else None, 1
            if heading:
                out[name] = (heading.group(2), *({file: set() for file in files_of(name)} for _ in range(2)))
            elif line.startswith("### Behind stet proxy"):
                behind = 2
            elif name and row:
                for file in where(row.group(2), files_of(name)):
                    out[name][behind][file].add(row.group(1))
    return out


def report(*arguments):
    done = subprocess.run([BINARY, "check", "--json", *arguments], capture_output=True, text=True, check=False,
                          timeout=support.PATIENCE_S * 4, env=support.clean_environment())
    try:
        return json.loads(done.stdout)["resources"]
    except ValueError:
        return [{"failure": done.stderr, "findings": []}]


def found(resource):
    """Errors and warnings, or why there are none."""
    if resource["failure"]:
        return {resource["failure"]}
    return {finding["rule"] for finding in resource["findings"] if finding["severity"] in ("error", "warning")}


def get(port, path, coding):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=support.PATIENCE_S)
    connection.request("GET", path, headers={"Accept-Encoding": coding})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def settle(port):
    """stet serve hashes large files and codes text in the background: from here on its answers stay as they are."""
    until = time.monotonic() + support.PATIENCE_S
    for path, coding in [("/large.bin", "identity"), *((path, coding) for path in CODED for coding in ("gzip", "br", "zstd"))]:
        while True:
            answer = get(port, path, coding)
            if answer.getheader("ETag") and answer.getheader("Content-Encoding", "identity") == coding:
                break
            if time.monotonic() > until:
                raise daemons.Failure(f"stet serve does not code {path} in {coding}")
            time.sleep(0.02)


def fill(port, files):
    """A cache answers the first request for a variant in another way than the next."""
    for path in files:
        for coding in ("identity", "gzip", "br", "zstd"):
            get(port, path, coding)


class Silent:
    """Reads what a stet prints, so that it does not wait for a reader."""

    def __init__(self, stet):
        self.stet = stet
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while True:
                self.stet.line()
        except (RuntimeError, OSError, ValueError):
            return


def judge(name, resources, rules, how):
    """One test for each file, so that a failure names it."""
    for file, resource in resources:
        tap.same(f"{name}{how} {file}", found(resource), rules[file])


def check_peers(fleet, proxies, expected, pool):
    direct, behind = [], []
    for name, port in fleet.ports.items():
        if name == "varnish-hop":
            continue
        base = f"http://127.0.0.1:{port}"
        direct += [(name, file, pool.submit(report, *OPTIONS.get((name, file, 1), []), base + file)) for file in files_of(name)]
        if name in proxies:
            base = f"http://127.0.0.1:{proxies[name].port}"
            behind += [(name, file, pool.submit(report, *OPTIONS.get((name, file, 2), []), base + file)) for file in files_of(name)]
    for which, jobs, how in ((1, direct, ""), (2, behind, ", behind stet proxy,")):
        for name, file, job in jobs:
            judge(name, [(file, job.result()[0])], expected[name][which], how)


def check_again(fleet, pool):
    """The same server gives the same findings, notes among them."""
    def rules(port):
        resource = report(f"http://127.0.0.1:{port}/vary/index.html")[0]
        return sorted((finding["rule"], finding["times"]) for finding in resource["findings"])
    jobs = [(name, pool.submit(rules, port), pool.submit(rules, port)) for name, port in fleet.ports.items() if name != "varnish-hop"]
    for name, first, second in jobs:
        tap.same(f"{name}: two checks find the same", first.result(), second.result())


def check_hops(fleet, expected):
    for file in HOPS:
        edge, origin = (f"http://127.0.0.1:{fleet.ports[name]}{file}" for name in ("varnish-hop", "nginx"))
        resources = report("--edge", edge, "--origin", origin)
        edge_rules = {finding["rule"] for finding in resources[0]["findings"] if finding["rule"].startswith("edge-")}
        tap.same(f"Varnish before nginx {file}: what the edge changed", edge_rules - {"edge-faithful"}, expected["varnish-hop"][1][file])
        tap.same(f"Varnish before nginx {file}: the origin by itself", found(resources[1]), expected["nginx"][1][file])


def check_own(stet, proxy, pool):
    """Nothing is wrong with stet: on any transport, through any number of hops."""
    files = FILES + ["/static/index.html", "/types/index.html", "/types/style.css", "/", "/vary"]
    bases = {"stet serve": [f"http://127.0.0.1:{stet.port}"], "stet serve, TLS": ["-k", f"https://127.0.0.1:{stet.ports['https']}"],
             "stet serve, TLS and HTTP/2": ["-k", "--http2", f"https://127.0.0.1:{stet.ports['https']}"],
             "stet proxy before it": [f"http://127.0.0.1:{proxy.port}"]}
    jobs = [(name, file, pool.submit(report, *options, base + file)) for name, (*options, base) in bases.items() for file in files]
    for name, file, job in jobs:
        tap.same(f"{name}: {file} has no fault", found(job.result()[0]), set())


def choose(expected):
    """The peers that are here in the version that the document is about; names the others."""
    names = []
    for name in daemons.VERSION:
        wanted, there = expected[name][0], daemons.version(name)
        if there == wanted:
            names.append(name)
            continue
        tap.count += 1
        why = f"{there} is here, docs/peers.md is about {wanted}" if there else "it is not here: tools/peers"
        print(f"ok {tap.count} - {name} # SKIP {why}", flush=True)
    return [name for name in names if name != "varnish" or "nginx" in names]  # which is behind it


def test_peers(stet, work, expected, pool):
    fleet = daemons.Fleet(work, stet.port, choose(expected))
    proxies = {}
    try:
        fleet.begin()
        for name, port in fleet.ports.items():
            if name != "varnish-hop":
                proxies[name] = support.Stet(BINARY, port, role="proxy")
                Silent(proxies[name])
        for name in ("nginx-cache", "varnish", "varnish-hop"):
            if name in fleet.ports:
                fill(fleet.ports[name], files_of(name))
        check_peers(fleet, proxies, expected, pool)
        check_again(fleet, pool)
        if "varnish-hop" in fleet.ports:
            check_hops(fleet, expected)
    finally:
        codes = {name: proxy.stop() for name, proxy in proxies.items()}
        fleet.stop()
    tap.same("each stet proxy ends well", codes, dict.fromkeys(codes, 0))


def main():
    expected = expectations()
    tap.same("docs/peers.md has a section for each peer", sorted(expected), sorted(SECTIONS.values()))
    with tempfile.TemporaryDirectory(prefix="stet-peers-") as work, concurrent.futures.ThreadPoolExecutor(16) as pool:
        root = os.path.join(work, "root")
        daemons.make_site(root)
        stet = support.Stet(BINARY, root, *OWN, secure=True)
        Silent(stet)
        settle(stet.port)
        proxy = support.Stet(BINARY, stet.port, role="proxy")
        Silent(proxy)
        try:
            check_own(stet, proxy, pool)
            test_peers(stet, work, expected, pool)
        finally:
            codes = (proxy.stop(), stet.stop())
        tap.same("stet proxy and stet serve end well", codes, (0, 0))
    tap.finish()


main()
