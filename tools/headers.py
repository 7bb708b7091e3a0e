# SPDX-License-Identifier: MIT
"""Public headers and tables as Markdown, so that manual and header cannot say different things."""

import csv
import os
import re
import textwrap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def escape(text):
    """What Markdown would take for markup; backquotes in comments are meant as such."""
    parts = re.split(r"(`[^`\n]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<>\[\]#|\\])", r"\\\1", part) for part in parts)


def prose(comment):
    """A C comment as Markdown. What is indented further than the text is a drawing and stays as it is."""
    body = re.sub(r"^/\*+|\*+/$", "", comment.strip())
    lines = [re.sub(r"^\s*\* ?", "", line) if i else line.strip() for i, line in enumerate(body.split("\n"))]
    lines = [line.rstrip() for line in lines]
    out, inside = [], False
    for number, line in enumerate(lines):
        drawn = line.startswith("  ") or (not line and inside and any(
            later.startswith("  ") for later in [later for later in lines[number:] if later][:1]))
        if drawn != inside:
            out += ["", "```text"] if drawn else ["```", ""]
            inside = drawn
        out.append(line if drawn else escape(line))
    out += ["```"] if inside else []
    text = "\n".join(out).strip()
    return re.sub(r"(?<=```text\n)(.*?)(?=^```)", lambda match: textwrap.dedent(match.group()), text, flags=re.S | re.M)


def chunks(text):
    """(comment, code) of each paragraph of a header; either may be empty."""
    for block in re.split(r"\n\n(?=\S)", text):
        match = re.match(r"\s*(/\*.*?\*/)\s*\n?(.*)", block, flags=re.S)
        comment, code = (match.group(1), match.group(2)) if match and block.lstrip().startswith("/*") else ("", block)
        yield comment, code.strip("\n")


def header(name):
    """A header as the body of its manual page."""
    text = read("include/stet/" + name)
    text = re.sub(r"/\* SPDX[^\n]*\n", "", text)
    text = re.sub(r"#ifndef STET_\w+_H\n#define STET_\w+_H\n|\n#endif\s*$", "", text)
    out, first = [], True
    for comment, code in chunks(text):
        code = "\n".join(line for line in code.split("\n") if not line.startswith("#include") or "<stet/" not in line or ".def" in line)
        code = "" if re.fullmatch(r"(\s*#include [^\n]*)*\s*", code) else code.strip("\n")
        if comment:
            said = prose(comment)
            if first:
                said = re.sub(r"^\w+: ", "", said)
                said = said[:1].upper() + said[1:]
                out.append("## Description")
            out.append(said)
        if first and comment:
            out.append("## Declarations")
            first = False
        if code:
            out.append("```c\n" + code + "\n```")
    return "\n\n".join(out) + "\n"


def rows(path):
    """The rows of a .def file, each a list of strings."""
    for match in re.finditer(r"^X\((.*)\)$", read(path), flags=re.M):
        yield next(csv.reader([match.group(1)], skipinitialspace=True, escapechar="\\", doublequote=False))


def table(columns, lines):
    out = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(out + ["| " + " | ".join(line) + " |" for line in lines])


def unbroken(text):
    return text.replace(" ", "\u00a0")


def reasons():
    """What the access log and the library can give as a reason."""
    out = ["# Reasons", "Every decision of stet comes with a reason: a stable name, the clause that it stands on, a sentence, and what there is to say "
           "and to do about it. The access log and Cache-Status write the name; `stet explain NAME` prints the rest, `stet_reason_row`, `stet_reason_text` "
           "and `stet_status_row` give it to programs. This page is made from `include/stet/reason.def`, `reason_text.def` and `status.def`, as the program is."]
    texts = {r[0]: (r[1], r[2:]) for r in rows("include/stet/reason_text.def")}
    names = {r[0]: r[1] for r in rows("include/stet/reason.def")}
    related = lambda symbol: ", ".join(f"`{names[other]}`" for other in texts[symbol][1])
    for name, found in groups_of_rows("include/stet/reason.def"):
        out.append("## " + name[:1].upper() + name[1:])
        out.append(table(["name", "clause", "what it is"],
                         [(f"`{r[1]}`", unbroken(r[2]), f"*{escape(r[3])}* {escape(texts[r[0]][0])} See also: {related(r[0])}.") for r in found]))
    out += ["## Failures of parsing", "From `include/stet/status.def`. The answer is what a server says to a request that fails so."]
    out.append(table(["name", "answer", "clause", "sentence"],
                     [(f"`{r[2]}`", r[3] if r[3] != "0" else "", unbroken(r[4]), escape(r[5])) for r in rows("include/stet/status.def")]))
    return "\n\n".join(out) + "\n"


