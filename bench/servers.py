# SPDX-License-Identifier: MIT
"""The servers that bench/run compares: how each is configured for its best speed and equal work, started, and checked.

Equal work: one worker, no access log, connections kept for any number of requests, no compression, an ETag and Last-Modified
with each 200. Best speed: what the peer's manual offers for it (nginx: open_file_cache, and sendfile only for the
large file, because it costs more than it saves for a small one).

A server is started once for each way to reach it: "http"; "https", where ALPN chooses HTTP/1.1 or HTTP/2, with the same certificate
for all (ECDSA, P-256); "h2c", HTTP/2 with prior knowledge; and "coded", HTTP/1.1 with content codings made beforehand, where the
folder /text/ has page.css.br and page.css.gz.
"""

import gzip
import http.client
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONNECTIONS = 10100
SMALL, LARGE, TEXT = "/small/page.html", "/large/photo.jpg", "/text/page.css"
CIPHER = "TLS_AES_128_GCM_SHA256"

NGINX = """daemon off;
{module}master_process off;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    types {{ text/html html; image/jpeg jpg; text/css css; }}
    open_file_cache max=1000 inactive=1h;
    open_file_cache_valid 1h;
    etag on;
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096{listen};
        {server}
        root {root};
        sendfile off;
        location /large/ {{ sendfile on; tcp_nopush on; }}
    }}
}}
"""
NGINX_LISTEN = {"https": " ssl http2", "h2c": " http2"}
NGINX_SERVER = {
    "https": "ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;",
    "coded": "location /text/ {{ brotli_static on; gzip_static on; }}",
}
NGINX_MODULE = {"coded": f"load_module {TOP}/build/peers/nginx/usr/lib/nginx/modules/ngx_http_brotli_static_module.so;\n"}

# 65535 requests is the most that lighttpd takes, and more than a connection of a run comes to. It allows itself half as many
# connections as descriptors, at most.
LIGHTTPD = """server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.listen-backlog = 4096
server.errorlog = "{work}/lighttpd.log"
server.max-fds = {descriptors}
server.max-connections = {connections}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 3600
server.max-read-idle = 3600
server.event-handler = "linux-sysepoll"
server.stat-cache-engine = "inotify"
etag.use-inode = "enable"
mimetype.assign = ( ".html" => "text/html", ".jpg" => "image/jpeg", ".css" => "text/css" )
"""
# It keeps what it has compressed.
LIGHTTPD_MORE = {
    "https": """server.modules += ( "mod_openssl" )
ssl.engine = "enable"
ssl.pemfile = "{certificate}"
ssl.privkey = "{key}"
""",
    "coded": """server.modules += ( "mod_deflate" )
deflate.mimetypes = ( "text/css" )
deflate.allowed-encodings = ( "br", "gzip" )
deflate.cache-dir = "{work}/lighttpd-cache"
""",
}

H2O = """num-threads: 1
max-connections: {connections}
user: {user}
error-log: {work}/h2o.log
http1-request-timeout: 3600
listen: {{ host: 127.0.0.1, port: {port}{listen} }}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
        file.etag: ON
        file.send-compressed: {compressed}
"""
H2O_LISTEN = {"https": ", ssl: {{ certificate-file: {certificate}, key-file: {key}, minimum-version: TLSv1.3 }}"}


class Failure(Exception):
    """A server does not do what it must before it may be measured."""


