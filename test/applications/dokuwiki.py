# SPDX-License-Identifier: MIT
"""
DokuWiki, a PHP application, behind stet proxy: pages that set cookies and say no-store, a login by POST, an edited page, and
style sheets and scripts with tags of their own. Nothing of one visitor is seen by another, and assets come from the store.
"""

import os
import shutil
import subprocess
import tempfile

import behind

PREPEND = """<?php
define('DOKU_INC', '{site}/');
define('DOKU_CONF', '{site}/conf/');
define('DOKU_MAIN_CONF', '{site}/conf/');
"""
LOCAL = """<?php
$conf['title'] = 'Wiki behind a cache';
$conf['savedir'] = DOKU_INC . 'data';
$conf['useacl'] = 1;
$conf['superuser'] = 'admin';
$conf['authtype'] = 'authplain';
$conf['updatecheck'] = 0;
"""
LOGIN = """(() => { const form = document.getElementById('dw__login');
form.querySelector('[name=u]').value = 'admin'; form.querySelector('[name=p]').value = 'secret'; form.querySelector('button[type=submit]').click(); })()"""
EDIT = """(() => { const form = document.getElementById('dw__editform');
form.querySelector('textarea').value = '====== Kept ======\\nwritten through the proxy'; form.querySelector('[name="do[save]"]').click(); })()"""
USER = "document.querySelector('.user') ? document.querySelector('.user').textContent.trim() : null"


def install(work):
    """The package's tree as the upstream project lays it out, with a user `admin` whose password is `secret`."""
    peer, site = os.path.join(behind.TOP, "build", "peers", "dokuwiki"), os.path.join(work, "site")
    leave = shutil.ignore_patterns(".htaccess", "plugins", "tpl")
    shutil.copytree(os.path.join(peer, "usr/share/dokuwiki"), site, ignore=leave)
    for part in ("plugins", "tpl"):
        shutil.copytree(os.path.join(peer, "var/lib/dokuwiki/lib", part), os.path.join(site, "lib", part))
    shutil.copytree(os.path.join(peer, "var/lib/dokuwiki/data"), os.path.join(site, "data"))
    shutil.copytree(os.path.join(peer, "etc/dokuwiki"), os.path.join(site, "conf"),
                    ignore=shutil.ignore_patterns("acl.auth.php", "users.auth.php"))
    os.makedirs(os.path.join(site, "lib/plugins"), exist_ok=True)
    secret = subprocess.run(["php", "-r", "echo password_hash('secret', PASSWORD_BCRYPT);"], capture_output=True, text=True,
                            check=True).stdout
    for name, text in (("conf/local.php", LOCAL), ("conf/acl.auth.php", "# <?php exit()?>\n* @ALL 1\n* @user 8\n"),
                       ("conf/users.auth.php", f"# <?php exit()?>\nadmin:{secret}:Admin:admin@example.org:admin,user\n"),
                       ("../prepend.php", PREPEND.format(site=site))):
        with open(os.path.join(site, name), "w", encoding="ascii") as file:
            file.write(text)
    return site


def submit(browser, script):
    browser.events.clear()
    browser.evaluate(script)
    browser.wait_for("Page.loadEventFired")


def assets(records):
    return {record["target"].split("?")[0]: (record["status"], behind.hit(record)) for record in records
            if "/lib/" in record["target"] and "taskrunner" not in record["target"]}


def anonymous(tap, browser, proxy, url):
    browser.go(url)
    tap.same("the page is there", browser.evaluate("document.title"), "start [Wiki behind a cache]")
    tap.same("its script runs", browser.evaluate("typeof jQuery"), "function")
    first = assets(proxy.log())
    tap.same("assets come from the origin", {status for status, _ in first.values()}, {200})
    browser.call("Network.clearBrowserCache")
    browser.go(url)
    second = assets(proxy.log())
    named = [target for target in ("/lib/exe/css.php", "/lib/exe/js.php", "/lib/exe/jquery.php") if target in first]
    tap.same("another visitor gets them from the store", [second.get(target) for target in named], [(200, True)] * len(named))
    tap.same("there are three of them", len(named), 3)


def member(tap, browser, proxy, url):
    browser.go(url + "&do=login")
    submit(browser, LOGIN)
    tap.same("logged in", "Admin" in (browser.evaluate(USER) or ""), True)
    behind.picture(browser, "dokuwiki-member")
    browser.go(url + "&do=edit")
    submit(browser, EDIT)
    tap.same("the edited page is shown at once", "written through the proxy" in browser.evaluate("document.body.textContent"), True)
    status, fields, body = behind.get(proxy.port, "/doku.php?id=start")
    tap.same("a stranger sees the new text", (status, b"written through the proxy" in body), (200, True))
    tap.same("and is not logged in", b"Admin" in body, False)
    tap.same("and gets a session of their own", "DokuWiki=" in (fields["Set-Cookie"] or ""), True)
    tap.same("no page was stored", [record["target"] for record in proxy.seen
                                   if record["target"].startswith("/doku.php") and behind.hit(record)], [])
    browser.go(url)
    tap.same("still logged in", "Admin" in (browser.evaluate(USER) or ""), True)


def judge(tap, browser):
    with tempfile.TemporaryDirectory(prefix="stet-dokuwiki-") as work:
        site, port = install(work), behind.free_port()
        php = ["php", "-d", f"auto_prepend_file={work}/prepend.php", "-d", "display_errors=stderr", "-S", f"127.0.0.1:{port}", "-t", site]
        environment = {**os.environ, "PHP_CLI_SERVER_WORKERS": "4"}
        with behind.program(php, port, cwd=site, env=environment), behind.proxy(port) as proxy:
            url = f"http://127.0.0.1:{proxy.port}/doku.php?id=start"
            anonymous(tap, browser, proxy, url)
            member(tap, browser, proxy, url)


behind.run(judge)
