# SPDX-License-Identifier: MIT
"""
What an answer may be. Every rule here holds whatever the origin did, so an answer that breaks one is a finding:

    a body is that of the URL, version, language and user that its head names, to the last octet, and never cut but complete
    nothing of one user's own reaches another
    a 304 only for a condition that was sent, with a tag that was sent and is one of that URL
    a part, and a 304 that names no tag, may be passed on as they came: their heads say what they are; as a hit never
    a hit has an Age, and where the origin forbids stale answers, it is not stale
    what the proxy answers by itself is an error of those that it may make
"""

import re
import time

import world

# What the proxy, or an early origin, says without Origin-Is.
ERRORS = {400, 405, 408, 411, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505}
SLACK_S = 2.0  # ages are sums of two times in whole seconds: how long the answer took, and how long it has been here


def named_by_origin(answer):
    """
    One variant was offered for a request that selects none, and the origin said 304 without naming a tag, which can mean that one
    only. Here that was a lie. It may answer this request; as a hit, never.
    """
    # "collapsed": it had waited for another one's answer before it asked.
    return bool(re.search("fwd=vary-miss;fwd-status=304;(collapsed;)?detail=validated", answer.get("cache-status") or ""))


class Asked:
    """A request, as far as it matters for the answer."""

    def __init__(self, method, path, user):
        self.method, self.path, self.user = method, path, user
        self.language = "en"
        self.fields = []
        self.tags, self.since, self.if_match, self.range = None, False, False, None
        self.body, self.chunked, self.expect, self.minor = None, False, False, 1
        self.sent_s = 0.0

    def __str__(self):
        return f"{self.method} {self.path} HTTP/1.{self.minor} of {self.user} {self.fields}"


class Judge:
    def __init__(self, origin):
        self.origin = origin
        self.tags = {}  # path: the tags that answers had
        self.dates = {}
        self.counts = {}
        self.findings = []

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    def failed(self, why):
        kind = why.split("\n")[0]
        self.count("finding: " + kind)
        if self.counts["finding: " + kind] <= 3:
            self.findings.append(why)

    def judge(self, asked, answer):
        """None of an answer: the connection was closed."""
        if answer is None:
            self.count("closed")
            return
        self.count(answer.status if answer.complete else "cut")
        why = self.wrong(asked, answer)
        if why:
            self.failed(f"{why}\n  asked: {asked}\n  got: {answer.status} {answer.fields} {len(answer.body)} octets"
                        f"{'' if answer.complete else ', cut'}")

    def wrong(self, asked, answer):
        """Why the answer may not be, or nothing."""
        status = answer.get("cache-status") or ""
        hit = re.search(r"stet[^,]*;\s*hit", status)
        for word in ("hit", "collapsed", "stored"):
            if re.search(rf"stet[^,]*;\s*{word}", status):
                self.count(word)
        if hit and answer.get("age") is None:
            return "a hit without Age"
        if answer.interims and asked.minor == 0:
            return "an interim answer to HTTP/1.0"
        if answer.status == 304:
            return self.wrong_304(asked, answer, hit) or self.wrong_head(asked, answer, hit)
        if answer.status in (200, 206):
            return self.wrong_head(asked, answer, hit) or self.wrong_body(asked, answer, hit)
        return self.wrong_error(asked, answer)

    @staticmethod
    def wrong_error(asked, answer):
        if answer.status == 412 and asked.if_match or answer.status == 416 and asked.range:
            return ""
        if answer.status not in ERRORS and not (answer.status == 204 and not answer.body):
            return "a status that nobody has a reason for"
        if b"evil" in answer.body or answer.get("origin-is") == "surplus":
            return "surplus octets became an answer"
        return ""

    def wrong_304(self, asked, answer, hit):
        if asked.method not in ("GET", "HEAD") or asked.tags is None and not asked.since:
            return "a 304 that nobody asked for"
        if asked.tags is None or asked.tags == ["*"]:
            return ""
        tag = answer.get("etag")
        if tag is None:
            return "a hit with 304 for tags that has none" if hit else ""
        if tag.removeprefix("W/") not in [one.removeprefix("W/") for one in asked.tags]:
            return "a 304 with a tag that was not asked about"
        return "" if tag.removeprefix("W/") in self.tags.get(asked.path, ()) else "a 304 with a tag that is none of this URL"

    def wrong_head(self, asked, answer, hit):
        text = answer.get("origin-is")
        if text is None:
            return "" if answer.status == 304 or asked.method == "HEAD" else "an answer that does not say what it is"
        if asked.path.startswith("/p/") or asked.method not in ("GET", "HEAD"):
            return ""
        what = world.Is.parse(text)
        if not what:
            return "an answer of an origin that was not asked"
        if what.path != asked.path:
            return "the answer of another URL"
        if what.user not in (world.NOBODY, asked.user):
            return "what is another user's own"
        thing = world.resource(int(what.path[3:]))
        if thing.vary == "Accept-Language" and what.language != asked.language and not named_by_origin(answer):
            return "the answer in another language"
        if "set-cookie" in answer.fields and answer.get("set-cookie") != f"seen={what.user}":
            return "another user's cookie"
        return self.wrong_tag(what, answer) or self.wrong_age(thing, what, asked, answer, hit)

    def wrong_tag(self, what, answer):
        tag = answer.get("etag")
        if what.tag() and tag != what.tag():
            return f"a tag that is not that of what it is, {what.tag()}"
        if tag:
            self.tags.setdefault(what.path, set()).add(tag.removeprefix("W/"))
        if answer.get("last-modified"):
            self.dates[what.path] = answer.get("last-modified")
        return ""

    def wrong_age(self, thing, what, asked, answer, hit):
        limit_s = thing.strict_s()
        if limit_s is None or not hit:
            return ""
        confirmed_s = max(self.origin.confirmed.get(str(what), 0), self.origin.any_confirmed.get(what.path, 0))
        stale_s = asked.sent_s - confirmed_s - limit_s
        self.count("strict")
        return f"stale by {stale_s:.1f} s, and that is forbidden" if stale_s > SLACK_S else ""

    def wrong_body(self, asked, answer, hit):
        text = answer.get("origin-is")
        if asked.method == "HEAD":
            return ""
        if asked.path.startswith("/p/") and asked.method == "POST":
            wanted = b"posted " + world.digest(asked.body or b"").encode()
        elif asked.method != "GET":
            wanted = b"did it"
        else:
            wanted = world.Is.parse(text).body()
        if answer.status == 206:
            return self.wrong_part(asked, answer, wanted, hit)
        if not wanted.startswith(answer.body):
            return "another body"
        if answer.complete and len(answer.body) != len(wanted):
            return f"a complete body of {len(answer.body)} octets, where there are {len(wanted)}"
        return ""

    @staticmethod
    def wrong_part(asked, answer, whole, hit):
        if not asked.range:
            return "a hit with a part that nobody asked for" if hit else ""
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.get("content-range") or "")
        if not match:
            return "" if (answer.get("content-type") or "").startswith("multipart/byteranges") else "a part of nothing"
        first, last, length = (int(number) for number in match.groups())
        if length != len(whole) or not first <= last < length:
            return "a part of another whole"
        wanted = whole[first:last + 1]
        shorter = answer.complete and len(answer.body) < len(wanted) and (hit or answer.get("misdeed") != "false-206")
        if not wanted.startswith(answer.body) or shorter:
            return "a part that is not what it says"
        return ""
