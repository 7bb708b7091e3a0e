# SPDX-License-Identifier: MIT
"""
nghttp and h2load over HTTP/2: what frames a 200 and a 304 are made of (the HEADERS frame of a 304 ends its stream; RFC 9113 8.1), and many 304s on
eight connections with 32 streams each, in TLS and with prior knowledge, of stet serve and of stet proxy.
"""

import re
import subprocess
import sys

import support

FRAME = re.compile(r"recv \(stream_id=\d+\) (\S+?): (.*)|recv (\w+) frame <length=(\d+), flags=0x([0-9a-f]{2}), stream_id=(\d+)>")
END_STREAM = 1
COUNT, CONNECTIONS, STREAMS = 6400, 8, 32


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=support.PATIENCE_S * 2, env=support.clean_environment())
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) + done.stderr


def exchange(url, *fields):
    """(status, fields, [(frame, whether it ends the stream)] of the stream, length of DATA)."""
    # By itself nghttp accepts gzip, which h2load does not.
    options = [word for field in ("accept-encoding: identity", *fields) for word in ("-H", field)]
    pairs, frames, length = {}, [], 0
    for name, value, frame, size, flags, stream in FRAME.findall(run("nghttp", "-nv", "--no-verify-peer", *options, url)):
        if name:
            pairs[name] = value
        elif frame in ("HEADERS", "DATA") and int(stream) > 0:
            frames.append((frame, bool(int(flags, 16) & END_STREAM)))
            length += int(size) if frame == "DATA" else 0
    return int(pairs.pop(":status", 0)), pairs, frames, length


def judge(tap, what, url):
    status, fields, frames, length = exchange(url)
    tap.same(f"{what}: 200", (status, length), (200, len(support.PAGE)))
    tap.same(f"{what}: HEADERS, DATA, and the end once", (frames[0], {frame for frame, _ in frames[1:]}, [end for _, end in frames].index(True)),
             (("HEADERS", False), {"DATA"}, len(frames) - 1))
    tag = "if-none-match: " + fields.get("etag", "")
    status, again, frames, _ = exchange(url, tag)
    tap.same(f"{what}: 304, whose HEADERS end the stream", (status, frames, again.get("etag")),
             (304, [("HEADERS", True)], fields.get("etag")))
    status, _, frames, _ = exchange(url, "if-none-match: \"other\"", ":method: HEAD")
    tap.same(f"{what}: HEAD, whose HEADERS end the stream", (status, frames), (200, [("HEADERS", True)]))
    told = run("h2load", "-n", str(COUNT), "-c", str(CONNECTIONS), "-m", str(STREAMS), "-H", tag, url)
    tap.same(f"{what}: {COUNT} times 304", [text in told for text in (f" {COUNT} succeeded, 0 failed, 0 errored, 0 timeout", f" {COUNT} 3xx, ")],
             [True, True])


def main():
    tap = support.Tap()
    with support.folder({"page.html": support.PAGE}) as root, support.serving(root, "--cache", "**=max-age=600", secure=True) as server:
        with support.serving(server.port, role="proxy", secure=True) as proxy:
            for role, running in (("serve", server), ("proxy", proxy)):
                for scheme, port in running.ports.items():
                    judge(tap, f"{role}, {scheme}", f"{scheme}://127.0.0.1:{port}/page.html")
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: nghttp.py BINARY")
main()
