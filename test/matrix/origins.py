# SPDX-License-Identifier: MIT
"""
origins.py BINARY [WORD...]: stet proxy before real origins that code by themselves, each in its own way:

    nginx, gzip                 weakens the tag of what it codes: W/"x"
    nginx, gzip without Vary    codes and does not say that it depends on Accept-Encoding
    nginx, gzip_static          the coded file has a tag of its own
    nginx                       codes nothing
    Apache, mod_deflate         appends to the tag: "x-gzip", which it then does not recognise in a request
    Apache, NoChange            mod_deflate told to leave the tag: one strong tag for different octets
    Apache                      codes nothing

Each with answers that are fresh and with such as have to be validated, for each coding that a client may accept: 200 that decodes to the
file, 304 for its tag, another 200 after a change. What the origin logs tells whether it was asked with its own tags.
"""

import contextlib
import gzip
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time

import cell
import stets
import wire

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "test", "clients"))
import support  # noqa: E402  pylint: disable=wrong-import-position

NGINX = """daemon off;
master_process off;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ }}
http {{
    log_format asked '$uri $status "$http_if_none_match" "$http_accept_encoding" "$http_range"';
    access_log {work}/asked.log asked;
    types {{ text/plain txt; }}
    gzip_types text/plain;
    gzip_min_length 100;
    gzip_http_version 1.0;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    map $uri $control {{ ~/hit/ "public, max-age=3600"; default "public, no-cache"; }}
    add_header Cache-Control $control;
    server {{
        listen 127.0.0.1:{port};
        root {work}/root;
        location /gzip/ {{ gzip on; gzip_vary on; }}
        location /no-vary/ {{ gzip on; }}
        location /static/ {{ gzip_static on; gzip_vary on; }}
    }}
}}
"""

APACHE = """ServerRoot {work}
ServerName localhost
PidFile {work}/apache.pid
Mutex file:{work} default
{modules}
Listen 127.0.0.1:{port}
ErrorLog {work}/error.log
LogFormat "%U %>s \\"%{{If-None-Match}}i\\" \\"%{{Accept-Encoding}}i\\" \\"%{{Range}}i\\"" asked
CustomLog {work}/asked.log asked
TypesConfig /dev/null
AddType text/plain .txt
DocumentRoot {work}/root
<Directory {work}/root>
    Require all granted
</Directory>
Header always set Cache-Control "public, no-cache"
<LocationMatch "/hit/">
    Header always set Cache-Control "public, max-age=3600"
</LocationMatch>
<LocationMatch "^/(gzip|no-change)/">
    SetOutputFilter DEFLATE
</LocationMatch>
DeflateAlterETag {alter}
"""
MODULES = ["mpm_event", "authz_core", "mime", "headers", "filter", "deflate", "env"]
# DeflateAlterETag is for a whole server, so there are two.
KINDS = {"nginx": ["gzip", "no-vary", "static", "off"], "apache2": ["gzip", "off"], "apache2-no-change": ["no-change"]}
ROLES = ["hit", "revalidation"]


def text(seed):
    return "".join(f"{seed}: what an origin coded by itself, line {number * 7919 % 10007}\n" for number in range(100)).encode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class File(stets.File):
    """A file of the origin, with its precompressed copy where that is served."""

    def __init__(self, root, path, content):
        self.fresh, self.coded = "/hit/" in path, path.startswith("/static/")
        # Well in the past: Apache's tags of files that are new are weak.
        super().__init__(root, path, content, 1_700_000_000)

    def change(self, content):
        self.modified_s += 60
        if self.coded:
            self.replace(self.name + ".gz", gzip.compress(content, mtime=0))
        super().change(content)


class Walk(cell.Cell):
    """The walk of an origin's coding. Tags are the origin's or ours; that they are weak, or one for two codings, is up to the origin."""

    def walk(self):
        self.answer = self.settle(self.coding)
        self.check("GET", (self.answer.status, self.answer.coding), (200, self.coding))
        self.check("decoded", self.answer.decoded() == self.resource.content, True)
        if self.problems:
            return
        self.tags = {self.coding: self.answer.tag}
        self.weak = self.answer.tag.startswith("W/")
        self.whole()
        self.not_modified()
        self.ranges()
        self.changed()

    def changed(self):
        before = self.tags[self.coding]
        self.change()
        self.answer = self.settle(self.coding)
        self.check("changed: the content", self.answer.decoded() == self.resource.content, True)
        self.check("changed: another tag", self.answer.tag == before, False)
        self.tags = {self.coding: self.answer.tag}
        self.is_not_modified("changed: 304 with the new tag", self.ask(If_None_Match=self.answer.tag), self.answer.tag)
        self.is_whole("changed: the old tag", self.ask(If_None_Match=before))


