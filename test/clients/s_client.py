# SPDX-License-Identifier: MIT
"""
openssl s_client: what is on the wire inside of TLS 1.2 and of TLS 1.3, to the last octet, until the server closes; that a session is resumed;
and that older protocols are refused.
"""

import os
import subprocess
import sys
import tempfile

import support


def run(port, octets, *options):
    """Sends octets and returns (what comes until the server closes, what s_client tells)."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-ign_eof", *options],
                          input=octets, capture_output=True, check=False, timeout=support.PATIENCE_S)
    return done.stdout, done.stderr.decode()


def get(*fields):
    return ("\r\n".join(["GET /page.html HTTP/1.1", "Host: localhost", *fields]) + "\r\n\r\n").encode()


def judge(tap, port, version):
    octets, _ = run(port, get("Connection: close"), "-quiet", version)
    first = support.messages(octets, True)
    tap.same(f"{version}: one 200 with the page", [(start, body) for start, _, body in first], [("HTTP/1.1 200 OK", support.PAGE)])
    tag = "If-None-Match: " + first[0][1].get("etag", "")
    octets, _ = run(port, get(tag) * 3 + get(tag, "Connection: close"), "-quiet", version, "-alpn", "http/1.1")
    pieces = octets.split(b"\r\n\r\n")
    tap.same(f"{version}: four together: four heads and nothing between or after them",
             [piece.split(b"\r\n")[0] for piece in pieces], [b"HTTP/1.1 304 Not Modified"] * 4 + [b""])
    octets, _ = run(port, get('If-None-Match: "other"', "Connection: close"), "-quiet", version)
    tap.same(f"{version}: another tag: the page again", support.messages(octets, True)[0][2], support.PAGE)


def resumed(tap, port, version):
    with tempfile.TemporaryDirectory(prefix="stet-session-") as work:
        session = os.path.join(work, "session")
        told = [run(port, get("Connection: close"), version, how, session)[0] for how in ("-sess_out", "-sess_in")]
        tap.same(f"{version}: a new session, and that one again", [next((line.split(b",")[0] for line in one.splitlines()
                 if line.startswith((b"New,", b"Reused,"))), None) for one in told], [b"New", b"Reused"])


def main():
    tap = support.Tap()
    with support.folder({"page.html": support.PAGE}) as root, support.serving(root, *support.RULES, "--codings", "none",
                                                                              secure=True) as server:
        port = server.ports["https"]
        for version in ("-tls1_2", "-tls1_3"):
            judge(tap, port, version)
            resumed(tap, port, version)
        for protocol in ("h2", "http/1.1"):
            told, _ = run(port, b"", "-alpn", protocol, "-no_ign_eof")
            tap.same(f"ALPN: {protocol}", f"ALPN protocol: {protocol}".encode() in told, True)
        old, told = run(port, get("Connection: close"), "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
        tap.same("TLS 1.1 is refused", (b"HTTP/1.1" in old, "alert" in told), (False, True))
        octets = support.get(server.port, "/page.html")[2]
        tap.same("in the clear it is the same page", octets, support.PAGE)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: s_client.py BINARY")
main()
