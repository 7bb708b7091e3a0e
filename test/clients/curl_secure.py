# SPDX-License-Identifier: MIT
"""
curl over TLS: --http1.1 and --http2, plain and --compressed, against stet serve and against stet proxy before it. A 200 whose content is right, a
304 for the tag that curl saved, one connection for both; and with a certificate that curl verifies.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import support

ARGUMENTS = ["curl", "-q", "-sS", "--max-time", str(support.PATIENCE_S)]
VERSIONS = {"--http1.1": "1.1", "--http2": "2"}
PAGE = support.PAGE * 3


def run(*arguments):
    """[what curl tells of each transfer], or its complaint."""
    done = subprocess.run([*ARGUMENTS, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=support.PATIENCE_S * 2, env=support.clean_environment())
    if done.returncode:
        return [{"error": f"exit code {done.returncode}: {done.stderr.strip()}"}]
    return [json.loads(line) for line in done.stdout.splitlines()]


def content(path):
    if not os.path.exists(path):
        return None  # curl makes no file for an answer without content
    with open(path, "rb") as file:
        return file.read()


def coded(url, *options):
    """Asks until the page comes coded. Returns its coding."""
    until = time.monotonic() + support.PATIENCE_S
    while time.monotonic() < until:
        told = run(*options, "-o", os.devnull, "-w", '{"coding": "%header{content-encoding}"}\\n', url)
        if told[0].get("coding") != "":
            return told[0].get("coding")
    return ""


def judge(tap, what, url, *options):
    with tempfile.TemporaryDirectory(prefix="stet-curl-") as work:
        tag, out = os.path.join(work, "tag"), [os.path.join(work, f"body.{i}") for i in range(3)]
        tell = ["-w", '{"code": %{http_code}, "version": "%{http_version}", "new": %{num_connects}}\\n']
        run(*options, "-o", os.devnull, "--etag-save", tag, url)
        # Options of a transfer do not hold for the --next one, but its connection does.
        parts = [[*options, "-sS", *tell, "-o", out[0], url], [*options, "-sS", *tell, "--etag-compare", tag, "-o", out[1], url],
                 [*options, "-sS", *tell, "-H", 'If-None-Match: "other"', "-o", out[2], url]]
        told = run(*parts[0], "--next", *parts[1], "--next", *parts[2])
        version = VERSIONS[options[0]]
        tap.same(f"{what}: 200, 304, 200 on one connection", told, [
            {"code": code, "version": version, "new": new} for code, new in ((200, 1), (304, 0), (200, 0))])
        tap.same(f"{what}: the page, nothing, the page", [content(path) for path in out], [PAGE, None, PAGE])


def judge_all(tap, role, server, *trust):
    url = f"https://localhost:{server.ports['https']}/page.html"
    for version in VERSIONS:
        judge(tap, f"{role} {version}", url, version, *trust)
        coding = coded(url, version, "--compressed", *trust)
        tap.same(f"{role} {version} --compressed: there is a coding", coding in ("br", "zstd", "gzip"), True)
        judge(tap, f"{role} {version} --compressed", url, version, "--compressed", *trust)


def verified(tap, root):
    """A certificate of an authority that curl is told of; without that it refuses."""
    with support.certificate("localhost") as (certificate, key):
        with support.serving(root, "--cert", certificate, "--key", key, secure=True) as server:
            url = f"https://localhost:{server.ports['https']}/page.html"
            judge(tap, "verified --http2", url, "--http2", "--cacert", certificate)
            tap.same("not verified, it is refused", run("-o", os.devnull, url)[0].get("error", "")[:12], "exit code 60")


def main():
    tap = support.Tap()
    with support.folder({"page.html": PAGE}) as root:
        with support.serving(root, secure=True) as server:
            judge_all(tap, "serve", server, "-k")
            clear = f"http://127.0.0.1:{server.port}/page.html"
            told = run("--http2-prior-knowledge", "-o", os.devnull, "-w", '{"code": %{http_code}, "version": "%{http_version}"}\n', clear)
            tap.same("serve --http2-prior-knowledge", told, [{"code": 200, "version": "2"}])
        with support.serving(root, "--cache", "**=max-age=600", "--codings", "none") as origin:
            with support.serving(origin.port, role="proxy", secure=True) as proxy:
                judge_all(tap, "proxy", proxy, "-k")
        verified(tap, root)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: curl_secure.py BINARY")
main()
