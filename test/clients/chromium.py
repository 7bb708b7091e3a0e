# SPDX-License-Identifier: MIT
"""
Chromium: a page with ten assets is loaded, reloaded (eleven 304s and the same page), and reloaded after one file was edited (that
one comes again, ten do not). What was sent is read from the server's access log, what was seen from the page itself.

With SCREENSHOTS=FOLDER in the environment, pictures of the pages, of a listing and of the single-page application are left there.
"""

import os
import struct
import sys
import zlib

import devtools
import support

# Every asset leaves a trace in window.seen() that only its octets can make.
INDEX = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Ten assets</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="one.css">
<link rel="stylesheet" href="two.css">
<script src="three.js"></script>
<script type="module" src="four.js"></script>
<h1>Ten assets</h1>
<p id="text">Styled by two sheets.</p>
<img id="six" src="six.svg" alt=""> <img id="seven" src="seven.png" alt=""> <img id="eight" src="pictures/eight.svg" alt="">
<iframe id="nine" src="nine.html"></iframe>
<script>
window.seen = async () => {
    const style = getComputedStyle(document.getElementById('text'));
    const size = (id) => document.getElementById(id).naturalWidth;
    return {
        one: style.color, two: style.borderTopWidth, three: window.three, four: await window.four, five: (await window.five).five,
        six: size('six'), seven: size('seven'), eight: size('eight'),
        nine: document.getElementById('nine').contentDocument.body.textContent.trim(), ten: await window.ten,
        heading: document.querySelector('h1').textContent,
    };
};
</script>
</html>
"""


def svg(width, colour):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="60"><rect width="{width}" height="60" fill="{colour}"/>'
            "</svg>").encode()


def png(width, height):
    """A picture of one colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x20\x60\xa0" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


FILES = {
    "index.html": INDEX,
    "one.css": b"#text { color: rgb(1, 2, 3); }\n",
    "two.css": b"#text { border-top: 7px solid rgb(10, 120, 40); }\n",
    "three.js": b"window.three = 'third';\n"
                b"window.five = fetch('five.json').then((answer) => answer.json());\n"
                b"window.ten = fetch('ten.txt').then((answer) => answer.text());\n"
                b"window.four = new Promise((done) => { window.fourIs = done; });\n",
    "four.js": b"window.fourIs('fourth');\n",
    "five.json": b'{"five": "fifth"}\n',
    "six.svg": svg(61, "#a33"),
    "seven.png": png(71, 60),
    "pictures/eight.svg": svg(81, "#36a"),
    "nine.html": b"<!doctype html><meta charset=utf-8><title>nine</title><body>ninth</body>\n",
    "ten.txt": b"tenth",
}
SEEN = {
    "one": "rgb(1, 2, 3)", "two": "7px", "three": "third", "four": "fourth", "five": "fifth", "six": 61, "seven": 71, "eight": 81,
    "nine": "ninth", "ten": "tenth", "heading": "Ten assets",
}
EDITED = b"#text { color: rgb(200, 100, 50); }\n"

APPLICATION = b"""<!doctype html>
<meta charset="utf-8">
<title>Application</title>
<link rel="icon" href="data:,">
<main></main>
<script>document.querySelector('main').textContent = 'route ' + location.pathname;</script>
"""


def targets(status, **others):
    """{target: status} of all files, with others for some."""
    found = {"/" if path == "index.html" else "/" + path: status for path in FILES}
    return {**found, **{"/" + name: value for name, value in others.items()}}


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
