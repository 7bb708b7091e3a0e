# SPDX-License-Identifier: MIT
"""
The servers of test/peers: each with the configuration that its Debian package brings or its manual shows, on a port of 127.0.0.1, with one
site for all. What a distribution leaves to be switched on (a cache, compression of more than HTML) is switched on in folders or on ports of
their own, so that a finding can be told from its cause.
"""

import contextlib
import gzip
import os
import re
import random
import signal
import socket
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(TOP, "build", "peers")
PATIENCE_S = 30
MODIFIED = 1_700_000_000  # of every file: well in the past

NGINX = """daemon off;
user {user} {group};
worker_processes 1;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    types {{ text/html html; text/css css; text/plain txt; }}
    default_type application/octet-stream;
    access_log off;
    gzip on;
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    proxy_cache_path {work}/nginx-cache levels=1:2 keys_zone=one:1m;
    map $sent_http_content_type $lifetime {{ default 1h; ~text/css 1y; ~text/html epoch; }}
    server {{
        listen 127.0.0.1:{port};
        root {root};
        index index.html;
        location /vary/ {{ gzip_types *; gzip_vary on; add_header Access-Control-Allow-Origin *; }}
        location /static/ {{ gzip_static on; gzip_vary on; }}
        location /before/ {{ if_modified_since before; gzip off; }}
        location /types/ {{ expires $lifetime; gzip off; }}
    }}
    server {{
        listen 127.0.0.1:{cache};
        location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_cache one; }}
    }}
}}
"""
# What mods-enabled has after the package is installed, of the modules that matter here; Header and Expires as their manuals show.
APACHE = """ServerRoot {work}
ServerName localhost
User {user}
Group {group}
PidFile {work}/apache.pid
Mutex file:{work} default
{modules}
Listen 127.0.0.1:{port}
ErrorLog {work}/apache.log
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
AddType text/plain .txt
DirectoryIndex index.html
DocumentRoot {root}
AddOutputFilterByType DEFLATE text/html text/plain text/xml text/css text/javascript
<Directory {root}>
    Require all granted
</Directory>
<Location /vary/>
    Header set Access-Control-Allow-Origin "*"
    ExpiresActive on
    ExpiresDefault "access plus 1 hour"
</Location>
<Location /static/>
    SetEnv no-gzip 1
</Location>
"""
APACHE_MODULES = ["mpm_event", "authz_core", "mime", "dir", "headers", "filter", "deflate", "env", "expires"]
LIGHTTPD = """server.modules = ( "mod_access", "mod_alias", "mod_redirect", "mod_deflate", "mod_expire", "mod_setenv" )
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.username = "{user}"
server.groupname = "{group}"
index-file.names = ( "index.html" )
mimetype.assign = ( ".html" => "text/html", ".css" => "text/css", ".txt" => "text/plain", ".bin" => "application/octet-stream" )
deflate.allowed-encodings = ( "gzip", "br" )
deflate.mimetypes = ( "application/javascript", "text/css", "text/html", "text/plain" )
$HTTP["url"] =~ "^/vary/" {{
    expire.url = ( "" => "access plus 1 hours" )
    setenv.add-response-header = ( "Access-Control-Allow-Origin" => "*" )
}}
"""
CADDY = """{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    root * {root}
    header /vary/* Cache-Control max-age=3600
    header /vary/* Access-Control-Allow-Origin *
    encode zstd gzip
    file_server {{
        precompressed br gzip
    }}
}}
"""
H2O = """num-threads: 1
user: {user}
listen: {{ host: 127.0.0.1, port: {port} }}
file.index: [ 'index.html' ]
hosts:
  default:
    paths:
      /:
        file.dir: {root}
        compress: [ gzip ]
      /static:
        file.dir: {root}/static
        file.send-compressed: ON
      /vary:
        file.dir: {root}/vary
        compress: [ gzip ]
        header.set: "Cache-Control: max-age=3600"
        header.add: "Access-Control-Allow-Origin: *"
"""
# Its second address is before nginx, and there it does to one folder what CDNs do that rewrite pages.
VARNISH = """vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}
backend nginx {{ .host = "127.0.0.1"; .port = "{nginx}"; }}
sub vcl_recv {{
    if (local.socket == "hop") {{
        set req.backend_hint = nginx;
    }}
}}
sub vcl_hash {{
    hash_data(local.socket);
}}
sub vcl_backend_response {{
    if (bereq.url ~ "^/before/") {{
        unset beresp.http.ETag;
        set beresp.http.Cache-Control = "max-age=86400";
    }}
}}
"""
# Prints what a peer is: the first number in it is the version.
VERSION = {
    "nginx": ["nginx", "-v"], "apache": ["apache2", "-v"], "lighttpd": ["lighttpd", "-v"], "caddy": ["caddy", "version"],
    "h2o": ["h2o", "-v"], "varnish": ["varnishd", "-V"], "python": ["/usr/bin/python3", "-V"],
}


