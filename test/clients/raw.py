# SPDX-License-Identifier: MIT
"""No client at all: what is on the wire to the last octet, until the server closes."""

import socket
import sys

import support


def ask(port, *heads):
    """Sends request heads (lists of lines) at once; returns all that comes until the server closes, as text."""
    text = "".join("\r\n".join(lines) + "\r\n\r\n" for lines in heads)
    with socket.create_connection(("127.0.0.1", port), support.PATIENCE_S) as connection:
        connection.sendall(text.encode("ascii"))
        got = b""
        while piece := connection.recv(65536):
            got += piece
        return got


def get(*fields, method="GET", version="1.1"):
    return [f"{method} /page.html HTTP/{version}", "Host: localhost", *fields]


def main():
    tap = support.Tap()
    with support.folder({"page.html": support.PAGE}) as root, support.serving(root, *support.RULES) as server:
        first = support.messages(ask(server.port, get("Connection: close")), True)
        tap.same("one 200 with the page", [(start, body) for start, _, body in first], [("HTTP/1.1 200 OK", support.PAGE)])
        fields = first[0][1]
        tag = "If-None-Match: " + fields.get("etag", "")
        date = "If-Modified-Since: " + support.LATER
        for what, condition in (("the tag", tag), ("the date", date)):
            octets = ask(server.port, get(condition, "Connection: close"))
            start, got = support.head_of(octets.partition(b"\r\n\r\n")[0])
            tap.same(f"304 for {what}", start, "HTTP/1.1 304 Not Modified")
            tap.same("its first empty line is its end", octets.index(b"\r\n\r\n") + 4, len(octets))
            support.judge_fields(tap, fields, got)
        octets = ask(server.port, get(tag, version="1.0"))
        tap.same("HTTP/1.0: the first empty line is the end", octets.find(b"\r\n\r\n") + 4, len(octets))
        tap.same("HTTP/1.0: 304", octets.split(b" ")[1:2], [b"304"])
        octets = ask(server.port, get(tag, method="HEAD"), get(tag), get(date), get(date, "Connection: close"))
        pieces = octets.split(b"\r\n\r\n")
        tap.same("four together: four heads and nothing between or after them",
                 [piece.split(b"\r\n")[0] for piece in pieces], [b"HTTP/1.1 304 Not Modified"] * 4 + [b""])
        tap.same("another tag: the page again", support.messages(
            ask(server.port, get('If-None-Match: "other"', date, "Connection: close")), True)[0][2], support.PAGE)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: raw.py BINARY")
main()
