# SPDX-License-Identifier: MIT
"""
What the origin of these tests has, as pure functions of a path and a time, so that whoever gets an answer can say what it has
to be. Every answer of the origin says in Origin-Is what it is: path, version, language, user and length. The octets of its body
follow from exactly that, so octets of another URL, version, language or user cannot pass for it.

    /r/NUMBER     resources: the number decides validators, lifetime, size, framing, Vary and whether it is somebody's own
    /p/NUMBER     answers POST with a sum of what was posted
"""

import binascii
import functools
import hashlib
import random
import re

USERS = ["ada", "ben", "cleo", "dan", "eve", "fay"]
LANGUAGES = ["en", "de", "fr"]
NOBODY = "-"
VERSION_S = 1.5  # so long a version lasts
EPOCH_S = 1_500_000_000  # Last-Modified of version 0
HOSTILE = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"  # stands in bodies, where it must never be taken for a request

SIZES = [0, 1, 300, 2000, 15000, 40000, 120000, 500000]
SIZE_WEIGHTS = [2, 3, 40, 25, 14, 8, 6, 2]
LIFETIMES = ["max-age=0", "max-age=1", "max-age=2", "max-age=3", "s-maxage=2, max-age=0", "max-age=1, must-revalidate",
             "max-age=2, must-revalidate", "max-age=1, stale-while-revalidate=3", "max-age=1, stale-if-error=5", "no-cache", "",
             "max-age=2, proxy-revalidate", "max-age=60"]
OWN = ["private", "private, max-age=3", "no-store", "authorization", "set-cookie", "vary-cookie"]


class Resource:
    """What a number stands for; the same in every process."""

    def __init__(self, number):
        chance = random.Random(f"resource {number}")
        self.path = f"/r/{number}"
        self.validators = chance.choice(["strong", "weak", "date", "both", "none"])
        self.size = chance.choices(SIZES, SIZE_WEIGHTS)[0]
        self.framing = chance.choice(["length", "length", "chunked", "close"])
        self.lifetime = chance.choice(LIFETIMES)
        self.own = chance.choice(OWN) if chance.random() < 0.25 else ""
        self.vary = chance.choice(["", "", "", "Accept-Language", "*"]) if not self.own else ""
        self.trailers = self.framing == "chunked" and chance.random() < 0.3
        self.group = chance.choice(["", "red", "blue"])
        self.offset_s = chance.random() * VERSION_S

    def version(self, now_s):
        return int((now_s + self.offset_s) / VERSION_S)

    def strict_s(self):
        """How long after the origin's last word it may be served without asking; None: that is not so clear."""
        match = re.fullmatch(r"max-age=(\d+), (?:must|proxy)-revalidate", self.lifetime)
        return int(match.group(1)) if match and not self.own else None

    def control(self):
        return {"": self.lifetime, "authorization": "max-age=3", "set-cookie": "", "vary-cookie": "max-age=3"}.get(self.own, self.own)

    def tells_when_headed(self):
        """A cache updates what it has from a HEAD that contradicts nothing (RFC 9111 4.3.5), so such a one says nothing."""
        return self.validators != "none" or self.framing == "length"


@functools.lru_cache(maxsize=4096)
def resource(number):
    return Resource(number)


class Is:
    """One representation: what Origin-Is says."""

    def __init__(self, path, version, language, user, length):
        self.path, self.version, self.language, self.user, self.length = path, version, language, user, length

    def __str__(self):
        return f"{self.path} {self.version} {self.language} {self.user} {self.length}"

    @staticmethod
    def parse(text):
        match = re.fullmatch(r"(\S+) (\d+) (\S+) (\S+) (\d+)", text)
        return Is(match.group(1), int(match.group(2)), match.group(3), match.group(4), int(match.group(5))) if match else None

    def body(self):
        return body_of(str(self))

    def tag(self):
        thing = resource(int(self.path.rsplit("/", 1)[1]))
        opaque = '"' + hashlib.md5(str(self).encode()).hexdigest()[:12] + '"'
        return {"strong": opaque, "both": opaque, "weak": "W/" + opaque}.get(thing.validators)

    def modified_s(self):
        thing = resource(int(self.path.rsplit("/", 1)[1]))
        return EPOCH_S + self.version if thing.validators in ("date", "both") else None


@functools.lru_cache(maxsize=256)
def body_of(text):
    length = int(text.rsplit(" ", 1)[1])
    start = text.encode() + b"\n" + (HOSTILE if length > 250 else b"")
    return (start + hashlib.shake_128(text.encode()).digest(max(0, length - len(start))))[:length]


def selected(thing, now_s, language, user):
    """The representation that the origin selects. No two versions have one length."""
    version = thing.version(now_s)
    language = language if thing.vary else NOBODY
    user = user if thing.own else NOBODY
    spread = version * 64 + (LANGUAGES.index(language) if language in LANGUAGES else 3) * 8
    spread += USERS.index(user) if user in USERS else 6
    return Is(thing.path, version, language, user, thing.size + spread % 60000 if thing.size > 1 else thing.size)


def digest(octets):
    return f"{binascii.crc32(octets):08x}"