class Failure(Exception):
    """A server does not start, or is not there."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lines(seed, count):
    numbers = random.Random(seed)
    return "".join(f"<p>{seed} {number}: a byte that the other side has, {numbers.random()}\n" for number in range(count)).encode()


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, (MODIFIED, MODIFIED))
    return path


def make_site(root):
    """What people serve: a page, a style sheet, a small text, something that does not compress, and a large one of it."""
    files = {"index.html": lines("index", 200), "style.css": lines("style", 100), "small.txt": b"It is small.\n",
             "photo.bin": random.Random("photo").randbytes(30_000), "large.bin": random.Random("large").randbytes(1_500_000)}
    for name, content in files.items():
        write(os.path.join(root, name), content)
    for folder in ("vary", "static", "before", "types"):
        for name in ("index.html", "style.css"):
            write(os.path.join(root, folder, name), files[name])
    for name in ("index.html", "style.css"):
        write(os.path.join(root, "static", name + ".gz"), gzip.compress(files[name], mtime=0))
    write(os.path.join(root, "epoch.bin"), b"It is older than HTTP.\n")
    write(os.path.join(root, "untyped"), b"Nobody knows what it is.\n")
    os.utime(os.path.join(root, "epoch.bin"), (1, 1))


def version(name):
    """"1.22", or None if the peer is not there."""
    command = VERSION[name]
    try:
        path = command[0] if os.path.isabs(command[0]) else program(command[0])
        told = subprocess.run([path, *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=PATIENCE_S).stdout
    except (Failure, OSError):
        return None
    found = re.search(r"\b(\d+\.\d+)", told)
    return found.group(1) if found else None


def program(name):
    path = os.path.join(PEERS, "bin", name)
    if not os.path.exists(path):
        raise Failure(f"{name} is not there: tools/peers")
    return path


class Daemon:
    """A running program that answers on `port`."""

    def __init__(self, name, command, port, work, folder=None):
        self.name, self.port, self.log = name, port, os.path.join(work, name + ".output")
        with open(self.log, "wb") as out:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder or work,
                                            start_new_session=True, env={**os.environ, "HOME": work})

    def ready(self):
        until = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.02)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise Failure(f"{self.name} does not start: {log.read()[-2000:]}")

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Fleet:
    """The servers `names`, all before one site; the caches before `origin`. `ports` has where each listens."""

    def __init__(self, work, origin, names):
        self.work, self.root, self.names = work, os.path.join(work, "root"), names
        self.ports, self.running = {}, []
        os.chmod(work, 0o755)
        user, group = ("nobody", "nogroup") if os.getuid() == 0 else ("#-1", "#-1")
        self.words = {"work": work, "root": self.root, "user": user, "group": group, "origin": origin}

    def port(self, name):
        self.ports[name] = free_port()
        return self.ports[name]

    def configure(self, name, text, **words):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text.format(**self.words, **words))
        return path

    def nginx(self):
        port, cache = self.port("nginx"), self.port("nginx-cache")
        text = self.configure("nginx.conf", NGINX, port=port, cache=cache)
        return Daemon("nginx", [program("nginx"), "-p", self.work, "-e", "stderr", "-c", text], port, self.work)

    def apache(self):
        port, folder = self.port("apache"), os.path.join(PEERS, "apache2", "usr", "lib", "apache2", "modules")
        modules = "\n".join(f"LoadModule {name}_module {folder}/mod_{name}.so" for name in APACHE_MODULES)
        text = self.configure("apache.conf", APACHE, port=port, modules=modules)
        return Daemon("apache", [program("apache2"), "-X", "-f", text], port, self.work)

    def lighttpd(self):
        port = self.port("lighttpd")
        return Daemon("lighttpd", [program("lighttpd"), "-D", "-f", self.configure("lighttpd.conf", LIGHTTPD, port=port)], port, self.work)

    def caddy(self):
        port = self.port("caddy")
        text = self.configure("Caddyfile", CADDY, port=port)
        return Daemon("caddy", [program("caddy"), "run", "--adapter", "caddyfile", "--config", text], port, self.work)

    def h2o(self):
        port = self.port("h2o")
        return Daemon("h2o", [program("h2o"), "-c", self.configure("h2o.conf", H2O, port=port)], port, self.work)

    def varnish(self):
        port, hop = self.port("varnish"), self.port("varnish-hop")
        text = self.configure("default.vcl", VARNISH, nginx=self.ports["nginx"])
        return Daemon("varnish", [program("varnishd"), "-F", "-j", "none", "-n", os.path.join(self.work, "varnish"), "-s", "malloc,16m",
                                  "-a", f"127.0.0.1:{port}", "-a", f"hop=127.0.0.1:{hop}", "-f", text], port, self.work)

    def python(self):
        port = self.port("python")
        return Daemon("python", ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", str(port)], port, self.work, self.root)

    def begin(self):
        for name in self.names:
            self.running.append(getattr(self, name)())
        for daemon in self.running:
            daemon.ready()

    def stop(self):
        for daemon in reversed(self.running):
            daemon.stop()
