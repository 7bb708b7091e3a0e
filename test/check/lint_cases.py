#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each row of include/stet/lint.def is found by a case of the executed specification and not found by another, and names and
symbols are there once. Prints TAP.

A case is about a row if its block is `lint NAME` or `lint-probe KIND NAME`; "found" is a positive one, "none" a negative one.
"""

import re

from tap import TOP, Tap, files, read, sample

ROW = re.compile(r'^X\(\s*(STET_LINT_\w+),\s*"([^"]*)",\s*STET_LINT_(\w+),\s*"([^"]*)"', re.M)
BLOCK = re.compile(r"^```(lint|lint-probe [\w.-]+) ([\w.-]+)\n(.*?)^```$", re.M | re.S)
SEVERITIES = ("GOOD", "NOTE", "WARN", "BAD")


def table(top):
    return ROW.findall(read(top, "include/stet/lint.def"))


def expectations(body):
    """What each case of a block expects: the text behind the last arrow of each row, or all of it."""
    lines = body.rstrip("\n").split("\n")
    return [line.rsplit("->", 1)[1].strip() for line in lines] if all("->" in line for line in lines) else [body.strip()]


def cases(top):
    """{row: set of "found" and "none"}."""
    seen = {}
    for path in files(top, ".md", folders=("test",)):
        if not path.startswith("test/spec/lint-"):
            continue
        for _, name, body in BLOCK.findall(read(top, path)):
            for expected in expectations(body):
                seen.setdefault(name, set()).add("none" if expected == "none" else "found")
    return seen


def one_sided(top):
    seen = cases(top)
    return [f"include/stet/lint.def: {name}: no case in which it is {'found' if which == 'found' else 'not found'}"
            for _, name, _, _ in table(top) for which in ("found", "none") if which not in seen.get(name, ())]


def unknown(top):
    known = {name for _, name, _, _ in table(top)}
    return [f"test/spec: a case of {name}, which is no row" for name in sorted(cases(top)) if name not in known]


def repeated(top):
    names = [part for row in table(top) for part in row[:2]]
    return [f"include/stet/lint.def: {name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]


def malformed(top):
    """Lines that begin like a row but are none, and severities and clauses that say nothing."""
    text = read(top, "include/stet/lint.def")
    bad = [] if text.count("\nX(") == len(table(top)) else ["include/stet/lint.def: a row that cannot be read"]
    return bad + [f"include/stet/lint.def: {name}: severity or clause" for _, name, severity, clause in table(top)
                  if severity not in SEVERITIES or not re.search(r"\d", clause)]


def misnamed(top):
    """`stet check` leaves out what is told of its own requests, by name."""
    wrong, group = [], ""
    for line in read(top, "include/stet/lint.def").split("\n"):
        group = line if line.startswith("/* ") else group
        for row in ROW.finditer(line):
            if row.group(2).startswith("request-") != (group == "/* requests */"):
                wrong.append(f"include/stet/lint.def: {row.group(2)}: the group and the name do not agree about who is at fault")
    return wrong


DEF = '/* x */\nX(STET_LINT_A, "a", STET_LINT_BAD, "RFC 1 2", "s", "w")\nX(STET_LINT_B, "b", STET_LINT_GOOD, "RFC 1 2", "s", "w")\n'
SPEC = "```lint a\n1 -> found: x -> y\n2 -> none\n```\n```lint-probe inm b\nfound\n```\n```lint b\nnone\n```\n"


def check(tap, name, function, good, bad):
    """`bad`: a sample in which something has to be found; in `good` nothing may be."""
    with sample(good) as folder:
        problems = ["the check finds something in a good sample"] if function(folder) else []
    with sample(bad) as folder:
        problems += [] if function(folder) else ["the check finds nothing in a bad sample"]
    tap.check("self-test: " + name, problems)
    tap.check(name, function(TOP))


def main():
    tap = Tap()
    good = {"include/stet/lint.def": DEF, "test/spec/lint-a.md": SPEC}
    def but(**changed):
        return dict(good, **{{"table": "include/stet/lint.def", "spec": "test/spec/lint-a.md"}[key]: text for key, text in changed.items()})
    check(tap, "each row is found by one case and not by another", one_sided, good, but(spec=SPEC.replace("2 -> none\n", "")))
    check(tap, "each case is about a row", unknown, good, but(spec=SPEC.replace("lint a", "lint c")))
    check(tap, "names and symbols are there once", repeated, good, but(table=DEF.replace('"b"', '"a"')))
    check(tap, "rows about requests are named so", misnamed, good, but(table=DEF.replace("/* x */", "/* requests */")))
    check(tap, "each row can be read", malformed, good, but(table=DEF.replace("GOOD", "FINE")))
    tap.finish()


main()
