# SPDX-License-Identifier: MIT
"""
A plain nginx behind stet proxy: a page with its assets is fetched from the origin once; a second visitor with an empty cache gets hits; a
reload gets 304s; after an edit and the lifetime is over, the new file is there.
"""

import os
import tempfile

import behind

CONFIGURATION = """daemon off;
master_process off;
error_log stderr crit;
pid {work}/nginx.pid;
events {{ }}
http {{
    access_log {work}/access.log;
    types {{ text/html html; text/css css; application/javascript js; image/svg+xml svg; }}
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {work}/root;
        location ~ [.]css$ {{ expires 1h; }}
        location ~ [.]js$ {{ add_header Cache-Control no-cache; }}
    }}
}}
"""
FILES = {
    "index.html": b"<!doctype html><meta charset=utf-8><title>nginx</title><link rel=icon href='data:,'>"
                  b"<link rel=stylesheet href=one.css><script src=two.js></script><p id=text>text</p><img id=three src=three.svg>",
    "one.css": b"#text { color: rgb(1, 2, 3); }\n",
    "two.js": b"window.two = 'second';\n",
    "three.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="61" height="60"><rect width="61" height="60"/></svg>',
}
SEEN = "[getComputedStyle(document.getElementById('text')).color, window.two, document.getElementById('three').naturalWidth]"


def statuses(records):
    return {record["target"]: (record["status"], behind.hit(record)) for record in records}


def judge(tap, browser):
    with tempfile.TemporaryDirectory(prefix="stet-nginx-") as work:
        os.mkdir(os.path.join(work, "root"))
        for name, content in FILES.items():
            path = os.path.join(work, "root", name)
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path, (1_700_000_000, 1_700_000_000))
        os.chmod(work, 0o755)
        port = behind.free_port()
        configuration = os.path.join(work, "nginx.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(work=work, port=port))
        nginx = os.path.join(behind.TOP, "build", "peers", "bin", "nginx")
        with behind.program([nginx, "-p", work, "-e", "stderr", "-c", configuration], port, cwd=work), behind.proxy(port) as proxy:
            visits(tap, browser, proxy)


def visits(tap, browser, proxy):
    url = f"http://127.0.0.1:{proxy.port}/"
    browser.go(url)
    tap.same("the page is whole", browser.evaluate(SEEN), ["rgb(1, 2, 3)", "second", 61])
    tap.same("at first everything comes from the origin", statuses(proxy.log()),
             {target: (200, False) for target in ("/", "/one.css", "/two.js", "/three.svg")})
    browser.call("Network.clearBrowserCache")
    browser.go(url + "?")
    tap.same("a visitor with an empty cache sees the same page", browser.evaluate(SEEN), ["rgb(1, 2, 3)", "second", 61])
    records = statuses(proxy.log())
    tap.same("from the store, but for what must be validated", {target: records.get(target) for target in ("/one.css", "/two.js", "/three.svg")},
             {"/one.css": (200, True), "/two.js": (200, False), "/three.svg": (200, True)})
    browser.reload()
    tap.same("reloaded, it is the same", browser.evaluate(SEEN), ["rgb(1, 2, 3)", "second", 61])
    tap.same("with 304s", sorted(set(record["status"] for record in proxy.log())), [304])
    status, fields, body = behind.get(proxy.port, "/three.svg", Range="bytes=0-3")
    tap.same("a range comes from the store", (status, body, "hit" in fields["Cache-Status"]), (206, b"<svg", True))


behind.run(judge)
