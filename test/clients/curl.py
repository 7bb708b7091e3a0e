# SPDX-License-Identifier: MIT
"""curl: its own --etag-save and --etag-compare, and a date, over one connection."""

import os
import subprocess
import tempfile

import support


def run(*arguments):
    done = subprocess.run(["curl", "-q", "-sS", *arguments], capture_output=True, text=True, check=False,
                          timeout=support.PATIENCE_S, stdin=subprocess.DEVNULL, env=support.clean_environment())
    if done.returncode:
        print(f"# curl: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def body(path):
    if not os.path.exists(path):
        return ""  # curl makes no file for an answer without a body
    with open(path, encoding="utf-8") as file:
        return file.read()


def exchange(url, straight_url):
    with tempfile.TemporaryDirectory(prefix="stet-curl-") as work:
        tag, out = os.path.join(work, "tag"), [os.path.join(work, f"body.{i}") for i in range(3)]
        # A command reads the file of --etag-compare before its first transfer, so saving it takes a command of its own.
        run("-o", os.devnull, "--etag-save", tag, straight_url)
        code = ["-w", "%{http_code}\\n"]
        codes = run(*code, "-o", out[0], url,
                    "--next", "-sS", *code, "--etag-compare", tag, "-o", out[1], url,
                    "--next", "-sS", *code, "-H", "If-Modified-Since: " + support.LATER, "-o", out[2], url)
        return [(int(one), body(path)) for one, path in zip(codes.split(), out)]


support.client_test(exchange)
