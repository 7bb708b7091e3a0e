# SPDX-License-Identifier: MIT
"""A page with ten assets, and what a browser that has all of them sees."""

import struct
import zlib

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


def targets(status, **others):
    """{target: status} of all files, with others for some."""
    found = {"/" if path == "index.html" else "/" + path: status for path in FILES}
    return {**found, **{"/" + name: value for name, value in others.items()}}
