#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spec_selftest.py SPEC-RUNNER: the runner of the executed specification fails where it must. Prints TAP.

Each sample is a file with one fault; the runner has to name its line and end with a failure. The first sample is good
and has to pass, or all the others would prove nothing.
"""

import os
import sys

from tap import Tap, output_of, sample

GOOD = """# A
## B
Rows: 9110-13.1.2-1
```selected
etag "v1"
```
```request
GET / HTTP/1.1
Host: a
If-None-Match: "v1"
```
```answer
304 if-none-match-matches
```
```date
Sun, 06 Nov 1994 08:49:37 GMT -> 784111777
```
"""

# name, what is replaced, by what, the line that must be named
FAULTS = [
    ("a wrong status", "304 if", "200 if", 12),
    ("a wrong reason", "matches", "differs", 12),
    ("one line more than expected", "304 if-none-match-matches\n", "304 if-none-match-matches\nmore\n", 12),
    ("no expected line", "304 if-none-match-matches\n", "", 12),
    ("a wrong row", "784111777", "784111778", 16),
    ("a row without an arrow", " -> ", " ", 16),
    ("a row without an expectation", "784111777", "", 16),
    ("a table without rows", "Sun, 06 Nov 1994 08:49:37 GMT -> 784111777\n", "", 15),
    ("a block of an unknown kind", "```answer", "```answre", 12),
    ("an input without an expectation", "```answer\n304 if-none-match-matches\n```\n", "", 7),
    ("an expectation without an input", "```request\nGET / HTTP/1.1\nHost: a\nIf-None-Match: \"v1\"\n```\n", "", 7),
    ("a section without a line of rows", "Rows: 9110-13.1.2-1\n", "\n", 2),
    ("a section without a case", "# A\n", "# A\n## Empty\nRows: 9110-13.1.2-1\n", 2),
    ("an unknown setting", "etag ", "etga ", 5),
    ("a bad setting", 'etag "v1"', "etag v1", 5),
    ("an unknown escape", 'If-None-Match: "v1"', "If-None-Match: <FOO>", 12),
    ("an unclosed escape", 'If-None-Match: "v1"', "If-None-Match: <", 12),
    ("a block that is not closed", "784111777\n```\n", "784111777\n", 15),
    ("a block before the first section", "## B\n", "", 6),
    ("an expectation for another kind of input", "```answer", "```chunks", 12),
    ("an unknown party", "```answer", "```verdict nobody", 12),
]


def run(runner, text):
    with sample({"a.md": text}) as folder:
        return output_of(runner, os.path.join(folder, "a.md"))


def problems(runner, old, new, line):
    if old not in GOOD:
        return ["the sample does not hold what is to be replaced"]
    code, text = run(runner, GOOD.replace(old, new, 1))
    wrong = [] if code != 0 else ["the runner passes"]
    if f"a.md:{line}" not in text or "not ok" not in text:
        wrong += [f"line {line} is not named:"] + text.splitlines()
    return wrong


def main():
    runner = os.path.abspath(sys.argv[1])
    tap = Tap()
    code, text = run(runner, GOOD)
    tap.check("a good sample passes", [] if code == 0 and "2 cases, 0 failed" in text else text.splitlines())
    for name, old, new, line in FAULTS:
        tap.check(name, problems(runner, old, new, line))
    code, text = output_of(runner, "/nonexistent.md")
    tap.check("a file that cannot be read", [] if code != 0 and "not ok" in text else text.splitlines())
    code, text = output_of(runner)
    tap.check("no file at all", [] if code != 0 else text.splitlines())
    tap.finish()


main()
