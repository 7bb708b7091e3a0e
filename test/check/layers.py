#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the direction of includes: base <- core <- { store, net, coding, transfer } <- { serve, proxy, get, check, explain } <- cli, and that roles do not include one another.
Prints TAP.

core may include only <stet/...>, "base/assert.h", its own headers, freestanding headers and <string.h>, and compiler
intrinsics: it does no I/O, has no heap, clock, locale, stdio or errno.
"""

import re

from tap import TOP, Tap, files, read, sample

# What each folder of src may include of the others.
MAY = {
    "base": {"base"},
    "core": {"base/assert.h", "core"},
    "store": {"base", "core", "store"},
    "net": {"base", "core", "net"},
    "coding": {"base", "core", "coding"},
    "serve": {"base", "core", "store", "net", "coding", "serve"},
    "proxy": {"base", "core", "store", "net", "coding", "proxy"},
    "transfer": {"base", "core", "transfer"},
    "get": {"base", "core", "store", "coding", "transfer", "get"},
    "check": {"base", "core", "coding", "transfer", "check"},
    "explain": {"base", "core", "transfer", "explain"},
    "cli": {"base", "core", "store", "net", "coding", "transfer", "serve", "proxy", "get", "check", "explain", "cli"},
}
PURE = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "stdalign.h", "stdnoreturn.h", "string.h", "emmintrin.h",
        "immintrin.h", "tmmintrin.h", "smmintrin.h", "arm_neon.h"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(top, path):
    text = read(top, path)
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1) == "<", match.group(2)


def direction(top):
    wrong = []
    for path in files(top, ".c", ".h", ".def", folders=("src",)):
        if not path.startswith("src/") or path.count("/") < 2:
            continue
        folder = path.split("/")[1]
        for line, angle, name in includes(top, path):
            if angle:
                continue
            own = "/" not in name
            if not own and name.split("/")[0] not in MAY.get(folder, set()) and name not in MAY.get(folder, set()):
                wrong.append(f"{path}:{line}: {folder} may not include {name}")
            if folder not in MAY:
                wrong.append(f"{path}: a folder whose place in the layers is not known")
    return wrong


def purity(top):
    wrong = []
    for path in files(top, ".c", ".h", ".def", folders=("src", "include")):
        if not path.startswith(("src/core/", "include/")):
            continue
        for line, angle, name in includes(top, path):
            if angle and name not in PURE and not name.startswith("stet/"):
                wrong.append(f"{path}:{line}: <{name}> is not for core")
            if path.startswith("include/") and not angle:
                wrong.append(f"{path}:{line}: a public header includes a private one")
    return wrong


CHECKS = [
    ("includes follow the layers: serve in net", direction, {"src/net/a.c": '#include "serve/serve.h"\n'}),
    ("includes follow the layers: a role in a role", direction, {"src/proxy/a.c": '# include "serve/serve.h"\n'}),
    ("includes follow the layers: net in coding", direction, {"src/coding/a.c": '#include "net/loop.h"\n'}),
    ("includes follow the layers: base in core", direction, {"src/core/a.c": '#include "base/buffer.h"\n'}),
    ("core includes nothing impure", purity, {"src/core/a.c": "#include <stdio.h>\n"}),
    ("public headers include public headers only", purity, {"include/stet/a.h": '#include "base/assert.h"\n'}),
]


def main():
    tap = Tap()
    for name, check, bad in CHECKS:
        with sample(bad) as folder:
            tap.check("self-test: " + name, [] if check(folder) else ["the check finds nothing in a bad sample"])
    tap.check("includes follow the layers", direction(TOP))
    tap.check("core and the public headers include only what is pure", purity(TOP))
    seen = [p for p in files(TOP, ".c", folders=("src",))]
    tap.check("there are sources to look at", [] if len(seen) > 10 else [f"only {len(seen)}"])
    tap.finish()


main()
