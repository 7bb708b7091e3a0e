# SPDX-License-Identifier: MIT
"""Markdown to HTML and to man pages. cmark-gfm (a Debian package) parses; here its tree is written out.

One convention beyond GitHub's Markdown: a list item whose first line is nothing but code is a term, and what follows
explains it. It becomes <dt> and <dd>, and .TP in a man page.
"""

import html
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

PLAIN_BLOCKS = ("c", "console", "output", "php", "python", "sh", "text")  # the others are parts of executed cases, named on the page
NAMESPACE = "{http://commonmark.org/xml/1.0}"


def parse(text):
    """The document as a tree of elements named as in CommonMark.dtd."""
    program = shutil.which("cmark-gfm")
    if not program:
        sys.exit("tools/docs: cmark-gfm is missing; install the Debian package of that name (tools/deps docs)")
    done = subprocess.run([program, "-e", "table", "-t", "xml"], input=text, capture_output=True, text=True, check=True)
    root = xml.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", done.stdout))
    for node in root.iter():
        node.tag = node.tag.replace(NAMESPACE, "")
    return root


def plain(node):
    """The text of a node without any markup."""
    if node.tag in ("text", "code", "code_block"):
        return node.text or ""
    if node.tag in ("softbreak", "linebreak"):
        return " "
    return "".join(plain(child) for child in node)


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def is_term_list(node):
    """Whether the items of a list are terms with explanations."""
    return node.tag == "list" and all(term_length(item) for item in node)


def term_length(item):
    """How many inline nodes at the start of an item are its term; 0 if it has none."""
    first = item[0] if len(item) and item[0].tag == "paragraph" else None
    if first is None or first[0].tag != "code":
        return 0
    for i, node in enumerate(first):
        if node.tag in ("softbreak", "linebreak"):
            return i
        if node.tag != "code" and (node.text or "").strip() not in (",", ""):
            return 0
    return len(first)


class Html:
    """Writes the inside of <main>. `link` maps a destination of the source to one of the site, or to None."""

    def __init__(self, link):
        self.link = link
        self.headings = []  # (level, identifier, text)

    def inline(self, nodes):
        return "".join(self.one_inline(node) for node in nodes)

    def one_inline(self, node):
        text = html.escape(node.text or "")
        if node.tag == "text":
            return text
        if node.tag == "code":
            return f"<code>{text}</code>"
        if node.tag == "softbreak":
            return "\n"
        if node.tag == "linebreak":
            return "<br>\n"
        if node.tag in ("emph", "strong"):
            name = "em" if node.tag == "emph" else "strong"
            return f"<{name}>{self.inline(node)}</{name}>"
        if node.tag == "link":
            destination = self.link(node.get("destination"))
            return f'<a href="{html.escape(destination)}">{self.inline(node)}</a>' if destination else self.inline(node)
        if node.tag == "image":
            return f'<img src="{html.escape(self.link(node.get("destination")))}" alt="{html.escape(plain(node))}">'
        return node.text or ""  # html_inline

    def blocks(self, nodes, tight=False):
        return "\n".join(self.block(node, tight) for node in nodes)

    def block(self, node, tight=False):
        writer = getattr(self, "write_" + node.tag, None)
        if not writer:
            return node.text or ""  # html_block
        return writer(node, tight) if node.tag == "paragraph" else writer(node)

    def write_heading(self, node):
        text, level = plain(node), int(node.get("level"))
        identifier = slug(text)
        while identifier in [known for _, known, _ in self.headings]:
            identifier += "-"
        self.headings.append((level, identifier, text))
        return f'<h{level} id="{identifier}"><a href="#{identifier}">{self.inline(node)}</a></h{level}>'

    def write_paragraph(self, node, tight=False):
        return self.inline(node) if tight else f"<p>{self.inline(node)}</p>"

    def write_block_quote(self, node):
        return f"<blockquote>{self.blocks(node)}</blockquote>"

    def write_thematic_break(self, _):
        return "<hr>"

    def write_code_block(self, node):
        info = node.get("info") or "text"
        language, text = info.split(" ")[0], html.escape(node.text or "")
        kind = "" if language in PLAIN_BLOCKS else f' data-kind="{html.escape(info)}"'
        if language == "console":
            text = re.sub(r"^\$ (.*)$", r'<span class="prompt">$ </span><b>\1</b>', text, flags=re.M)
        return f'<pre class="{html.escape(language)}"{kind} tabindex="0"><code>{text}</code></pre>'

    def write_list(self, node):
        if is_term_list(node):
            return "<dl>\n" + "\n".join(self.term(item) for item in node) + "\n</dl>"
        name = "ol" if node.get("type") == "ordered" else "ul"
        tight = node.get("tight") == "true"
        items = "\n".join(f"<li>{self.blocks(item, tight)}</li>" for item in node)
        return f"<{name}>\n{items}\n</{name}>"

    def term(self, item):
        count = term_length(item)
        first = list(item[0])
        identifier = slug(first[0].text.split(" ")[0])
        rest = self.inline(first[count + 1:])
        body = (f"<p>{rest}</p>\n" if rest else "") + self.blocks(item[1:])
        return f'<dt id="{identifier}">{self.inline(first[:count])}</dt>\n<dd>{body}</dd>'

    def write_table(self, node):
        rows = []
        for row in node:
            cell = "th" if row.tag == "table_header" else "td"
            rows.append("<tr>" + "".join(
                f'<{cell}{self.align(c)}>{self.inline(c)}</{cell}>' for c in row) + "</tr>")
        return f'<div class="table" tabindex="0"><table>\n<thead>{rows[0]}</thead>\n<tbody>\n' + "\n".join(rows[1:]) + \
            "\n</tbody></table></div>"

    @staticmethod
    def align(cell):
        return f' class="{cell.get("align")}"' if cell.get("align") else ""


