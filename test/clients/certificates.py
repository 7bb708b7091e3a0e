# SPDX-License-Identifier: MIT
"""
Certificates that are replaced under load: while clients ask over kept connections, over new ones and over HTTP/2, certificate and key are replaced ten
times. No request is lost, what was established goes on, and each new certificate is the one that new connections get. A pair that does not fit
changes nothing.
"""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import support

TIMES = 10
KEPT, NEW = 4, 2  # clients with a connection that they keep, and with one for each request


def context():
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def presented(port):
    """The certificate that a new connection gets, as DER."""
    with socket.create_connection(("127.0.0.1", port), support.PATIENCE_S) as plain, context().wrap_socket(plain) as secure:
        return secure.getpeercert(True)


def der(path):
    with open(path, encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def replace(work, path, key_path, number):
    """Certificate and key together, each by rename, as tools do it. Returns the certificate."""
    new = [os.path.join(work, f"new.{name}.pem") for name in ("certificate", "key")]
    support.make_certificate(*new, "localhost", f"number-{number}.test")
    made = der(new[0])
    os.rename(new[1], key_path)
    os.rename(new[0], path)
    return made


class Load:
    """Clients that ask until they are told to stop. `answers` counts, `lost` holds what went wrong."""

    def __init__(self, port, tag):
        self.port, self.tag, self.answers, self.lost, self.stopping = port, tag, 0, [], False
        self.lock, self.context = threading.Lock(), context()
        self.threads = [threading.Thread(target=self.ask, args=(kept,)) for kept in [True] * KEPT + [False] * NEW]
        for thread in self.threads:
            thread.start()

    def ask(self, kept):
        connection, first = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=support.PATIENCE_S, context=self.context), None
        while not self.stopping:
            try:
                connection.request("GET", "/page.html", headers={"If-None-Match": self.tag})
                # A kept connection that was closed would be opened again by http.client itself.
                first = first or connection.sock
                answer = connection.getresponse()
                body = answer.read()
                good = (answer.status, body) == (304, b"") and (not kept or connection.sock is first)
                with self.lock:
                    self.answers += 1
                if not good:
                    self.lost.append(f"{answer.status}, {len(body)} octets, {'kept' if connection.sock is first else 'a new connection'}")
            except (OSError, http.client.HTTPException) as failure:
                self.lost.append(repr(failure))
            if not kept or self.lost:
                connection.close()
            if self.lost:
                return
        connection.close()

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(support.PATIENCE_S)


def until_presented(port, wanted):
    until = time.monotonic() + support.PATIENCE_S
    while (got := presented(port)) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    return got == wanted


def h2_load(port, tag):
    """h2load for as long as it takes: each second or so new connections, many streams."""
    command = ["h2load", "-n", "4000", "-c", "4", "-m", "16", "-H", "if-none-match: " + tag, f"https://127.0.0.1:{port}/page.html"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=support.PATIENCE_S)
    return " 4000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout and " 4000 3xx, " in done.stdout


def judge(tap, work, path, key):
    options = ("--cert", path, "--key", key)
    with support.folder({"page.html": support.PAGE}) as root, support.serving(root, *options, secure=True) as server:
        port = server.ports["https"]
        tag = support.get(server.port, "/page.html")[1]["etag"]
        reader = threading.Thread(target=drain, args=(server,), daemon=True)
        reader.start()
        load, seen, over_h2 = Load(port, tag), [], []
        for number in range(TIMES):
            made = replace(work, path, key, number)
            # Half of them as tools that renew certificates do it, half found by stet itself.
            if number % 2 == 0:
                server.process.send_signal(signal.SIGHUP)
            over_h2.append(h2_load(port, tag))
            seen.append(until_presented(port, made))
        support.make_certificate(os.path.join(work, "other.pem"), key, "localhost")  # its key is not that of the certificate
        server.process.send_signal(signal.SIGHUP)
        over_h2.append(h2_load(port, tag))
        load.stop()
        tap.same("each new certificate is presented", seen, [True] * TIMES)
        tap.same("a pair that does not fit changes nothing", presented(port) == made, True)
        tap.same("no request is lost on six connections", load.lost, [])
        tap.same("there were requests all the time", load.answers > 10 * TIMES, True)
        tap.same("none is lost over HTTP/2", over_h2, [True] * (TIMES + 1))
        tap.same("it ends in order", server.process.poll(), None)
        server.process.terminate()
        reader.join(support.PATIENCE_S)
        tap.same("with exit code 0", server.process.wait(support.PATIENCE_S), 0)


def drain(server):
    """Reads the log, so that the pipe never fills."""
    try:
        while True:
            server.line()
    except RuntimeError:
        return


def main():
    tap = support.Tap()
    with tempfile.TemporaryDirectory(prefix="stet-certificates-") as work:
        path, key = os.path.join(work, "certificate.pem"), os.path.join(work, "key.pem")
        support.make_certificate(path, key, "localhost")
        judge(tap, work, path, key)
    tap.finish()


if len(sys.argv) != 2:
    sys.exit("usage: certificates.py BINARY")
main()
