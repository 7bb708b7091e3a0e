# SPDX-License-Identifier: MIT
"""
One cell of the matrix: a resource, a client, a method and a content coding. The walk through it:

    200 in this coding, with a tag of its own          (RFC 9110 8.8.3: a tag is of one representation)
    304 with the same tag, no content, Vary            (15.4.5)
    tags of the other codings                          (12.5.3, 13.1.2: who may not have a coding does not get its 304)
    If-Match, If-Range and Range on the coded octets   (13.1.1, 13.1.5, 14.2)
    changed content: 200 with another tag, then 304 with that

A cell gathers what is wrong in sentences; none is what it should come to.
"""

import re
import time

import wire

CODINGS = ["identity", "gzip", "br", "zstd"]
CODED_IN_S = 20  # so long may making a coded copy take
NO_SUCH = '"00000000"'


def base_of(tag):
    """The tag without our coding and fingerprint: W/"x;br-0123abcd" becomes W/"x"."""
    return re.sub(r";(identity|gzip|br|zstd)-[0-9a-f]{8}\"$", '"', tag)


def opaque(tag):
    """What stands between the quotes."""
    return tag.removeprefix("W/").strip('"')


class Resource:
    """What is asked for: its content can be changed, subclasses say how. `fresh`: a cache need not ask before it serves it."""

    fresh = False

    def __init__(self, path, content):
        self.path, self.content = path, content

    def change(self, content):
        raise NotImplementedError