class Man:
    """Writes man(7)."""

    def __init__(self, title, section, date, source):
        self.head = f'.TH "{title.upper()}" "{section}" "{date}" "{source}" "stet manual"\n'

    def document(self, root):
        lines = self.head + "".join(self.block(node) for node in root if not self.is_title(node))
        lines = re.sub(r"\n{2,}", "\n", lines)
        return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", lines, flags=re.M)

    @staticmethod
    def is_title(node):
        return node.tag == "heading" and node.get("level") == "1"

    @staticmethod
    def escape(text):
        text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
        text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace("\u2026", "...")
        return text

    def inline(self, nodes):
        out = ""
        for node in nodes:
            if node.tag == "text":
                out += self.escape(node.text or "")
            elif node.tag in ("code", "strong"):
                out += "\\fB" + self.escape(plain(node)) + "\\fR"
            elif node.tag == "emph":
                out += "\\fI" + self.escape(plain(node)) + "\\fR"
            elif node.tag == "linebreak":
                out += "\n.br\n"
            elif node.tag == "softbreak":
                out += "\n"
            elif node.tag == "link":
                out += self.inline(node)
        return "\n".join(self.guard(line) for line in out.split("\n"))

    @staticmethod
    def guard(line):
        return "\\&" + line if line.startswith((".", "'")) and line != ".br" else line

    def block(self, node):
        if node.tag == "heading":
            name = "SH" if node.get("level") == "2" else "SS"
            return f'.{name} "{self.escape(plain(node)).upper() if name == "SH" else self.escape(plain(node))}"\n'
        if node.tag == "paragraph":
            return ".PP\n" + self.inline(node) + "\n"
        if node.tag == "code_block":
            return ".PP\n.RS 4\n.nf\n" + self.literal(node.text or "") + ".fi\n.RE\n"
        if node.tag == "list":
            return self.list(node)
        if node.tag == "table":
            return self.table(node)
        if node.tag == "block_quote":
            return ".RS 4\n" + "".join(self.block(child) for child in node) + ".RE\n"
        return ""

    def literal(self, text):
        return "".join((self.guard(self.escape(line)) or "\\&") + "\n" for line in text.rstrip("\n").split("\n"))

    def list(self, node):
        out = ""
        for number, item in enumerate(node, 1):
            count = term_length(item) if is_term_list(node) else 0
            first = list(item[0])
            if count:
                out += ".TP\n" + self.inline(first[:count]) + "\n" + self.inline(first[count + 1:]) + "\n"
            else:
                mark = f"{number}." if node.get("type") == "ordered" else "\\(bu"
                out += f'.IP "{mark}" 4\n' + self.inline(first) + "\n"
            rest = "".join(self.block(child) for child in item[1:])
            if rest:
                out += ".RS\n" + rest + ".RE\n"
        return out

    def table(self, node):
        """As lines of fixed width: every viewer can show them, none needs tbl."""
        rows = [[plain(cell) for cell in row] for row in node]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return ".PP\n.nf\n" + self.literal("\n".join(lines)) + ".fi\n"
