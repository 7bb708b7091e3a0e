#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imports.py LIBSTET: core's release objects import nothing but mem* functions and one another. Prints TAP.

A sanitized build imports the sanitizer, so this runs on release objects only. The self-test compiles a file that calls
malloc.
"""

import os
import re
import sys
import tempfile

from tap import Tap, output_of

ALLOWED = re.compile(r"^(mem\w+|_GLOBAL_OFFSET_TABLE_)$")  # the latter is the linker's, in position-independent code


def imports(archive):
    """Symbols that some object needs and none defines."""
    code, text = output_of("nm", "-A", archive)
    if code != 0:
        return [text.strip()]
    needed, defined = {}, set()
    for line in text.splitlines():
        match = re.match(r"(.*?):\s*(?:[0-9a-f]+)?\s+([A-Za-z])\s+(\S+)$", line)
        if match and match.group(2) == "U":
            needed.setdefault(match.group(3), match.group(1))
        elif match:
            defined.add(match.group(3))
    if not defined:
        return [f"{archive}: no symbols"]
    wrong = []
    for name, where in sorted(needed.items()):
        if name not in defined and not ALLOWED.match(name):
            wrong.append(f"{where} imports {name}")
    return wrong


def self_test():
    with tempfile.TemporaryDirectory(prefix="stet-check-") as folder:
        source, archive = os.path.join(folder, "a.c"), os.path.join(folder, "a.a")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <stdlib.h>\nvoid *stet_f(void);\nvoid *stet_f(void)\n{\n    return malloc(1);\n}\n")
        code, text = output_of(os.environ.get("CC", "cc"), "-c", "-o", source + ".o", source)
        if code == 0:
            code, text = output_of("ar", "rcs", archive, source + ".o")
        if code != 0:
            return [text]
        return [] if any("malloc" in line for line in imports(archive)) else ["malloc is not found"]


def main():
    tap = Tap()
    tap.check("self-test: an object that calls malloc", self_test())
    archive = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "libstet.a")  # also if the shared one is meant
    tap.check("core's objects import nothing but mem*", imports(archive))
    tap.finish()


main()
