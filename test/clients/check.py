# SPDX-License-Identifier: MIT
"""
`stet check` as its user meets it. An origin with one fault at a time (check_origin.py): that fault is found and nothing else is called wrong.
`stet serve` and `stet proxy` are found to have none. Servers that are none, recordings, pages, an edge, reports and exit codes.
"""

import base64
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile

import check_origin
import check_tweaks
import support
from support import PATIENCE_S

BINARY = sys.argv[1]
tap = support.Tap()

# What else goes wrong with a fault: a list that is compared as a whole hides the tag from all lists.
WITH = {
    "inm-list-ignored": {"inm-list-comma-ignored", "inm-lines-ignored", "inm-long-ignored"},
    "inm-overmatch": {"inm-prefix-matched", "inm-empty-matched", "ims-beats-inm", "304-other-etag"},
    "inm-prefix-matched": {"304-other-etag"},
    "ims-beats-inm": {"ims-vetoes-inm"},
    "etag-reused": {"coding-shares-tag"},
    "head-refused": {"probe-refused"},
    "if-unmodified-since-own-date-fails": {"ius-vetoes-if-match"},
    "etag-goes": {"coding-drops-etag"},
    "last-modified-backwards": {"ims-earlier-matched"},
    "vary-unstable": {"304-other-vary"},
    "coding-other-freshness": {"304-changes-freshness"},
    "if-range-ignored": {"if-range-weak-matched", "if-range-date-inexact"},
}
FAULTS = """
    inm-ignored inm-weak-ignored inm-list-ignored inm-overmatch inm-prefix-matched ims-ignored ims-exact-only ims-earlier-matched
    ims-invalid-matched ims-beats-inm ims-vetoes-inm coded-tag-not-matched coding-shares-tag coding-without-vary vary-only-when-coded
    coding-other-content coding-drops-etag 304-lacks-etag 304-lacks-vary 304-lacks-freshness 304-lacks-cors 304-lacks-field
    304-changes-freshness 304-other-etag 304-wrong-length 304-with-content head-wrong-length head-refused etag-unstable etag-reused
    content-changes last-modified-of-the-moment 206-wrong-octets 206-lacks-field 416-without-length multipart-malformed if-range-ignored
    if-range-weak-matched range-before-inm ranges-announced-only probe-server-error probe-no-answer probe-throttled
""".split()


