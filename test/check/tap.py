# SPDX-License-Identifier: MIT
"""What the checks share: TAP output, the list of files, and self-tests that prove that a check can fail."""

import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
C_FOLDERS = ("src", "include", "test", "bench", "examples")
SKIPPED = ("build", ".git", "node_modules")


class Tap:
    """Counts and prints test lines. finish() ends the program."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, problems):
        """One test; it passes if `problems` is empty."""
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name.replace('#', '')}")
        for line in "\n".join(problems).split("\n") if problems else ():
            print(f"#   {line}")

    def finish(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def files(top, *endings, folders=None):
    """Paths below `top`, as seen from there, sorted; all of them if no ending is given."""
    found = []
    for root, dirs, names in os.walk(top):
        at_top = os.path.relpath(root, top) == "."
        dirs[:] = sorted(d for d in dirs if not (at_top and d.startswith(SKIPPED)) and d != "__pycache__")
        if at_top and folders:
            dirs[:] = [d for d in dirs if d in folders]
            if top == TOP:
                names = []
        for name in sorted(names):
            if not endings or name.endswith(endings):
                found.append(os.path.relpath(os.path.join(root, name), top))
    return found


def read(top, path):
    with open(os.path.join(top, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def sample(contents):
    """A folder with the files of {path: text}, as a context manager that gives its path."""
    folder = tempfile.TemporaryDirectory(prefix="stet-check-")
    for path, text in contents.items():
        full = os.path.join(folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
    return folder


def output_of(*command, cwd=TOP, stdin=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, input=stdin, check=False)
    return done.returncode, done.stdout + done.stderr