@contextlib.contextmanager
def program(name):
    """(work folder, port) of a running nginx or apache2."""
    alter, name = ("NoChange" if name == "apache2-no-change" else "AddSuffix"), name.partition("-")[0]
    with tempfile.TemporaryDirectory(prefix=f"stet-{name}-") as work:
        os.chmod(work, 0o755)
        os.mkdir(os.path.join(work, "root"))
        port, path = free_port(), os.path.join(work, "configuration")
        modules = os.path.join(TOP, "build", "peers", "apache2", "usr", "lib", "apache2", "modules")
        loaded = "\n".join(f"LoadModule {one}_module {modules}/mod_{one}.so" for one in MODULES)
        with open(path, "w", encoding="ascii") as file:
            file.write((NGINX if name == "nginx" else APACHE).format(work=work, port=port, modules=loaded, alter=alter))
        options = ["-p", work, "-e", "stderr", "-c"] if name == "nginx" else ["-D", "FOREGROUND", "-d", work, "-f"]
        command = [os.path.join(TOP, "build", "peers", "bin", name), *options, path]
        with open(os.path.join(work, "output"), "wb") as output:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=work, start_new_session=True)
        try:
            wait(process, port, output.name)
            yield work, port
        finally:
            process.terminate()
            process.wait(stets.PATIENCE_S)


def wait(process, port, output):
    until = time.monotonic() + stets.PATIENCE_S
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process.poll() is not None or time.monotonic() > until:
            with open(output, encoding="utf-8", errors="replace") as text_of:
                raise RuntimeError("the origin does not start: " + text_of.read()[-1000:])
        time.sleep(0.02)


def asked(work, path):
    """[(status, If-None-Match, Accept-Encoding, Range)] of what the origin was asked for a path."""
    with open(os.path.join(work, "asked.log"), encoding="ascii") as log:
        lines = [line.rstrip("\n").replace('\\"', "'").replace("\\x22", "'").split('"') for line in log if line.startswith(path + " ")]
    return [(int(parts[0].split()[1]), parts[1], parts[3], parts[5]) for parts in lines]


def origin_side(name, kind, role, coding, records):
    problems = [f"asked with a tag that the origin never made: {held}" for _, held, _, _ in records if any(
        f";{one}-" in held for one in cell.CODINGS)]
    # A tag that mod_deflate has changed is not known to Apache any more.
    forgets = name == "apache2" and kind == "gzip" and coding == "gzip"
    if role == "revalidation" and not forgets and not any(status == 304 for status, *_ in records):
        problems.append(f"the origin never answered 304: {records}")
    return problems


def judge(tap, name, ports, place, table):
    work, _ = place
    for kind, role, coding in table:
        path = f"/{kind}/{role}/{coding}.txt"
        file = File(os.path.join(work, "root"), path, text(path))
        client = wire.client("h1", ports)
        problems = Walk(client, file, "GET", coding).run()
        client.close()
        problems += origin_side(name, kind, role, coding, asked(work, path))
        tap.same(f"{name} {kind} {role} {coding}", problems, [])


def no_vary(tap, ports, work):
    """What an origin coded for one client without saying so is decoded for another who does not accept that."""
    path = "/no-vary/hit/mixed.txt"
    file = File(os.path.join(work, "root"), path, text(path))
    client, problems, tags = wire.client("h1", ports), [], []
    for accept in ("gzip", "identity", "gzip", "br", "identity"):
        answer = client.ask("GET", path, {"Accept-Encoding": accept})
        if answer.status != 200 or answer.coding not in (accept, "identity") or answer.decoded() != file.content:
            problems.append(f"{accept}: {answer.status} in {answer.coding}, decoded to other octets or not acceptable")
        again = client.ask("GET", path, {"Accept-Encoding": accept, "If-None-Match": answer.tag})
        if (again.status, again.tag, again.varies()) != (304, answer.tag, True):
            problems.append(f"{accept}: {again.status} with {again.tag} for {answer.tag}: {again.fields}")
        tags.append((answer.coding, answer.tag))
    strong = [one for one in set(tags) if not one[1].startswith("W/")]
    if len({tag for _, tag in strong}) != len(strong):
        problems.append(f"a strong tag for two codings: {tags}")
    client.close()
    tap.same("nginx, one who accepts gzip and then one who does not, without Vary", problems, [])


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: origins.py BINARY [WORD...]")
    tap = support.Tap()
    for name, kinds in KINDS.items():
        table = [one for one in itertools.product(kinds, ROLES, cell.CODINGS) if all(word in (name, *one) for word in sys.argv[2:])]
        if not table:
            continue
        with program(name) as place, stets.proxying(sys.argv[1], place[1]) as stet:
            judge(tap, name, stet.ports, place, table)
            if name == "nginx":
                no_vary(tap, stet.ports, place[0])
    tap.finish()


main()
