#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install.py BUILD-DIR: what `meson install` puts where, and that a program can be built on it. Prints TAP.

A small program is compiled with nothing but what pkg-config says, once with the shared library and once with the static one, and
run. The libraries export what the public headers declare, and nothing else.
"""

import os
import re
import subprocess
import sys
import tempfile

from tap import TOP, Tap, files, output_of, read

WANTED = ["bin/stet", "include/stet/stet.h", "include/stet/reason.def", "share/man/man1/stet.1",
          "share/man/man1/stet-serve.1", "share/man/man3/libstet.3", "share/man/man3/stet_etag.3", "share/man/man3/stet_vary.3"]
PROGRAM = """
#include <stdio.h>
#include <stet/stet.h>

int main(void)
{
    int64_t date;
    struct stet_span text = STET_SPAN("Sun, 06 Nov 1994 08:49:37 GMT");
    if (stet_date_parse(text, 0, &date) != STET_OK)
        return 1;
    printf("%s %lld", stet_version(), (long long)date);
    return 0;
}
"""


def present(root):
    have = set(files(root))
    wrong = [f"{path} is missing" for path in WANTED if path not in have]
    wrong += [f"{path} is missing" for path in files(os.path.join(TOP, "include"), ".h", ".def") if "include/" + path not in have]
    for pattern in (r"lib/.*libstet\.a", r"lib/.*libstet\.so\.0", r"lib/.*pkgconfig/stet\.pc"):
        if not any(re.fullmatch(pattern, path) for path in have):
            wrong.append(f"nothing like {pattern} is there")
    wrong += [f"{path} should not be there" for path in have if re.search(r"(test|bench|unit|spec)-|/base/", path)]
    return wrong


def environment(folder, root):
    env = dict(os.environ)
    dirs = [os.path.dirname(os.path.join(root, p)) for p in files(root) if p.endswith("stet.pc")]
    env.update(PKG_CONFIG_LIBDIR=":".join(dirs), PKG_CONFIG_SYSROOT_DIR=folder)
    libs = {os.path.dirname(os.path.join(root, p)) for p in files(root) if "libstet.so" in p}
    env["LD_LIBRARY_PATH"] = ":".join(sorted(libs))
    return env


def builds(folder, root, static):
    """PROGRAM, which has to print its line, and each of examples/, which have to compile, link and start."""
    source = os.path.join(folder, "a.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(PROGRAM)
    output, wrong = build_and_run(folder, root, static, source)
    if not wrong and not re.fullmatch(r"\d+\.\d+\.\d+ 784111777", output):
        wrong = [f"it prints {output!r}"]
    for path in files(TOP, ".c", folders=("examples",)):
        output, problems = build_and_run(folder, root, static, os.path.join(TOP, path))
        if not problems and output != "the input ends before the head does\n":
            problems = [f"{path} prints {output!r}"]
        wrong += problems
    return wrong


def build_and_run(folder, root, static, source):
    """(what the program prints, problems); it gets no input."""
    program = os.path.join(folder, "a")
    env = environment(folder, root)
    ask = ["pkg-config", "--cflags", "--libs"] + (["--static"] if static else []) + ["stet"]
    done = subprocess.run(ask, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "", [done.stderr.strip()]
    flags = done.stdout.split()
    if static:
        flags = [f.replace("-lstet", "-l:libstet.a") for f in flags]
    command = [os.environ.get("CC", "cc"), "-std=c17", "-pedantic", "-Wall", "-Werror", "-o", program, source, *flags]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "", done.stderr.splitlines()
    done = subprocess.run([program], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr.splitlines()


def exports(root):
    """The shared library exports exactly the functions that the headers declare."""
    declared = set()
    for path in files(TOP, ".h", folders=("include",)):
        text = re.sub(r"/\*.*?\*/", " ", read(TOP, path), flags=re.S)
        text = re.sub(r"static inline.*?\n}", " ", text, flags=re.S)
        declared |= set(re.findall(r"\b(stet_\w+)\([^()]*\);", text))
    shared = [os.path.join(root, p) for p in files(root) if re.search(r"libstet\.so\.\d+\.", p)]
    if not shared:
        return ["there is no shared library"]
    _, text = output_of("nm", "-D", "--defined-only", shared[0])
    exported = {line.split()[-1] for line in text.splitlines()}
    return [f"{name} is declared, but not exported" for name in sorted(declared - exported)] + \
        [f"{name} is exported, but not declared" for name in sorted(exported - declared)]


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="stet-check-") as folder:
        code, text = output_of("meson", "install", "-C", os.path.abspath(sys.argv[1]), "--no-rebuild", "--destdir", folder)
        tap.check("meson install", text.splitlines()[-5:] if code else [])
        header = [p for p in files(folder) if p.endswith("include/stet/stet.h")]
        root = os.path.join(folder, header[0][:-len("include/stet/stet.h")] if header else "")
        tap.check("everything is there", present(root))
        tap.check("a program with the shared library", builds(folder, root, False))
        tap.check("a program with the static library", builds(folder, root, True))
        tap.check("the shared library exports what is declared", exports(root))
    tap.finish()


main()