def descriptors():
    """For lighttpd: two for each connection, if the system allows them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * CONNECTIONS if hard == resource.RLIM_INFINITY else min(2 * CONNECTIONS, hard)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running server process, with its children."""

    def __init__(self, name, command, port, cpu, log, transport="http"):
        self.name, self.port, self.log, self.transport = name, port, log, transport

        def pin():
            os.sched_setaffinity(0, {cpu})

        with open(log, "wb") as out:
            # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=pin,
                                            start_new_session=True)
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise Failure(f"{self.name} does not start: {log.read()[-2000:]}")

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def pids(self):
        """The process and all below it."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                    todo += [int(child) for child in children.read().split()]
        return found

    def cpu_ns(self):
        """CPU time, user and system, that all threads have used."""
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
                    total += int(stat.read().split()[0])
        return total

    def memory_bytes(self):
        """Proportional set size: user memory, kernel buffers of sockets not among it."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += int(re.search(r"^Pss: +(\d+) kB", rollup.read(), re.M).group(1)) * 1024
        return total


class Fleet:
    """Makes the servers' configurations and starts them, each on a port of its own."""

    def __init__(self, work, build, cpu):
        self.work, self.build, self.cpu = work, build, cpu
        self.root = os.path.join(work, "root")
        self.running = []
        for path, size in ((SMALL, 1024), (LARGE, 100 * 1024)):
            self.write(path, (b"<!doctype html><title>1234567890</title><p>" + b"stet " * (size // 5 + 1))[:size])
        with open(os.path.join(TOP, "ARCHITECTURE.md"), "rb") as prose:
            text = prose.read(10 * 1024)
        self.write(TEXT, text)
        self.write(TEXT + ".gz", gzip.compress(text, 9, mtime=0))
        self.write(TEXT + ".br", subprocess.run(["brotli", "-c"], input=text, capture_output=True, check=True).stdout)

    def write(self, path, content):
        os.makedirs(self.root + os.path.dirname(path), exist_ok=True)
        with open(self.root + path, "wb") as file:
            file.write(content)
        # Well in the past, so that every server takes it for a validator.
        os.utime(self.root + path, (1_700_000_000, 1_700_000_000))

    def certificate(self):
        """(certificate, key), made with the first call."""
        paths = [os.path.join(self.work, name) for name in ("certificate.pem", "key.pem")]
        if not os.path.exists(paths[0]):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                            "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
        return paths

    def command(self, name, port, transport, answer):
        if name == "floor":
            return [os.path.join(self.build, "bench", "floor"), str(port), answer]
        values = {"port": port, "work": self.work, "root": self.root, "connections": CONNECTIONS, "descriptors": descriptors(),
                  "user": "root" if os.getuid() == 0 else os.environ.get("USER", "nobody")}
        if transport == "https":
            values["certificate"], values["key"] = self.certificate()
        if name == "stet":
            address = f"127.0.0.1:{port}"
            secure = ["--cert", values["certificate"], "--key", values["key"]] if transport == "https" else []
            return [os.path.join(self.build, "stet"), "serve", self.root, "--workers", "1", *secure,
                    "--listen", "https:" + address if secure else address]
        text, arguments = self.configuration(name, transport, values)
        path = os.path.join(self.work, f"{name}.{port}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return [os.path.join(TOP, "build", "peers", "bin", name), *arguments, path]

    def configuration(self, name, transport, values):
        """(a peer's configuration, its arguments before the file's name)."""
        if name == "nginx":
            more = NGINX_SERVER.get(transport, "").format(**values)
            return (NGINX.format(module=NGINX_MODULE.get(transport, ""), listen=NGINX_LISTEN.get(transport, ""), server=more, **values),
                    ["-p", self.work, "-e", "stderr", "-c"])
        if name == "lighttpd":
            os.makedirs(os.path.join(self.work, "lighttpd-cache"), exist_ok=True)
            return (LIGHTTPD + LIGHTTPD_MORE.get(transport, "")).format(**values), ["-D", "-f"]
        listen = H2O_LISTEN.get(transport, "").format(**values)
        return H2O.format(listen=listen, compressed="ON" if transport == "coded" else "OFF", **values), ["-c"]

    def start(self, name, transport="http", answer=None):
        port = free_port()
        server = Server(name, self.command(name, port, transport, answer), port, self.cpu, os.path.join(self.work, f"{name}.{port}.out"),
                        transport)
        self.running.append(server)
        return server

    def stop(self):
        for server in self.running:
            server.stop()
        self.running = []


def short_head(port, path, conditions=()):
    """What a small client sends."""
    return ("\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *conditions]) + "\r\n\r\n").encode("ascii")


def browser_head(port, path, conditions=()):
    """What a browser sends for a page that it reloads: about 700 octets with both conditions."""
    lines = [
        "Connection: keep-alive",
        'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
        "sec-ch-ua-mobile: ?0",
        'sec-ch-ua-platform: "Linux"',
        "Upgrade-Insecure-Requests: 1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Dest: document",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en-US,en;q=0.9",
        *conditions,
    ]
    return short_head(port, path, lines)


def connect(server):
    """A connection, in TLS 1.3 if the server has that."""
    plain = socket.create_connection(("127.0.0.1", server.port), 5)
    return trusting().wrap_socket(plain) if server.transport == "https" else plain


def trusting():
    """TLS 1.3 with anybody."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def raw_exchange(server, octets, count):
    """Sends octets and returns what comes until `count` empty lines have come and 50 ms no more."""
    with connect(server) as connection:
        connection.sendall(octets)
        got = b""
        connection.settimeout(5)
        while got.count(b"\r\n\r\n") < count:
            piece = connection.recv(65536)
            if not piece:
                raise Failure("the connection was closed after " + repr(got[-200:]))
            got += piece
        connection.settimeout(0.05)
        try:
            got += connection.recv(65536)
        except socket.timeout:
            pass
        return got


def prepare(server, root, path):
    """Checks a server's answers for a path. Returns ({"200": request, "304": request, "304 browser": request}, the 304)."""
    with open(root + path, "rb") as file:
        content = file.read()
    secure = server.transport == "https"
    connection = (http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=trusting()) if secure
                  else http.client.HTTPConnection("127.0.0.1", server.port, timeout=5))
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != 200 or answer.read() != content:
        raise Failure(f"{server.name}: {path}: a wrong answer: {answer.status}")
    etag, modified = answer.getheader("ETag"), answer.getheader("Last-Modified")
    connection.close()
    if not etag or not modified:
        raise Failure(f"{server.name}: {path}: no ETag or no Last-Modified")
    conditions = (f"If-None-Match: {etag}", f"If-Modified-Since: {modified}")
    requests = {
        "200": short_head(server.port, path),
        "304": short_head(server.port, path, conditions[:1]),
        "304 browser": browser_head(server.port, path, conditions),
    }
    if path == TEXT:
        del requests["304 browser"]  # which accepts codings, and those have tags of their own
    for kind in requests.keys() - {"200"}:
        answers = raw_exchange(server, requests[kind] * 16, 16)
        heads = answers.split(b"\r\n\r\n")
        if len(heads) != 17 or heads[16] or not all(head.startswith(b"HTTP/1.1 304 ") for head in heads[:16]):
            raise Failure(f"{server.name}: {path}: not sixteen 304s without a body: {answers[:400]!r}")
    other = raw_exchange(server, short_head(server.port, path, ('If-None-Match: "other"',)), 1)
    if not other.startswith(b"HTTP/1.1 200 "):
        raise Failure(f"{server.name}: {path}: another tag does not give 200: {other[:100]!r}")
    return requests, heads[0] + b"\r\n\r\n"


def curl(server, path, *options):
    """(status, fields with names in small letters, body) over HTTP/2; of fields that stand twice, the last."""
    scheme, how = ("https", ["--http2", "-k"]) if server.transport == "https" else ("http", ["--http2-prior-knowledge"])
    done = subprocess.run(["curl", "-q", "-sS", "-i", "--noproxy", "*", *how, *options, f"{scheme}://127.0.0.1:{server.port}{path}"],
                          capture_output=True, check=False, timeout=10)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/2 "):
        raise Failure(f"{server.name}: {path}: no answer over HTTP/2: {lines[0]!r} {done.stderr!r}")
    return int(lines[0].split()[1]), {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}, body


def prepare_h2(server, root, path):
    """Checks a server's answers over HTTP/2. Returns the options of h2load for a 304."""
    with open(root + path, "rb") as file:
        content = file.read()
    status, fields, body = curl(server, path)
    if status != 200 or body != content or "etag" not in fields:
        raise Failure(f"{server.name}: {path}: over HTTP/2 a wrong answer: {status}")
    field = "If-None-Match: " + fields["etag"]
    if curl(server, path, "-H", field)[::2] != (304, b""):
        raise Failure(f"{server.name}: {path}: over HTTP/2 no 304")
    if curl(server, path, "-H", 'If-None-Match: "other"')[0] != 200:
        raise Failure(f"{server.name}: {path}: over HTTP/2 another tag does not give 200")
    scheme = "https" if server.transport == "https" else "http"
    return ["-H", field, f"{scheme}://127.0.0.1:{server.port}{path}"]


def prepare_coded(server, root, path):
    """Checks a server's coded answers. Returns {"200 coded": request, "304 coded": request}."""
    with open(root + path, "rb") as file:
        content = file.read()
    accept = "Accept-Encoding: gzip, deflate, br, zstd"
    decoders = {"br": ["brotli", "-dc"], "gzip": ["gzip", "-dc"], "zstd": ["zstd", "-dc"]}
    until = time.monotonic() + 10
    while True:  # a server may answer with the identity until it has a coded copy
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", path, headers={"Accept-Encoding": accept.partition(": ")[2]})
        answer = connection.getresponse()
        coding, etag, body = answer.getheader("Content-Encoding"), answer.getheader("ETag"), answer.read()
        connection.close()
        if coding in decoders:
            break
        if time.monotonic() > until:
            raise Failure(f"{server.name}: {path}: never coded")
        time.sleep(0.2)
    if subprocess.run(decoders[coding], input=body, capture_output=True, check=False).stdout != content:
        raise Failure(f"{server.name}: {path}: {coding} does not decode to the file")
    not_modified = short_head(server.port, path, (accept, f"If-None-Match: {etag}"))
    got = raw_exchange(server, not_modified, 1)
    if not got.startswith(b"HTTP/1.1 304 ") or not got.endswith(b"\r\n\r\n"):
        raise Failure(f"{server.name}: {path}: no 304 for the tag {etag} of {coding}: {got[:200]!r}")
    return {"200 coded": short_head(server.port, path, (accept,)), "304 coded": not_modified}


def whole_answer(server, request, length):
    """One answer with a body of `length` octets, head and body."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
        connection.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got or len(got) < got.index(b"\r\n\r\n") + 4 + length:
            piece = connection.recv(65536)
            if not piece:
                raise Failure(f"{server.name}: the connection was closed within an answer")
            got += piece
        return got


def versions(names, build):
    """{name: version line}."""
    found = {}
    for name in names:
        if name == "floor":
            continue
        program = os.path.join(build, "stet") if name == "stet" else os.path.join(TOP, "build", "peers", "bin", name)
        flag = {"stet": "--version", "varnishd": "-V"}.get(name, "-v")
        text = subprocess.run([program, flag], capture_output=True, check=False, text=True)
        line = (text.stdout + text.stderr).strip().splitlines()[:1]
        number = re.search(r"[0-9]+\.[0-9.]+", line[0]) if line else None
        found[name] = number.group() if number else "of unknown version"
    return found


def require(names, build):
    """Fails if a program is missing."""
    for name in names:
        if name == "floor":
            continue
        program = os.path.join(build, "stet") if name == "stet" else os.path.join(TOP, "build", "peers", "bin", name)
        if shutil.which(program) is None:
            raise Failure(f"{program} is missing: run make build, and tools/peers with its name")
