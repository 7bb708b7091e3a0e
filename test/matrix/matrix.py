# SPDX-License-Identifier: MIT
"""
matrix.py BINARY [WORD...]: {stet serve, hits of stet proxy, its revalidations} x {HTTP/1.1, the same in TLS, HTTP/2 in TLS} x {GET, HEAD} x
{identity, gzip, br, zstd}. Each cell is a test; cell.py has its walk. With words, only cells whose name holds all of them.
"""

import itertools
import os
import re
import sys

import cell
import stets
import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients"))
import support  # noqa: E402  pylint: disable=wrong-import-position

METHODS = ["GET", "HEAD"]
ROLES = ["serve", "hit", "revalidation"]
CONTROL = {"hit": "public, max-age=3600", "revalidation": "public, no-cache"}
OURS = re.compile(r";(identity|gzip|br|zstd)-[0-9a-f]{8}\"")


def text(seed):
    """Some 6 KB that codings make shorter, another one for each cell."""
    line = f"Only what changed is sent again: {seed}. "
    return "".join(f"{line}{number * 7919 % 10007}\n" for number in range(120)).encode()


def origin_side(page):
    """What must hold for what the origin of a page was asked."""
    problems = []
    for method, held, accepted, part, status in page.asked:
        if held and OURS.search(held):
            problems.append(f"the origin was asked with a tag that it never made: {method} {held}")
        if part:
            problems.append(f"the origin was asked for a range of octets that it does not have: {part} ({accepted}, {status})")
    if "no-cache" in page.control and not any(status == 304 for *_, status in page.asked):
        problems.append("no 304 of the origin")
    if page.fresh and len(page.asked) > 12:
        # At most once for each Accept-Encoding, and after the change, of some forty requests.
        problems.append(f"{len(page.asked)} requests to the origin are too many for hits: {page.asked}")
    return problems


def judge(tap, name, resource, ports, method, coding, weak=False):
    *_, transport = name
    client = wire.client(transport, ports)
    walk = cell.Cell(client, resource, method, coding, weak)
    walk.at_origin = name[0] == "serve"
    walk.matches = walk.at_origin or (resource.tag or "W/").startswith('"')
    problems = walk.run()
    extra = client.close()
    problems += ["octets that nobody asked for: " + extra] if extra else []
    problems += origin_side(resource) if isinstance(resource, stets.Page) else []
    tap.same(" ".join([*name[:-1], transport, method, coding]), problems, [])


def cells(words):
    """(role, transport, method, coding) of all that are asked for."""
    table = itertools.product(ROLES, wire.TRANSPORTS, METHODS, cell.CODINGS)
    return [one for one in table if all(word in one for word in words)]


def needs_tls(table):
    return any(transport != "h1" for _, transport, *_ in table)


def serve(tap, binary, table):
    with stets.serving(binary, secure=needs_tls(table)) as (stet, root):
        for role, transport, method, coding in table:
            file = stets.File(root, f"/{transport}/{method}/{coding}.txt", text(f"{transport} {method} {coding}"))
            judge(tap, (role, transport), file, stet.ports, method, coding)


def proxy(tap, binary, table):
    origin = stets.Origin()
    with stets.proxying(binary, origin.port, secure=needs_tls(table)) as stet:
        for role, transport, method, coding in table:
            path = f"/{role}/{transport}/{method}/{coding}"
            page = stets.Page(origin, path, text(path), CONTROL[role])
            judge(tap, (role, transport), page, stet.ports, method, coding)
        if not table or len(table) > len(cell.CODINGS):
            origin_tags(tap, origin, stet)
    origin.stop()


def origin_tags(tap, origin, stet):
    """Origins with weak tags, whose copies get weak ones, and without, who get one from stet."""
    for (kind, form), coding in itertools.product({"a weak tag": 'W/"{}"', "no tag": None}.items(), cell.CODINGS):
        path = f"/{kind.replace(' ', '-')}/{coding}"
        page = stets.Page(origin, path, text(path), CONTROL["hit"], form)
        judge(tap, (f"hit, the origin has {kind},", "h1"), page, stet.ports, "GET", coding, weak=kind == "a weak tag")


def tags_of(ports, resource):
    """{coding: tag} of all codings of a resource."""
    client = wire.client("h1", ports)
    walk = cell.Cell(client, resource, "GET", "identity")
    tags = {coding: walk.settle(coding).tag for coding in cell.CODINGS}
    client.close()
    return tags


def still_known(tap, what, ports, path, tags):
    """At once, before there are copies."""
    everything = ", ".join(cell.CODINGS)
    for coding, tag in tags.items():
        client = wire.client("h1", ports)
        answer = client.ask("GET", path, {"Accept-Encoding": everything, "If-None-Match": tag})
        tap.same(f"{what}, after a restart: the tag of {coding}", (answer.status, answer.tag, answer.varies()), (304, tag, True))
        client.close()


def restart(tap, binary):
    """What clients hold from before a restart is known after it."""
    origin = stets.Origin()
    page = stets.Page(origin, "/restart", text("restart"), CONTROL["hit"])
    with stets.proxying(binary, origin.port) as stet:
        tags = tags_of(stet.ports, page)
    with stets.proxying(binary, origin.port) as stet:
        still_known(tap, "proxy", stet.ports, page.path, tags)
    origin.stop()
    with stets.serving(binary) as (stet, root):
        file = stets.File(root, "/restart.txt", text("restart"))
        tags = tags_of(stet.ports, file)
        with stets.serving(binary, root=root) as (other, _):
            still_known(tap, "serve", other.ports, file.path, tags)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: matrix.py BINARY [WORD...]")
    tap = support.Tap()
    table = cells(sys.argv[2:])
    of_serve = [one for one in table if one[0] == "serve"]
    of_proxy = [one for one in table if one[0] != "serve"]
    if of_serve:
        serve(tap, sys.argv[1], of_serve)
    if of_proxy:
        proxy(tap, sys.argv[1], of_proxy)
    if len(sys.argv) == 2 or "restart" in sys.argv:
        restart(tap, sys.argv[1])
    tap.finish()


main()
