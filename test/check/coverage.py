#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which rows of docs/requirements.tsv have a test. With --report it prints them; otherwise it prints TAP.

The last column of the table says where a row applies: serve, proxy, get, check (roles of stet), or "never: why". A row is covered if a case of the executed
specification names it in a line "Rows:", or a play, a simulation or a test with real clients names it anywhere.

The tests fail if a name is not in the table, if a row of `serve` or `proxy` has no test, or if fewer rows are covered than
test/check/coverage.floor says. The floor only grows: raise it when you cover more.
"""

import re
import sys

from tap import TOP, Tap, files, read, sample

ID = re.compile(r"(?<![\w.-])((?:\d{4}|NVS)-\d+(?:\.\d+)*-\d+)(?![\w-])")
APPLIES = ("serve", "proxy", "get", "check")


def table(top):
    rows = [line.split("\t") for line in read(top, "docs/requirements.tsv").rstrip("\n").split("\n")]
    return {row[0]: dict(zip(rows[0], row)) for row in rows[1:]}


def documents(rows):
    return {i.split("-")[0] for i in rows}


def bad_rows(rows):
    return [f"docs/requirements.tsv: {i}: no such place as {row.get('applies')}" for i, row in rows.items()
            if row.get("applies") not in APPLIES and not re.match(r"never: \w", row.get("applies") or "")]


def named(top, prefixes):
    """{id: first place that names it}. What looks like an id of no document in the table is a date or the like."""
    places = {}
    for path in files(top, folders=("test",)):
        if not re.match(r"test/(spec/.*\.md|vtc/|sim/|http2/|clients/)", path) or path.endswith("README.md"):
            continue
        for number, line in enumerate(read(top, path).split("\n"), 1):
            if path.startswith("test/spec/") and not line.startswith("Rows: "):
                continue
            for name in ID.findall(line):
                if name.split("-")[0] in prefixes:
                    places.setdefault(name, f"{path}:{number}")
            if path.startswith("test/spec/") and ID.sub("", line[6:]).strip(" ,"):
                places.setdefault(line, f"{path}:{number}")
    return places


def unknown(rows, places):
    return [f"{place}: no requirement is called {name}" for name, place in sorted(places.items()) if name not in rows]


def uncovered(rows, places, applies):
    return [i for i, row in rows.items() if row["applies"].split(":")[0] == applies and i not in places]


def report(rows, places):
    for applies in APPLIES + ("never",):
        mine = [i for i, row in rows.items() if row["applies"].split(":")[0] == applies]
        without = uncovered(rows, places, applies)
        print(f"{applies}: {len(mine) - len(without)} of {len(mine)} rows have a test; these have none:")
        for i in without:
            print(f"  {i:20} {rows[i]['level']:10} {rows[i]['requirement']}")
    print(f"{len(set(rows) & set(places))} of {len(rows)} rows have a test")


def self_test():
    bad = {
        "docs/requirements.tsv": "id\trole\tlevel\trequirement\ttest_idea\tapplies\n9110-1-1\tany\tMUST\tx\ty\tserve\n9110-1-2\tany\tMUST\tx\ty\tserve\n",
        "test/spec/a.md": "Rows: 9110-1-1, 9110-1-9\nRows: nonsense\n",
    }
    with sample(bad) as folder:
        rows = table(folder)
        places = named(folder, documents(rows))
        problems = []
        if len(unknown(rows, places)) != 2:
            problems.append("names that are not in the table are not found")
        if uncovered(rows, places, "serve") != ["9110-1-2"]:
            problems.append("a row without a test is not found")
        return problems


def main():
    rows = table(TOP)
    places = named(TOP, documents(rows))
    if sys.argv[1:] == ["--report"]:
        report(rows, places)
        return
    tap = Tap()
    covered = len(set(rows) & set(places))
    floor = int(read(TOP, "test/check/coverage.floor").split()[0])
    tap.check("self-test: an unknown name and an uncovered row", self_test())
    tap.check("every row says where it applies", bad_rows(rows))
    tap.check("every name is in the table", unknown(rows, places))
    tap.check("the number of covered rows never falls", [f"{covered} covered, {floor} before"] if covered < floor else [])
    for role in ("serve", "proxy"):
        tap.check(f"every row that applies to {role} has a test", uncovered(rows, places, role))
    print(f"# {covered} of {len(rows)} rows have a test; the floor is {floor}")
    tap.finish()


main()