def groups_of_rows(path):
    """(name of the group, its rows) of a .def file whose groups begin with a comment of one line."""
    text = re.sub(r"\A(/\*.*?\*/\s*)+?(?=/\* \w[^\n]*\*/\nX\()", "", read(path), flags=re.S)
    for part in re.split(r"^(?=/\* )", text, flags=re.M):
        match = re.match(r"/\* ([^\n]*?) \*/\n", part)
        found = [next(csv.reader([line], skipinitialspace=True, escapechar="\\", doublequote=False))
                 for line in re.findall(r"^X\((.*)\)$", part, flags=re.M)]
        if match and found:
            yield match.group(1), found


def lints():
    """What `stet check` can find."""
    severities = {"STET_LINT_GOOD": "good", "STET_LINT_NOTE": "note", "STET_LINT_WARN": "warning", "STET_LINT_BAD": "error"}
    groups = list(groups_of_rows("include/stet/lint.def"))
    out = ["# Findings", f"What `stet check` can find: {sum(len(rows) for _, rows in groups)} rows, made from `include/stet/lint.def`, which the "
           "program is made from, too. *good*: as it should be. *note*: could be better, or worth to know. *warning*: costs transfers, or a SHOULD "
           "is not followed. *error*: clients or caches get something wrong, or a MUST is not followed. "
           "The groups before the probes are about one exchange, whatever it was; they hold for recordings (`--har`), too."]
    for name, found in groups:
        out.append("## " + name[:1].upper() + name[1:])
        out.append(table(["name", "severity", "clause", "what is found, and why it matters"],
                         [(f"`{r[1]}`", severities[r[2]], unbroken(r[3]), escape(r[4] + " " + r[5])) for r in found]))
    return "\n\n".join(out) + "\n"


def clauses_in_code():
    """{(RFC, section): files of src and include that name it}."""
    found = {}
    for folder in ("include/stet", "src"):
        for root, _, names in os.walk(os.path.join(TOP, folder)):
            for name in sorted(names):
                if not name.endswith((".c", ".h", ".def")):
                    continue
                path = os.path.relpath(os.path.join(root, name), TOP)
                text = re.sub(r"\n\s*\*\s?", " ", read(path))
                for rfc, list_of in re.findall(r"RFC (\d{4,5}),?\s+(?:sections?\s+)?((?:\d+(?:\.\d+)*(?:,\s+(?:and\s+)?|\s+and\s+|\s+to\s+)?)+)", text):
                    for section in re.findall(r"\d+(?:\.\d+)*", list_of):
                        found.setdefault((rfc, section), set()).add(path)
    return found


def tests_of_rows():
    """{requirement id: test files that name it}."""
    found = {}
    pattern = re.compile(r"\b(\d{4,5}-[0-9A-Z.]+-\d+[a-z]?)\b")
    for root, _, names in os.walk(os.path.join(TOP, "test")):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(root, name), TOP)
            if "/corpus/" in path or not name.endswith((".md", ".vtc", ".c", ".py")):
                continue
            for row in set(pattern.findall(read(path))):
                found.setdefault(row, set()).add(path)
    return found


def requirements():
    """Clause, requirement, code, tests."""
    code, tests = clauses_in_code(), tests_of_rows()
    lines = list(csv.reader(read("docs/requirements.tsv").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    names, lines = lines[0], lines[1:]
    out = ["# Requirements", "What the RFCs ask for, one row each, with the code that names the clause and the tests that name the "
           "row. Rows of the proxy and the client are here too; their code is not written yet. The source is "
           "`docs/requirements.tsv`; `make coverage` lists the rows of `stet serve` that have no test."]
    groups = {}
    for line in lines:
        row = dict(zip(names, line))
        rfc, section = row["id"].split("-")[:2]
        groups.setdefault((rfc, section), []).append(row)
    number = lambda text: int(text) if text.isdigit() else 99999
    first = ("9110", "9112", "9111")
    key = lambda item: (first.index(item[0]) if item[0] in first else 9, number(item[0]), item[0], [number(n) for n in item[1].split(".")])
    for rfc, section in sorted(groups, key=key):
        title = f"RFC {rfc} section {section}" if rfc.isdigit() else f"{rfc} {section}"
        where = sorted(code.get((rfc, section), []))
        out.append("## " + title)
        if where:
            out.append("In " + ", ".join(f"`{path}`" for path in where) + ".")
        shown = []
        for row in groups[(rfc, section)]:
            named = sorted(tests.get(row["id"], []))
            shown.append((f"`{row['id']}`", unbroken(row["level"]), row["role"], escape(row["requirement"]), ", ".join(f"`{path[5:]}`" for path in named)))
        out.append(table(["row", "level", "role", "requirement", "tests"], shown))
    return "\n\n".join(out) + "\n"