def run(*arguments, code=None, environment=None):
    """(exit code, standard output, standard error)."""
    done = subprocess.run([BINARY, "check", *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_S * 4,
                          env={**support.clean_environment(), **(environment or {})})
    if code is not None:
        tap.same(f"stet check {' '.join(arguments)[:80]}: exit code", done.returncode, code)
    return done.returncode, done.stdout, done.stderr


def report(*arguments):
    _, text, errors = run("--json", *arguments)
    try:
        return json.loads(text)
    except ValueError:
        tap.same("stet check --json " + " ".join(arguments), errors, "a report")
        sys.exit(1)


def found(resource, *severities):
    return {finding["rule"] for finding in resource["findings"] if finding["severity"] in severities}


def told(resource):
    """What is wrong, so that who reads of a failure need not look for it."""
    return {f"{finding['rule']}: {finding['detail']}" for finding in resource["findings"] if finding["severity"] in ("error", "warning")}


def test_faults(origin):
    right = report(f"http://127.0.0.1:{origin.port}/right")["resources"][0]
    tap.same("nothing is wrong with an origin that does everything right", found(right, "error", "warning"), set())
    faults = [*FAULTS, *check_tweaks.TWEAKS]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # most of the time is waiting for what may stand behind a 304
        reports = pool.map(lambda fault: report(f"http://127.0.0.1:{origin.port}/{fault}"), faults)
    for fault, resource in zip(faults, (one["resources"][0] for one in reports)):
        tap.same(f"{fault} is found", fault in found(resource, "error", "warning", "note"), True)
        tap.same(f"{fault}: nothing else is called wrong",
                 found(resource, "error", "warning") - {fault} - WITH.get(fault, set()), set())


def test_edges(origin):
    base = f"http://127.0.0.1:{origin.port}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        reports = pool.map(lambda fault: report("--edge", f"{base}/{fault}", "--origin", f"{base}/right"), check_tweaks.EDGES)
    for fault, hops in zip(check_tweaks.EDGES, (one["resources"] for one in reports)):
        tap.same(f"{fault} is found", fault in found(hops[0], "error", "warning"), True)
        tap.same(f"{fault}: the origin has no fault", found(hops[1], "error", "warning"), set())


def test_own(folder):
    """stet has no fault that stet finds."""
    files = {"a.html": b"<p>text</p>" * 400, "b.txt": b"x", "c.bin": os.urandom(900_000), "empty.txt": b"", "d/index.html": b"<p>index" * 100}
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (support.MODIFIED, support.MODIFIED))
    serve = support.Stet(BINARY, folder, "--cache", "*=max-age=600", secure=True)
    proxy = support.Stet(BINARY, serve.port, role="proxy")
    targets = [*files, "d/", "nothing", "d"]
    try:
        uris = [(name, f"http://127.0.0.1:{server.port}/{target}") for name, server in (("serve", serve), ("proxy", proxy)) for target in targets]
        # /d redirects to /d/, and no resource is asked by two at once: what one asks with If-Match goes to the origin and is stored anew, so the proxy
        # makes its compressed copy anew, and meanwhile gives the other one the plain content.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            reports = list(pool.map(lambda pair: None if pair[1].endswith("/d") else report(pair[1]), uris))
        reports = [one or report(uri) for one, (_, uri) in zip(reports, uris)]
        for (name, uri), one in zip(uris, reports):
            tap.same(f"stet {name} has no fault: /{uri.split('/', 3)[3]}", told(one["resources"][0]), set())
        secure = f"https://127.0.0.1:{serve.ports['https']}/a.html"
        for options in ([], ["--http2"]):
            resource = report("-k", *options, secure)["resources"][0]
            tap.same(f"stet serve has no fault over TLS {' '.join(options)}", (resource["status"], found(resource, "error", "warning")), (200, set()))
        resource = report(secure)["resources"][0]
        tap.same("a certificate that nobody vouches for is told", "certificate" in (resource["failure"] or ""), True)
        hops = report("--edge", f"http://127.0.0.1:{proxy.port}/a.html", "--origin", f"http://127.0.0.1:{serve.port}/a.html")["resources"]
        tap.same("an edge and its origin", [resource["role"] for resource in hops], ["edge", "origin"])
        tap.same("stet proxy changes nothing that matters", "edge-faithful" in found(hops[0], "good"), True)
    finally:
        proxy.stop()
        serve.stop()


def test_odd(origin):
    """What is no HTTP server, or a bad one, is told in words."""
    base = f"http://127.0.0.1:{origin.port}"
    for path, options in (("garbage", []), ("closes", []), ("loop", []), ("silent", ["--timeout", "1"])):
        code, text, _ = run(*options, f"{base}/{path}")
        tap.same(f"/{path}: exit code", code, 5)
        tap.same(f"/{path}: it is said why", "✗" in text, True)
    for path in ("401", "404", "405", "500"):
        resource = report(f"{base}/{path}")["resources"][0]
        tap.same(f"/{path} has no grade, and it is said why", (resource["grade"], resource["failure"] is None), ("-", False))
        run(f"{base}/{path}", code=5)
    origin.asked.clear()
    resource = report("--timeout", "1", f"{base}/stalls")["resources"][0]
    tap.same("a stream is not waited for again", len(origin.asked), 1)
    tap.same("a stream is told, and not as cut off", ("had not ended" in resource["failure"], found(resource, "error")), (True, set()))
    resource = report("--max-content", "64K", f"{base}/endless", "--only", "repeated")["resources"][0]
    tap.same("an endless content is looked at up to --max-content", resource["status"], 200)
    resource = report(f"{base}/cut", "--only", "repeated")["resources"][0]
    tap.same("content that is cut off is told", "content-cut" in found(resource, "error"), True)
    resource = report(f"{base}/redirect")["resources"][0]
    tap.same("redirects are followed", (resource["asked"], resource["uri"]), (f"{base}/redirect", f"{base}/right"))
    run("http://127.0.0.1:1/", code=5)
    run("ftp://127.0.0.1/", code=5)


