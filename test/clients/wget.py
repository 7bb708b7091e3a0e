# SPDX-License-Identifier: MIT
"""
wget: -N asks with the modification time of the file that it has, so a file from the year 2050 makes it send a date then. Tags, which
it does not know, and a date in other words are given as fields.
"""

import os
import subprocess
import sys
import tempfile

import support

LATER_S = 2552630400
LATER_SENT = "Mon, 21 Nov 2050 08:00:00 GMT"


def wget(folder, *arguments):
    """Runs wget in `folder`. Returns its exit code."""
    done = subprocess.run(["wget", "--no-config", "--no-proxy", "-q", "-P", folder, *arguments], check=False,
                          timeout=support.PATIENCE_S, stdin=subprocess.DEVNULL, env=support.clean_environment())
    return done.returncode


def content(path):
    with open(path, "rb") as file:
        return file.read()


def answers_of(connections):
    """[(request's fields, status line, answer's fields, body)] of all connections."""
    found = []
    for sent, got in connections:
        requests, answers = support.messages(sent, False), support.messages(got, True)
        found += [(request[1], *answer) for request, answer in zip(requests, answers)]
        found += [({}, "not asked for", {}, b"")] * (len(answers) - len(requests))
    return found


def session(server, folder, *arguments):
    """One run of wget for two pages. Returns (exit code, number of connections, answers)."""
    relay = support.Relay(server.port)
    url = f"http://127.0.0.1:{relay.port}/"
    code = wget(folder, *arguments, url + "page.html", url + "other.html")
    connections = relay.finish()
    return code, len(connections), answers_of(connections)


def main():
    tap = support.Tap()
    files = {"page.html": support.PAGE, "other.html": support.PAGE[:700]}
    with support.folder(files) as root, support.serving(root, *support.RULES) as server, \
            tempfile.TemporaryDirectory(prefix="stet-wget-") as have:
        code, count, first = session(server, have, "-N")
        tap.same("at first, two 200s on one connection", (code, count, [one[1] for one in first]),
                 (0, 1, ["HTTP/1.1 200 OK"] * 2))
        tap.same("the files have come", [content(os.path.join(have, name)) for name in files], list(files.values()))
        for name in files:
            os.utime(os.path.join(have, name), (LATER_S, LATER_S))
        code, count, second = session(server, have, "-N")
        tap.same("wget sends the date", [one[0].get("if-modified-since") for one in second], [LATER_SENT] * 2)
        tap.same("then two 304s on one connection, and not an octet after an empty line",
                 (code, count, [one[1] for one in second]), (0, 1, ["HTTP/1.1 304 Not Modified"] * 2))
        tap.same("the files are as they were", [content(os.path.join(have, name)) for name in files], list(files.values()))
        if first and second:
            support.judge_fields(tap, first[0][2], second[0][2])
        etag = first[0][2].get("etag") if first else None
        for what, field in (("the tag", f"If-None-Match: {etag}"), ("the date", f"If-Modified-Since: {support.LATER}")):
            _, count, again = session(server, os.path.join(have, "none"), f"--header={field}")
            tap.same(f"two requests on one connection for {what}", (count, len(again)), (1, 2))
            tap.same(f"304 for {what}", [one[1] for one in again[:1]], ["HTTP/1.1 304 Not Modified"])
            if first and again:
                support.judge_fields(tap, first[0][2], again[0][2])
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: wget.py BINARY")
main()
