# SPDX-License-Identifier: MIT
"""The caches that bench/cache compares, each in front of the same origin and set up for its best speed and equal work.

Equal work: one worker (Varnish has a pool of threads, all on one CPU), everything kept in memory (nginx: files, which are in
the page cache, as there is no other store), no access log, connections kept on both sides. What is coded comes so from the origin, but for
"stet-coding", whose origin codes nothing: it is stet proxy that has made the coded copies itself.
"""

import http.client
import os
import shutil
import time

import servers

NGINX = """daemon off;
master_process off;
error_log stderr crit;
pid {work}/nginx.{port}.pid;
events {{ worker_connections 4096; multi_accept on; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    sendfile {sendfile};
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    proxy_cache_path {work}/nginx-cache-{port} levels=1:2 keys_zone=one:64m max_size=1g inactive=1h use_temp_path=off;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache one;
        }}
    }}
}}
"""

HAPROXY = """global
    nbthread 1
    maxconn 8192
    stats timeout 1h
    tune.bufsize 16384
defaults
    mode http
    timeout client 1h
    timeout server 1h
    timeout connect 5s
    timeout http-keep-alive 1h
cache one
    total-max-size {memory}
    max-object-size 1000000
    max-age 3600
frontend in
    bind 127.0.0.1:{port} backlog 4096
    http-request cache-use one
    http-response cache-store one
    default_backend out
backend out
    http-reuse always
    server origin 127.0.0.1:{origin}
"""

VARNISH = """vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}
"""

RECORDS = """CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.diags.output.status STRING E
CONFIG proxy.config.diags.output.warning STRING E
CONFIG proxy.config.http.insert_request_via_str INT 1
CONFIG proxy.config.http.insert_response_via_str INT 0
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 3600
CONFIG proxy.config.http.transaction_no_activity_timeout_in INT 3600
CONFIG proxy.config.http.cache.required_headers INT 2
CONFIG proxy.config.cache.ram_cache.size INT {memory}M
CONFIG proxy.config.cache.ram_cache.algorithm INT 1
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.body_factory.template_sets_dir STRING {base}/etc/body_factory
CONFIG proxy.config.admin.user_id STRING {user}
"""

RUNROOT = """prefix: {base}
exec_prefix: {base}
bindir: {peer}/usr/bin
sbindir: {peer}/usr/sbin
sysconfdir: {base}/etc
datadir: {base}/share
includedir: {base}/include
libdir: {peer}/usr/lib/trafficserver
libexecdir: {peer}/usr/lib/trafficserver/modules
localstatedir: {base}/var
runtimedir: {base}/run
logdir: {base}/log
mandir: {base}/man
infodir: {base}/info
cachedir: {base}/cache
"""

# What each may store: so little that one that is asked for new URIs is full within seconds, as one in use is.
MEMORY_MB = 64

NAMES = ["nginx", "nginx-sendfile", "varnish", "haproxy", "trafficserver"]
PROGRAMS = {"nginx": "nginx", "nginx-sendfile": "nginx", "varnish": "varnishd", "haproxy": "haproxy",
            "trafficserver": "traffic_server"}


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def traffic_server(work, port, origin):
    """Its folders are where runroot.yaml says. Returns the environment that tells it."""
    base = os.path.join(work, f"trafficserver.{port}")
    peer = os.path.join(servers.TOP, "build", "peers", "trafficserver")
    shutil.copytree(os.path.join(peer, "etc", "trafficserver"), os.path.join(base, "etc"))
    for folder in ("share", "var", "run", "log", "cache"):
        os.makedirs(os.path.join(base, folder))
    root = write(os.path.join(base, "runroot.yaml"), RUNROOT.format(base=base, peer=peer))
    # It refuses to run as root and changes to this user, who then needs the folders.
    user = "nobody" if os.getuid() == 0 else "#-1"
    write(os.path.join(base, "etc", "records.config"), RECORDS.format(port=port, user=user, base=base, memory=MEMORY_MB))
    write(os.path.join(base, "etc", "remap.config"), f"map / http://127.0.0.1:{origin}/\n")
    write(os.path.join(base, "etc", "storage.config"), f"{base}/cache {MEMORY_MB}M\n")
    write(os.path.join(base, "etc", "ip_allow.yaml"),
          "ip_allow:\n  - apply: in\n    ip_addrs: 0/0\n    action: allow\n    methods: ALL\n")
    if user == "nobody":
        os.chmod(work, 0o755)
        for folder, _, files in os.walk(base):
            for name in ["", *files]:
                shutil.chown(os.path.join(folder, name), user)
    return root


