# SPDX-License-Identifier: MIT
"""
Headless Chromium, driven over the pipe of its DevTools protocol (--remote-debugging-pipe): JSON messages that end with NUL, to its
descriptor 3 and from its descriptor 4. No driver and no package is needed.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import support

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
    "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-default-apps", "--metrics-recording-only", "--no-proxy-server", "--mute-audio", "--window-size=900,700",
    # No names are looked up, so nothing leaves the machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
]


class Failure(Exception):
    """The browser did not do what it was told."""


def high_pipe():
    """A pipe whose descriptors are 10 or more."""
    ends = []
    for low in os.pipe():
        ends.append(fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(low)
    return ends


class Chromium:
    """One browser with one page, in a profile of its own."""

    def __init__(self, flags=()):
        self.home = tempfile.mkdtemp(prefix="stet-chromium-")
        # All four above the numbers 3 and 4, which the shell gives to copies of two of them.
        to_read, self.to = high_pipe()
        self.come, come_write = high_pipe()
        shell = f"exec chromium \"$@\" 3<&{to_read} 4>&{come_write} {to_read}<&- {come_write}>&-"
        environment = {**support.clean_environment(), "HOME": self.home}
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(["bash", "-c", shell, "chromium", *FLAGS, *flags, "--user-data-dir=" + self.home, "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        pass_fds=(to_read, come_write), env=environment, start_new_session=True)
        os.close(to_read)
        os.close(come_write)
        self.rest, self.events, self.last_id, self.session = b"", [], 0, None
        try:
            target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
            self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
            self.call("Page.enable")
        except (Failure, OSError, StopIteration):
            self.close()
            raise

    def message(self):
        until = time.monotonic() + support.PATIENCE_S
        while b"\0" not in self.rest:
            readable, _, _ = select.select([self.come], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.come, 1 << 20) if readable else b""
            if not piece:
                raise Failure("chromium ended" if readable else "chromium does not answer")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """Calls a method of the protocol. Returns its result."""
        self.last_id += 1
        call = {"id": self.last_id, "method": method, "params": parameters}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.to, json.dumps(call).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.last_id:
                if "error" in message:
                    raise Failure(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, event):
        """Until this event comes, or has come since the last navigation."""
        while not any(message.get("method") == event for message in self.events):
            self.events.append(self.message())

    def load(self, method, **parameters):
        self.events.clear()
        self.call(method, **parameters)
        self.wait_for("Page.loadEventFired")

    def go(self, url):
        self.load("Page.navigate", url=url)

    def reload(self):
        """What the reload button does."""
        self.load("Page.reload", ignoreCache=False)

    def follow(self, path):
        """Clicks the link that leads to this path, decoded."""
        self.events.clear()
        found = "[...document.links].find((link) => decodeURIComponent(new URL(link.href).pathname) === " + json.dumps(path) + ")"
        self.evaluate(found + ".click()")
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        """The value of a JavaScript expression; of a promise, what it comes to."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(support.PATIENCE_S)
        except (Failure, OSError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.to)
        os.close(self.come)
        shutil.rmtree(self.home, ignore_errors=True)