def test_interrupt(origin, folder):
    """Who is tired of waiting gets what was found so far."""
    base = f"http://127.0.0.1:{origin.port}"
    path = os.path.join(folder, "interrupted.json")
    origin.stalled.clear()
    with subprocess.Popen([BINARY, "check", "--json=" + path, f"{base}/right", f"{base}/stalls", f"{base}/right"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, env=support.clean_environment()) as process:
        origin.stalled.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        tap.same("an interrupt: exit code", process.wait(PATIENCE_S), 130)
    with open(path, encoding="utf-8") as file:
        resources = json.load(file)["resources"]
    tap.same("an interrupt: what was found so far is the report", [resource["failure"] for resource in resources], [None, "It was interrupted."])


def test_page(origin):
    base = f"http://127.0.0.1:{origin.port}"
    resources = report("--assets", f"{base}/page", "--only", "head")["resources"]
    tap.same("--assets: what a browser fetches with the page", [resource["uri"] for resource in resources],
             [f"{base}/page", *(f"{base}/right/{name}" for name in ("a.css", "b.js", "c.png", "d.png"))])
    resources = report("--assets=2", f"{base}/page", "--only", "head")["resources"]
    tap.same("--assets=2: not more", len(resources), 3)


def test_requests(origin):
    base = f"http://127.0.0.1:{origin.port}"
    origin.asked.clear()
    report(f"{base}/right", "-H", "Authorization: Basic c2VjcmV0", "-H", "X-Mine: yes", "-A", "me", "-H", "accept-encoding: none")
    heads = origin.asked[:]
    tap.same("only GET and HEAD are sent", {head.split(" ")[0] for head in heads}, {"GET", "HEAD"})
    tap.same("-H and -A are in each request", all("\r\nX-Mine: yes" in head and "\r\nUser-Agent: me\r\n" in head for head in heads), True)
    tap.same("Accept-Encoding is the check's", any("none" in head for head in heads), False)
    _, text, _ = run("--json", "-v", f"{base}/right", "-H", "Authorization: Basic c2VjcmV0")
    tap.same("credentials are not in the report", "c2VjcmV0" in text, False)
    origin.asked.clear()
    report(f"{base}/right", "--only", "head")
    tap.same("--only PROBE: the plain GET and that one", [head.split(" ")[0] for head in origin.asked], ["GET", "HEAD"])
    resource = report(f"{base}/304-lacks-vary", "--skip", "304-lacks-vary")["resources"][0]
    tap.same("--skip RULE", found(resource, "error", "warning"), set())
    resource = report(f"{base}/304-lacks-vary", "--only", "304-lacks-vary")["resources"][0]
    tap.same("--only RULE", [finding["rule"] for finding in resource["findings"]], ["304-lacks-vary"])


def har_entry(url, request, status, response, content=None, **more):
    def pairs(fields):
        return [{"name": name, "value": value} for name, value in fields.items()]
    return {"startedDateTime": "2026-11-21T10:30:00.5+01:00", "time": 12.5,
            "request": {"method": "GET", "url": url, "httpVersion": "h2", "headers": pairs({":authority": "example.org", **request})},
            "response": {"status": status, "statusText": "", "httpVersion": "h2", "headers": pairs(response), "content": content or {"size": 0}},
            **more}


def test_har(folder):
    fields = {"date": "Sat, 21 Nov 2026 09:30:00 GMT", "etag": '"v1"', "cache-control": "max-age=60", "vary": "Accept-Encoding",
              "content-length": "5"}
    entries = [
        har_entry("https://example.org/a", {}, 200, fields, {"size": 5, "text": base64.b64encode(b"hello").decode(), "encoding": "base64"}),
        har_entry("https://example.org/a", {"if-none-match": '"v1"'}, 304, {"date": fields["date"], "etag": '"v1"', "cache-control": "max-age=9"}),
        har_entry("https://example.org/b", {}, 200, {"date": fields["date"], "set-cookie": "a=1\nb=2"}),
        har_entry("https://example.org/b", {}, 304, {"date": fields["date"]}),
        har_entry("https://example.org/cached", {}, 200, {}, _fromCache="disk"),
        har_entry("data:text/plain,x", {}, 200, {}),
        har_entry("https://example.org/blocked", {}, 0, {}),
    ]
    path = os.path.join(folder, "a.har")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"log": {"version": "1.2", "entries": entries}}, file)
    whole = report("--har", path)
    tap.same("--har: a resource for each URI", [resource["uri"] for resource in whole["resources"]],
             ["https://example.org/a", "https://example.org/b"])
    tap.same("--har: nobody is asked", (whole["passive"], whole["requests"]), (True, 0))
    tap.same("--har: a recorded 304 is compared with the 200", found(whole["resources"][0], "error"), {"304-lacks-vary", "304-changes-freshness"})
    tap.same("--har: what has no validator", "no-validator" in found(whole["resources"][1], "warning"), True)
    tap.same("--har: a 304 whose condition was not recorded is no fault", found(whole["resources"][1], "error"), set())
    with open(path, "w", encoding="utf-8-sig") as file:
        json.dump({"log": {"entries": entries}}, file)
    tap.same("--har with a byte order mark", len(report("--har", path)["resources"]), 2)
    tap.same("--har with a folder", "Is a directory" in run("--har", folder, code=1)[2], True)
    for text, why in (("{", "near end of file"), ("[]", "no HAR file"), ('{"log": {"entries": {}}}', "no HAR file")):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        tap.same(f"--har with {text}", why in run("--har", path, code=1)[2], True)