class Fleet(servers.Fleet):
    """Caches on one CPU, their origin (stet serve) on another."""

    def __init__(self, work, build, cpu, origin_cpu):
        super().__init__(work, build, cpu)
        self.origin_cpu = origin_cpu
        # Only the text is coded, and that from the first answer on: a cache that is given it as it is keeps that for an hour.
        self.origin = self.start_origin("origin", origin_cpu, "--coding-min", "4K", "--coding-max", "64K")
        for coding in ("gzip", "br", "zstd"):
            self.wait_coded(coding)
        self.plain = None

    def wait_coded(self, coding):
        until = time.monotonic() + 10
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.origin.port, timeout=5)
            connection.request("GET", servers.TEXT, headers={"Accept-Encoding": coding})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            if answer.getheader("Content-Encoding") == coding:
                return
            if time.monotonic() > until:
                raise servers.Failure(f"the origin makes no copy in {coding}")
            time.sleep(0.05)

    def start_origin(self, name, cpu, *options):
        port = servers.free_port()
        command = [os.path.join(self.build, "stet"), "serve", self.root, "--workers", "1", "--listen", f"127.0.0.1:{port}",
                   "--cache", "/**=public, max-age=3600", *options]
        server = servers.Server(name, command, port, cpu, os.path.join(self.work, name + ".out"))
        self.running.append(server)
        return server

    def command(self, name, port, transport, answer):
        work, origin = self.work, self.origin.port
        peers = os.path.join(servers.TOP, "build", "peers", "bin")
        program = os.path.join(peers, PROGRAMS.get(name, ""))
        if name in ("stet", "stet-coding"):
            behind = origin
            if name == "stet-coding":
                self.plain = self.plain or self.start_origin("plain", self.origin_cpu, "--codings", "none")
                behind = self.plain.port
            return [os.path.join(self.build, "stet"), "proxy", f"http://127.0.0.1:{behind}", "--workers", "1",
                    "--listen", f"127.0.0.1:{port}", "--memory", f"{MEMORY_MB}M"]
        if name == "stet-serve":
            return [os.path.join(self.build, "stet"), "serve", self.root, "--workers", "1", "--listen",
                    f"127.0.0.1:{port}", "--cache", "/**=public, max-age=3600"]
        if name.startswith("nginx"):
            text = NGINX.format(work=work, port=port, origin=origin, sendfile="on" if name == "nginx-sendfile" else "off")
            return [program, "-p", work, "-e", "stderr", "-c", write(os.path.join(work, f"{name}.{port}.conf"), text)]
        if name == "haproxy":
            text = HAPROXY.format(port=port, origin=origin, memory=MEMORY_MB)
            return [program, "-db", "-f", write(os.path.join(work, f"{name}.{port}.cfg"), text)]
        if name == "varnish":
            text = write(os.path.join(work, f"{name}.{port}.vcl"), VARNISH.format(origin=origin))
            return [program, "-F", "-j", "none", "-n", os.path.join(work, f"varnish.{port}"), "-a", f"127.0.0.1:{port}",
                    "-f", text, "-s", f"malloc,{MEMORY_MB}m", "-p", "thread_pools=1", "-p", "thread_pool_min=100",
                    "-p", "timeout_idle=3600"]
        root = traffic_server(work, port, origin)
        return ["env", f"TS_RUNROOT={root}", program]
