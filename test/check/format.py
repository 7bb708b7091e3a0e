#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""C files are as clang-format with the tree's .clang-format leaves them. Prints TAP, a line for each folder."""

import os
import re

from tap import C_FOLDERS, TOP, Tap, files, output_of


def unformatted(paths):
    if not paths:
        return []
    _, text = output_of("clang-format", "--dry-run", "--ferror-limit=1", *paths)
    found = sorted(set(re.findall(r"^(\S+?:\d+):\d+: (?:warning|error):", text, flags=re.M)))
    return found if found or not text.strip() else [text.strip()]


def self_test():
    style = "--style=file:" + os.path.join(TOP, ".clang-format")
    _, text = output_of("clang-format", style, "--dry-run", "--assume-filename=a.c", stdin="int  f( void ){return 1;}\n")
    return [] if "warning" in text else ["clang-format finds nothing wrong with a bad sample"]


def main():
    tap = Tap()
    tap.check("self-test: a badly formatted sample", self_test())
    for folder in C_FOLDERS:
        tap.check(f"{folder} is formatted", unformatted(files(TOP, ".c", ".h", folders=(folder,))))
    tap.finish()


main()
