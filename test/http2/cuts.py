# SPDX-License-Identifier: MIT
"""However the octets of a client are cut, the answers are the same: the preface, frames, and what is no HTTP/2 after all."""

import sys

import frames as f
from frames import block, data, frame, headers, request, window
from servers import PAGE, Tap, both

FIELDS = block(request("GET", "/", ("cookie", "a=1"), ("cookie", "b=2")))
OCTETS = (f.PREFACE + f.settings(INITIAL_WINDOW=100000) + headers(1) +
          frame(f.HEADERS, f.END_STREAM, 3, FIELDS[:20]) + frame(f.CONTINUATION, f.END_HEADERS, 3, FIELDS[20:]) +
          window(0, 5000) + headers(5, request("POST"), end=False) + data(5, b"content", end=True) + f.ping(b"the end!"))


def outcome(client):
    client.answers(1, 3, 5).wait(lambda: b"the end!" in client.pongs)
    return [(client[n].status, client[n].reset, client[n].body == PAGE) for n in (1, 3, 5)], client.goaways


def cut(port, at):
    """In two pieces, of which the first is dealt with before the second comes: the server is asked for it by another client."""
    with f.Client(port, OCTETS[:at]) as client, f.Client(port) as other:
        other.sync()
        client.send(OCTETS[at:])
        return outcome(client)


def octet_by_octet(port):
    with f.Client(port, OCTETS[:1]) as client:
        for i in range(1, len(OCTETS)):
            client.send(OCTETS[i:i + 1])
        return outcome(client)


def no_preface(port, text):
    """An HTTP/1 request whose first octets are those of the preface."""
    with f.Client(port, b"") as client:
        for i in range(len(text)):
            client.send(text[i:i + 1])
        client.socket.settimeout(f.PATIENCE_S)
        got = client.socket.recv(12)
        return got


def main(binary):
    tap = Tap()
    for role, port in both(binary):
        with f.Client(port, OCTETS) as client:
            whole = outcome(client)
        tap.same(f"{role}: whole", [status for status, *_ in whole[0]][:2] + whole[1], [200, 200])
        wrong = [at for at in range(1, len(OCTETS)) if cut(port, at) != whole]
        tap.same(f"{role}: cut into two anywhere", wrong, [])
        tap.same(f"{role}: octet by octet", octet_by_octet(port), whole)
        for line in (b"POST / HTTP/1.1\r\n", b"PRINT / HTTP/1.1\r\n", b"PRI /* HTTP/1.1\r\n"):
            got = no_preface(port, line + b"Host: a\r\nContent-Length: 0\r\n\r\n")
            tap.same(f"{role}: {line!r} is HTTP/1", got[:9], b"HTTP/1.1 ")
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: cuts.py BINARY")
main(sys.argv[1])