def test_reports(origin, folder):
    base = f"http://127.0.0.1:{origin.port}"
    names = {option: os.path.join(folder, "report." + option) for option in ("json", "sarif", "junit", "html")}
    _, text, _ = run(f"{base}/304-lacks-vary", f"--json={names['json']}", "--sarif", names["sarif"], "--junit", names["junit"],
                     "--html", names["html"], code=1)
    tap.same("reports in files leave the terminal's", "304-lacks-vary" in text, True)
    for option, name in names.items():
        with open(name, encoding="utf-8") as file:
            tap.same(f"--{option}: the finding is in the file", "304-lacks-vary" in file.read(), True)
    run(f"{base}/right", "--html", os.path.join(folder, "no/such/folder"), code=1)
    run(f"{base}/304-lacks-vary", "--fail-on", "never", code=0)
    run(f"{base}/vary-only-when-coded", code=0)
    run(f"{base}/vary-only-when-coded", "--fail-on", "warning", code=1)
    run(f"{base}/right", "--fail-on", "note", "--only", "304-lacks-vary", code=0)
    tap.same("no terminal, no colours", "\033" in run(f"{base}/right")[1], False)


def test_command_line():
    tap.same("--list names rules and probes", all(name in run("--list", code=0)[1] for name in ("inm-ignored", "if-range-other")), True)
    tap.same("--explain", "RFC 9110 13.1.2" in run("--explain", "inm-ignored", code=0)[1], True)
    tap.same("--explain with a slip", "did you mean 'inm-ignored'?" in run("--explain", "inm-ignore", code=2)[2], True)
    for arguments in ([], ["--edge", "http://a/"], ["--har", "a", "http://a/"], ["--only", "nothing", "http://a/"], ["--fail-on", "x", "http://a/"],
                      ["-H", "no colon", "http://a/"], ["-H", "A: b\x01", "http://a/"], ["--assets=x", "http://a/"], ["--resolve", "x", "http://a/"]):
        tap.same("one line of complaint", run(*arguments, code=2)[2].count("\n"), 1)


def main():
    origin = check_origin.Origin()
    with tempfile.TemporaryDirectory(prefix="stet-check-") as folder:
        test_faults(origin)
        test_edges(origin)
        test_odd(origin)
        test_interrupt(origin, folder)
        test_page(origin)
        test_requests(origin)
        test_har(folder)
        test_reports(origin, folder)
        test_command_line()
        os.mkdir(os.path.join(folder, "site"))
        test_own(os.path.join(folder, "site"))
    origin.stop()
    tap.finish()


main()
