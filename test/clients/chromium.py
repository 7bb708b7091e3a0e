# SPDX-License-Identifier: MIT
"""
Chromium: a page with ten assets is loaded, reloaded (eleven 304s and the same page), and reloaded after one file was edited (that
one comes again, ten do not). What was sent is read from the server's access log, what was seen from the page itself.

With SCREENSHOTS=FOLDER in the environment, pictures of the pages, of a listing and of the single-page application are left there.
"""

import os
import sys

import devtools
import support
from page import EDITED, FILES, SEEN, svg, targets

APPLICATION = b"""<!doctype html>
<meta charset="utf-8">
<title>Application</title>
<link rel="icon" href="data:,">
<main></main>
<script>document.querySelector('main').textContent = 'route ' + location.pathname;</script>
"""


def picture(browser, name):
    if "SCREENSHOTS" in os.environ:
        browser.screenshot(os.path.join(os.environ["SCREENSHOTS"], name + ".png"))


def assets(tap, browser):
    with support.folder(FILES) as root, support.serving(root, "--cache", "**=no-cache") as server:
        browser.go(f"http://127.0.0.1:{server.port}/")
        tap.same("at first the page is whole", browser.evaluate("seen()"), SEEN)
        tap.same("eleven 200s", server.logged(len(FILES)), targets(200))
        browser.reload()
        tap.same("reloaded, the page is intact", browser.evaluate("seen()"), SEEN)
        tap.same("eleven 304s", server.logged(len(FILES)), targets(304))
        # As an editor does it: a new file in place of the old one.
        edited = os.path.join(root, "one.css")
        with open(edited + "~", "wb") as file:
            file.write(EDITED)
        os.rename(edited + "~", edited)
        browser.reload()
        tap.same("after an edit the page shows it", browser.evaluate("seen()"), {**SEEN, "one": "rgb(200, 100, 50)"})
        tap.same("one 200 and ten 304s", server.logged(len(FILES)), {**targets(304), "/one.css": 200})
        browser.reload()
        tap.same("then all is known again", (browser.evaluate("seen()")["one"], server.logged(len(FILES))),
                 ("rgb(200, 100, 50)", targets(304)))
        picture(browser, "assets")


def application(tap, browser):
    files = {"app.html": APPLICATION, "logo.svg": svg(40, "#555")}
    with support.folder(files) as root, support.serving(root, "--spa", "/app.html", "--cache", "**=no-cache") as server:
        url = f"http://127.0.0.1:{server.port}/some/deep/route"
        browser.go(url)
        tap.same("--spa: a route shows the application", browser.evaluate("document.querySelector('main').textContent"),
                 "route /some/deep/route")
        tap.same("with 200", server.logged(1), {"/some/deep/route": 200})
        browser.reload()
        tap.same("reloaded, it is intact", browser.evaluate("document.querySelector('main').textContent"), "route /some/deep/route")
        tap.same("with 304", server.logged(1), {"/some/deep/route": 304})
        picture(browser, "application")


def listing(tap, browser):
    files = {"b & c/file.txt": b"1", "a.txt": b"2" * 5000, "<i>.txt": b"3", "\u00fcber.html": b"4"}
    with support.folder(files) as root, support.serving(root, "--list") as server:
        browser.go(f"http://127.0.0.1:{server.port}/")
        names = browser.evaluate("[...document.links].map((link) => decodeURIComponent(new URL(link.href).pathname))")
        tap.same("--list: a link for each name", sorted(name for name in names if name != "/"),
                 ["/<i>.txt", "/a.txt", "/b & c/", "/\u00fcber.html"])
        tap.same("no name became markup", browser.evaluate("document.querySelectorAll('i').length"), 0)
        picture(browser, "listing")
        browser.follow("/b & c/")
        tap.same("a folder's link leads there", browser.evaluate("decodeURIComponent(location.pathname)"), "/b & c/")
        picture(browser, "listing-below")


def main():
    tap = support.Tap()
    browser = devtools.Chromium()
    try:
        for part in (assets, application, listing):
            part(tap, browser)
    finally:
        browser.close()
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: chromium.py BINARY")
main()