class Cell:
    """The walk. `weak`: the tags of the representation are weak, so those of its copies are."""

    def __init__(self, client, resource, method, coding, weak=False):
        self.client, self.resource, self.method, self.coding, self.weak = client, resource, method, coding, weak
        self.at_origin = True  # whoever answers is the origin; a cache passes If-Match on to it
        self.matches = not weak  # whether the origin says that a tag matches strongly
        self.problems = []
        self.tags = {}  # of each coding, as GET has them
        self.answer = None  # the GET in this coding

    def check(self, what, got, wanted):
        if got != wanted:
            self.problems.append(f"{what}: {str(got)[:200]!r} instead of {str(wanted)[:200]!r}")

    def ask(self, method=None, accept=None, **fields):
        """accept: codings, or None for this cell's own. Names of fields with _ for -."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.client.ask(method or self.method, self.resource.path, {"Accept-Encoding": accept or self.coding, **named})

    def settle(self, coding):
        """GET until a kept copy comes: a server may send the identity, or code while it sends, until it has one."""
        until = time.monotonic() + CODED_IN_S
        while True:
            answer = self.ask("GET", coding)
            kept = answer.coding == coding and f";{coding}-~" not in (answer.tag or "")
            if kept or answer.status != 200 or time.monotonic() > until:
                return answer
            # What is waited for is another thread of the server; nothing tells from outside when it is ready.
            time.sleep(0.01)

    def run(self):
        """Walks. Returns the problems."""
        try:
            self.walk()
        except (wire.Failure, OSError, ValueError, TypeError, AttributeError) as failure:
            self.problems.append(f"{type(failure).__name__}: {failure}")
        return self.problems

    def walk(self):
        self.gather()
        if self.problems:
            return
        self.whole()
        self.not_modified()
        self.other_codings()
        self.suffixes()
        self.if_match()
        if self.method == "GET":
            self.ranges()
        self.changed()

    def gather(self):
        """The tag of each coding."""
        for coding in CODINGS:
            answer = self.settle(coding)
            self.check(f"GET in {coding}", (answer.status, answer.coding), (200, coding))
            self.check(f"decoded {coding}", answer.decoded() == self.resource.content, True)
            self.tags[coding] = answer.tag or ""
            if coding == self.coding:
                self.answer = answer
        self.check("each coding has its own tag", len(set(self.tags.values())), len(CODINGS))
        self.check("all tags are of one kind", [tag.startswith("W/") for tag in self.tags.values()], [self.weak] * len(CODINGS))
        self.check("all tags have one base", len({base_of(tag) for tag in self.tags.values()}), 1)

    def whole(self):
        answer = self.ask()
        self.check("200", (answer.status, answer.coding, answer.tag), (200, self.coding, self.tags[self.coding]))
        self.check("Vary of the 200", answer.varies(), True)
        self.check("the length", answer.get("content-length"), str(len(self.answer.body)))
        self.check("the content", answer.body, self.answer.body if self.method == "GET" else b"")

    def is_not_modified(self, what, answer, tag):
        self.check(what, (answer.status, answer.tag), (304, tag))
        self.check(what + ": content", answer.body, b"")
        self.check(what + ": Vary", answer.varies(), True)
        self.check(what + ": length", answer.get("content-length") in (None, str(len(self.answer.body))), True)

    def is_whole(self, what, answer, coding=None):
        """200 in the cell's coding, or in another."""
        coding = coding or self.coding
        self.check(what, (answer.status, answer.coding, answer.tag), (200, coding, self.tags[coding]))
        self.check(what + ": Vary", answer.varies(), True)

    def not_modified(self):
        tag = self.tags[self.coding]
        weak = "W/" + tag.removeprefix("W/")
        self.is_not_modified("the same tag", self.ask(If_None_Match=tag), tag)
        self.is_not_modified("the same tag, weakened", self.ask(If_None_Match=weak), tag)
        self.is_not_modified("a list with the tag", self.ask(If_None_Match=f"{NO_SUCH}, {tag}"), tag)
        self.is_not_modified("*", self.ask(If_None_Match="*"), tag)
        self.is_whole("another tag", self.ask(If_None_Match=NO_SUCH))

    def other_codings(self):
        """The copy that the client holds is taken if it is acceptable (12.5.3), whichever the server likes best."""
        own = self.tags[self.coding]
        for coding in CODINGS:
            if coding == self.coding:
                continue
            both = f"{coding}, {self.coding}"
            self.is_not_modified(f"held, {coding} accepted too", self.ask(accept=both, If_None_Match=own), own)
            answer = self.ask(If_None_Match=self.tags[coding])
            if coding == "identity":
                # Acceptable without being named.
                self.is_not_modified("the identity is held", answer, self.tags[coding])
                answer = self.ask(accept=f"{self.coding}, identity;q=0", If_None_Match=self.tags[coding])
            self.is_whole(f"{coding} is held, but not acceptable", answer)
        everything = ", ".join(tag for coding, tag in self.tags.items() if coding != self.coding and coding != "identity")
        self.is_whole("only tags of other codings", self.ask(If_None_Match=everything))

    def suffixes(self):
        """A tag with an old fingerprint is as good for a weak comparison; others' suffixes are known."""
        tag, base = self.tags[self.coding], self.tags["identity"]
        if self.coding == "identity":
            return
        old = f'{base.removesuffix(chr(34))};{self.coding}-00000000"'
        self.is_not_modified("an old fingerprint", self.ask(If_None_Match=old), old)
        for form in ("-{}", ";{}"):
            foreign = base.removesuffix('"') + form.format(self.coding) + '"'
            answer = self.ask(If_None_Match=foreign)
            self.check("the foreign tag " + foreign, answer.status, 304)
            answer = self.ask(accept="identity", If_None_Match=foreign)
            self.check(f"the foreign tag {foreign} of a coding that is not acceptable", (answer.status, answer.coding), (200, "identity"))
        self.check("and then the tag is as before", self.ask().tag, tag)

    def if_match(self):
        """Strong comparison (13.1.1)."""
        tag = self.tags[self.coding]
        self.check("If-Match with the tag", self.ask(If_Match=tag).status, 200 if self.matches else 412)
        self.check("If-Match with another tag", self.ask(If_Match=NO_SUCH).status, 412)
        if self.at_origin:
            for coding, other in self.tags.items():
                if coding not in (self.coding, "identity"):
                    self.check(f"If-Match with the tag of {coding}", self.ask(If_Match=other).status, 412)
        # What the origin answered with took the place of what was stored: its coded copies have to be made again.
        self.settle(self.coding)

    def ranges(self):
        """Of the coded octets (14.2); If-Range takes a strong tag only (13.1.5)."""
        octets, tag = self.answer.body, self.tags[self.coding]
        size = len(octets)
        for what, field, first, last in (("first", "bytes=0-9", 0, 9), ("inner", "bytes=7-40", 7, 40), ("last", "bytes=-5", size - 5, size - 1)):
            conditions = [("", {})] if self.weak else [("", {}), (" with If-Range", {"If_Range": tag})]
            for how, fields in conditions:
                part = self.ask(Range=field, **fields)
                self.check(f"the {what} octets{how}", (part.status, part.get("content-range"), part.tag),
                           (206, f"bytes {first}-{last}/{size}", tag))
                if part.coding != "identity" or not how:  # who sends If-Range has the other fields (15.3.7)
                    self.check(f"the {what} octets{how}: coding", part.coding, self.coding)
                self.check(f"the {what} octets{how}: content", part.body, octets[first:last + 1])
                self.check(f"the {what} octets{how}: Vary", part.varies(), True)
        weakened = "W/" + tag.removeprefix("W/")
        wrong = [NO_SUCH, weakened, *(other for coding, other in self.tags.items() if coding not in (self.coding, "identity"))]
        for other in wrong:
            self.is_whole(f"If-Range {other}", self.ask(Range="bytes=0-9", If_Range=other))
        beyond = self.ask(Range=f"bytes={size}-")
        self.check("beyond the end", (beyond.status, beyond.get("content-range"), beyond.varies()), (416, f"bytes */{size}", True))

    def change(self):
        self.resource.change(self.resource.content[::-1] + b"changed\n")
        # What is fresh stays, unless a client insists (RFC 9111 5.2.1.4): so this one does.
        for coding in CODINGS if self.resource.fresh else []:
            self.ask("GET", coding, Cache_Control="no-cache")

    def changed(self):
        before, self.tags = self.tags, {}
        self.change()
        first = self.ask("GET", If_None_Match=", ".join(before.values()))
        self.check("changed: old tags", (first.status, first.decoded() == self.resource.content), (200, True))
        self.answer = self.settle(self.coding)
        self.tags[self.coding] = tag = self.answer.tag
        self.check("changed: another tag", tag in before.values() or base_of(tag) == base_of(before[self.coding]), False)
        self.check("changed: the content", self.answer.decoded() == self.resource.content, True)
        self.whole()
        self.is_not_modified("changed: 304 with the new tag", self.ask(If_None_Match=tag), tag)
        again = self.ask(If_None_Match=before[self.coding])
        self.is_whole("changed: the old tag once more", again)
