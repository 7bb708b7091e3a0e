#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that read the tree: licence lines, lengths, parameters, banned words and functions. Prints TAP.

Each check is a function of a folder, run first on a small bad sample, where it must find what is wrong.
"""

import re

from tap import C_FOLDERS, TOP, Tap, files, read, sample

FUNCTION_LINES, FILE_LINES, PARAMETERS = 60, 600, 5
SPDX = "SPDX-License-Identifier: MIT"
SCRIPTS = (".c", ".h", ".def", ".py", ".sh", ".vtc", ".js", ".php", "meson.build", "meson_options.txt", "Makefile", ".yml")


def c_files(top, *endings):
    return files(top, *(endings or (".c", ".h")), folders=C_FOLDERS)


def is_script(top, path):
    if path.endswith(SCRIPTS):
        return True
    if "." in path.rsplit("/", 1)[-1] or "/corpus/" in path:
        return False
    try:
        with open(f"{top}/{path}", "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def licence(top):
    """The first line, or the second after "#!", names the licence."""
    missing = []
    for path in files(top):
        if is_script(top, path) and SPDX not in "\n".join(read(top, path).split("\n")[:2]):
            missing.append(f"{path}:1: no {SPDX} in the first two lines")
    return missing


def without_comments(text):
    """Comments and the inside of literals become spaces, so that lines and columns stay."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S)


def functions(text):
    """(line, name, lines) of each function definition: what goes with a brace that opens a line. The name is empty if there is
    none that can be read."""
    text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group()), without_comments(text), flags=re.M)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.startswith("{"):
            continue
        begin = number
        while begin > 0 and lines[begin - 1].strip() and not lines[begin - 1].rstrip().endswith((";", "}")):
            begin -= 1
        end = next((i for i in range(number, len(lines)) if lines[i].startswith("}")), len(lines))
        name = re.search(r"(\w+)\s*\(", " ".join(lines[begin:number]))
        yield begin + 1, name.group(1) if name else "", end - begin + 1


def function_length(top):
    long = []
    for path in c_files(top):
        for line, name, lines in functions(read(top, path)):
            if lines > FUNCTION_LINES:
                long.append(f"{path}:{line}: {name} has {lines} lines, more than {FUNCTION_LINES}")
    return long


def functions_seen(top):
    """What the length check cannot read it cannot measure."""
    return [f"{path}:{line}: this cannot be read" for path in c_files(top) for line, name, _ in functions(read(top, path)) if not name]


def file_length(top):
    long = []
    for path in c_files(top, ".c", ".h", ".def"):
        lines = read(top, path).count("\n")
        if lines > FILE_LINES:
            long.append(f"{path}: {lines} lines, more than {FILE_LINES}")
    return long


def parameters(top):
    """Public functions have at most five parameters."""
    many = []
    for path in files(top, ".h", folders=("include",)):
        text = without_comments(read(top, path))
        for match in re.finditer(r"\b(stet_\w+)\(([^()]*)\);", text):
            count = match.group(2).count(",") + 1
            if count > PARAMETERS:
                line = text.count("\n", 0, match.start()) + 1
                many.append(f"{path}:{line}: {match.group(1)} has {count} parameters, more than {PARAMETERS}")
    return many


def banned(top):
    """banned.h makes these compile errors; here they are found in what the build does not reach, too."""
    names = set(re.findall(r"^#define (\w+)\(\.\.\.\)", read(TOP, "src/base/banned.h"), flags=re.M)) | {"gets", "alloca"}
    found = []
    for path in c_files(top):
        if path == "src/base/banned.h":
            continue
        text = without_comments(read(top, path))
        for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", text):
            if match.group(1) in names:
                found.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(1)} is banned")
        if re.search(r"^\s*#\s*undef\s+(" + "|".join(names) + r")\b", text, flags=re.M):
            found.append(f"{path}: takes a ban back")
    return found


def unfinished(top):
    """No promises instead of work."""
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    found = []
    for path in files(top):
        if "/corpus/" in path or not (is_script(top, path) or path.endswith(".md")):
            continue
        for number, line in enumerate(read(top, path).split("\n"), 1):
            if words.search(line):
                found.append(f"{path}:{number}: {line.strip()}")
    return found


def printing(top):
    """Only cli prints or ends the program."""
    calls = re.compile(r"(?<![\w.>])(printf|puts|putchar|perror|exit|_exit|abort|vprintf|fputs|fprintf)\s*\(")
    found = []
    for path in files(top, ".c", folders=("src",)):
        if path.startswith("src/cli/") or not path.startswith("src/"):
            continue
        text = without_comments(read(top, path))
        for match in calls.finditer(text):
            found.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(1)} outside of src/cli")
    return found


def idle_denials(top):
    """A line "! command" of a play's shell block cannot fail: set -e disregards it."""
    found = []
    for path in files(top, ".vtc", folders=("test",)):
        for number, line in enumerate(read(top, path).split("\n"), 1):
            if re.match(r"\s*! ", line) and not re.search(r"\|\| (exit 1|\{.*exit 1; \})$", line):
                found.append(f"{path}:{number}: cannot fail: add || exit 1")
    return found


LONG_FUNCTION = "/* x */\nint f(int a);\nint f(int a)\n{\n" + "    a++;\n" * 60 + "    return a;\n}\n"
CHECKS = [
    ("every source and script names its licence", licence, {"src/a.c": "int a;\n", "tools/t": "#!/bin/sh\nexit 0\n"}),
    ("no function is longer than 60 lines", function_length, {"src/a.c": LONG_FUNCTION}),
    ("every function can be measured", functions_seen, {"src/a.c": "int a[] =\n{\n    1,\n};\n"}),
    ("no file is longer than 600 lines", file_length, {"src/a.c": "\n" * 601}),
    ("no public function has more than five parameters", parameters,
     {"include/stet/a.h": "void stet_f(int a, int b, int c,\n  int d, int e, int f);\n"}),
    ("no banned function is called", banned, {"src/a.c": "int f(char *a)\n{\n    return atoi(a);\n}\n"}),
    ("nothing is marked as unfinished", unfinished, {"src/a.c": "/* TO" + "DO: all of it */\n"}),
    ("what a play denies can fail", idle_denials, {"test/vtc/serve/a.vtc": "shell {\n    set -e\n    ! grep a b\n    true\n}\n"}),
    ("only cli prints or exits", printing, {"src/net/a.c": "void f(void)\n{\n    exit(1);\n}\n"}),
]


def main():
    tap = Tap()
    for name, check, bad in CHECKS:
        with sample(bad) as folder:
            tap.check("self-test: " + name, [] if check(folder) else ["the check finds nothing in a bad sample"])
        tap.check(name, check(TOP))
    tap.finish()


main()
