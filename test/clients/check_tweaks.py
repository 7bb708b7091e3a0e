# SPDX-License-Identifier: MIT
"""
Faults of an origin that can be put into an answer once it is made: name -> a function of the request, the right answer [status, fields, content],
what is selected, and how many requests there were before. check_origin.py sends what is left of it.
"""

OLD, NEW = "Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 01 Jun 2026 00:00:00 GMT"


def put(answer, name, value):
    """Another value, or none if that is None."""
    answer[1] = [field for field in answer[1] if field[0] != name] + ([(name, value)] if value is not None else [])


def whole(answer, it):
    answer[:] = [200, list(it.fields), it.octets]


def refuse(answer):
    answer[:] = [412, [field for field in answer[1] if field[0] == "Date"], b"no"]


def instead(condition):
    """The whole where the condition holds."""
    def tweak(request, answer, it, _):
        if condition(request, it):
            whole(answer, it)
    return tweak


def with_field(condition, name, value):
    """Another field where the condition holds for the request and the answer's status."""
    def tweak(request, answer, it, count):
        if condition(request, answer[0]):
            put(answer, name, value(it, count) if callable(value) else value)
    return tweak


def failing(condition):
    def tweak(request, answer, _it, _count):
        if condition(request):
            refuse(answer)
    return tweak


def plain_get(request, _status):
    return request.method == "GET" and not any(name.startswith("if-") or name == "range" for name in request.fields)


def not_modified(_request, status):
    return status == 304


def head(request, status):
    return request.method == "HEAD" and status == 200


def coded(request, status):
    return status == 200 and (request.get("accept-encoding") or "").startswith("gzip")


def part(_request, status):
    return status == 206


def single(request, status):
    return status == 206 and "," not in request.get("range")


def own_tag_whole(request, it):
    return request.get("if-range") == it.tag


def other_csp(_request, answer, _it, count):
    put(answer, "Content-Security-Policy", f"script-src 'nonce-{count}'" if answer[0] == 304 else "script-src 'nonce-0'")


def head_other_status(request, answer, _it, _count):
    if request.method == "HEAD" and answer[0] == 200 and request.get("if-none-match") is None and request.get("range") is None:
        answer[0] = 404


def status_unstable(request, answer, _it, count):
    if plain_get(request, 200) and count == 2:
        answer[:] = [404, answer[1], b"not now"]


def last_modified_kept(_request, answer, it, count):
    put(answer, "ETag", None)
    if answer[0] == 200 and not it.coded:
        answer[2] = b"%6d" % count + answer[2][6:]


def range_refused(request, answer, it, _count):
    if request.get("range") and answer[0] == 206:
        answer[:] = [416, [("Date", dict(it.fields)["Date"]), ("Content-Range", f"bytes */{len(it.octets)}")], b""]


def anything_is_a_part(text):
    def tweak(request, answer, it, _count):
        if (request.get("range") or "") == (text or f"bytes={len(it.octets)}-"):
            answer[:] = [206, [*it.fields, ("Content-Range", f"bytes 0-1/{len(it.octets)}")], it.octets[:2]]
    return tweak


def range_before_weak_tag(request, answer, it, _count):
    if request.get("range") and (request.get("if-none-match") or "").startswith("W/"):
        answer[:] = [206, [*it.fields, ("Content-Range", f"bytes 0-0/{len(it.octets)}")], it.octets[:1]]


def other_part(request, answer, it, _count):
    if single(request, answer[0]):
        answer[2] = it.octets[1:1 + len(answer[2])]
        put(answer, "Content-Range", f"bytes 1-{len(answer[2])}/{len(it.octets)}")


TWEAKS = {
    "inm-head-ignored": instead(lambda request, _: request.method == "HEAD" and request.get("if-none-match") is not None),
    "inm-any-ignored": instead(lambda request, _: request.get("if-none-match") == "*"),
    "ims-rfc850-ignored": instead(lambda request, _: "day, " in (request.get("if-modified-since") or "")),
    "ims-asctime-ignored": instead(lambda request, _: (request.get("if-modified-since") or "").endswith(("24", "25", "26"))),
    "if-match-own-tag-fails": failing(lambda request: request.get("if-match") is not None),
    "if-unmodified-since-own-date-fails": failing(lambda request: request.get("if-unmodified-since") is not None),
    "ius-vetoes-if-match": failing(lambda request: request.get("if-match") and request.get("if-unmodified-since")),
    "304-other-etag-strength": with_field(not_modified, "ETag", lambda it, _: "W/" + it.tag),
    "304-other-last-modified": with_field(not_modified, "Last-Modified", OLD),
    "304-other-vary": with_field(not_modified, "Vary", "Cookie"),
    "304-other-csp": other_csp,
    "head-other-status": head_other_status,
    "head-lacks-validator": with_field(head, "ETag", None),
    "head-other-validator": with_field(head, "ETag", '"of-head"'),
    "head-other-vary": with_field(head, "Vary", None),
    "head-other-freshness": with_field(head, "Cache-Control", "max-age=1"),
    "head-other-type": with_field(head, "Content-Type", "text/css"),
    "etag-goes": with_field(plain_get, "ETag", lambda it, count: it.tag if count == 1 else None),
    "last-modified-backwards": with_field(plain_get, "Last-Modified", lambda it, count: NEW if count == 1 else OLD),
    "last-modified-kept": last_modified_kept,
    "vary-unstable": with_field(plain_get, "Vary", lambda it, count: "Accept-Encoding" if count % 2 else "Accept-Encoding, Cookie"),
    "status-unstable": status_unstable,
    "coding-drops-last-modified": with_field(coded, "Last-Modified", None),
    "coding-other-freshness": with_field(coded, "Cache-Control", "max-age=1"),
    "206-without-content-range": with_field(single, "Content-Range", None),
    "206-other-range": other_part,
    "206-other-etag": with_field(part, "ETag", '"of-part"'),
    "206-other-last-modified": with_field(part, "Last-Modified", OLD),
    "206-wrong-length": with_field(single, "Content-Range", "bytes 0-0/7"),
    "416-to-satisfiable": range_refused,
    "416-wrong-length": with_field(lambda _, status: status == 416, "Content-Range", "bytes */7"),
    "206-beyond-end": anything_is_a_part(None),
    "206-to-invalid-range": anything_is_a_part("bytes=5-2"),
    "range-inm-weak-ignored": range_before_weak_tag,
    "if-range-own-tag-whole": instead(own_tag_whole),
}


def edge_other_content(_request, answer, _it, _count):
    answer[2] = answer[2].replace(b"never", b"NEVER")


def edge_other_status(_request, answer, _it, _count):
    answer[:] = [404, answer[1], b"nothing"]


def always(_request, _status):
    return True


# What an edge does to what its origin has: /right.
EDGES = {
    "edge-drops-etag": with_field(always, "ETag", None),
    "edge-other-etag": with_field(always, "ETag", '"of-edge"'),
    "edge-drops-last-modified": with_field(always, "Last-Modified", None),
    "edge-other-last-modified": with_field(always, "Last-Modified", OLD),
    "edge-lengthens-freshness": with_field(always, "Cache-Control", "max-age=86400"),
    "edge-drops-vary": with_field(always, "Vary", None),
    "edge-other-content": edge_other_content,
    "edge-other-status": edge_other_status,
}
