# SPDX-License-Identifier: MIT
"""
Chromium over TLS and HTTP/2, against stet serve and against stet proxy before it: a page with ten assets is loaded until its texts come
coded, reloaded (eleven 304s and the same page), and reloaded after one file was edited (that one comes again, ten do not).
"""

import base64
import contextlib
import hashlib
import os
import ssl
import subprocess
import sys
import time

import devtools
import support
from page import EDITED, FILES, SEEN, targets

PADDING = b"/* " + b"What is longer is worth a content coding. " * 60 + b"*/\n"
PADDED = ["one.css", "two.css", "three.js", "four.js"]
LOADED = """performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map(
    (entry) => [new URL(entry.name).pathname, entry.nextHopProtocol, entry.encodedBodySize < entry.decodedBodySize])"""


def padded(content):
    return PADDING + content


def files():
    return {name: padded(content) if name in PADDED else content for name, content in FILES.items()}


def load_anew(browser, url):
    """As somebody who was never here. Returns {path: (protocol, whether it came coded)}."""
    browser.call("Network.clearBrowserCache")
    browser.go("about:blank")
    browser.go(url)
    browser.evaluate("seen()")
    return {path: (protocol, coded) for path, protocol, coded in browser.evaluate(LOADED)}


def load_coded(browser, url):
    """Loads the page until its texts come coded: at first a server may send what it has, while it makes the coded copies."""
    until = time.monotonic() + support.PATIENCE_S
    while True:
        seen = load_anew(browser, url)
        if all(seen.get("/" + name, (None, False))[1] for name in PADDED) or time.monotonic() > until:
            return seen


def judge(tap, browser, what, server, root):
    url = f"https://127.0.0.1:{server.ports['https']}/"
    seen = load_coded(browser, url)
    tap.same(f"{what}: over HTTP/2", sorted({protocol for protocol, _ in seen.values()}), ["h2"])
    tap.same(f"{what}: texts come coded", {name: seen.get("/" + name, (None, False))[1] for name in PADDED}, dict.fromkeys(PADDED, True))
    tap.same(f"{what}: a picture does not", seen.get("/seven.png", (None, True))[1], False)
    tap.same(f"{what}: the page is whole", browser.evaluate("seen()"), SEEN)
    drain(server)
    browser.reload()
    tap.same(f"{what}: reloaded, it is intact", browser.evaluate("seen()"), SEEN)
    tap.same(f"{what}: eleven 304s", server.logged(len(FILES)), targets(304))
    edited = os.path.join(root, "one.css")
    with open(edited + "~", "wb") as file:
        file.write(padded(EDITED))
    os.rename(edited + "~", edited)
    browser.reload()
    tap.same(f"{what}: after an edit the page shows it", browser.evaluate("seen()"), {**SEEN, "one": "rgb(200, 100, 50)"})
    tap.same(f"{what}: one 200 and ten 304s", server.logged(len(FILES)), {**targets(304), "/one.css": 200})
    browser.reload()
    tap.same(f"{what}: then all is known again", (browser.evaluate("seen()")["one"], server.logged(len(FILES))),
             ("rgb(200, 100, 50)", targets(304)))


def drain(server):
    """Reads the log up to a request that nothing else makes."""
    support.get(server.port, "/drained")
    while "/drained" not in server.line():
        pass


def public_key(port):
    """What --ignore-certificate-errors-spki-list takes: the hash of the key of the certificate that is presented."""
    certificate = ssl.get_server_certificate(("127.0.0.1", port)).encode()
    pem = subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=certificate, capture_output=True, check=True).stdout
    key = b"".join(pem.splitlines()[1:-1])
    return base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode()


def main():
    tap = support.Tap()
    rules = ("--cache", "**=no-cache")
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(support.folder(files()))
        server = stack.enter_context(support.serving(root, *rules, secure=True))
        behind = stack.enter_context(support.folder(files()))
        origin = stack.enter_context(support.serving(behind, *rules, "--codings", "none"))
        proxy = stack.enter_context(support.serving(origin.port, role="proxy", secure=True))
        # The certificates are of stet's own making. A browser that is told to trust these very keys also caches.
        keys = ",".join(public_key(one.ports["https"]) for one in (server, proxy))
        browser = devtools.Chromium(["--ignore-certificate-errors-spki-list=" + keys])
        stack.callback(browser.close)
        browser.call("Network.enable")
        judge(tap, browser, "serve", server, root)
        judge(tap, browser, "proxy", proxy, behind)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: chromium_secure.py BINARY")
main()
