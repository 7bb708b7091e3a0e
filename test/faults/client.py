# SPDX-License-Identifier: MIT
"""A client that reads answers strictly: what is not HTTP/1.1 as the RFC has it is a finding, and an end is told from a cut."""

import asyncio
import re

HEAD_MAX = 1 << 17


class Wrong(Exception):
    """What came is no HTTP."""


class Answer:
    """`complete`: its framing says that the body is all there."""

    def __init__(self, status, fields):
        self.status, self.fields, self.body, self.complete, self.interims = status, fields, b"", False, 0

    def get(self, name):
        values = self.fields.get(name)
        return ", ".join(values) if values else None


async def read_head(reader):
    """None: the connection ended before the first octet."""
    try:
        octets = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise Wrong(f"the connection ended within a head: {end.partial[:200]!r}") from end
        return None
    start, *lines = octets.decode("latin-1").split("\r\n")[:-2]
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [^\r\n]*", start)
    if not match:
        raise Wrong(f"no status line: {start[:200]!r}")
    fields = {}
    for line in lines:
        if not (pair := re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*", line)):
            raise Wrong(f"no field line: {line[:200]!r}")
        fields.setdefault(pair.group(1).lower(), []).append(pair.group(2))
    return Answer(int(match.group(1)), fields)


async def read_chunks(reader, answer):
    while True:
        line = await reader.readuntil(b"\r\n")
        if not re.fullmatch(rb"[0-9a-fA-F]{1,15}\r\n", line):
            raise Wrong(f"no chunk size: {line[:80]!r}")
        size = int(line, 16)
        if size == 0:
            break
        await read_exactly(reader, answer, size)
        if await reader.readexactly(2) != b"\r\n":
            raise Wrong("a chunk has another length than it says")
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        if b":" not in line:
            raise Wrong(f"no trailer: {line[:80]!r}")


async def read_exactly(reader, answer, size):
    """As much as comes goes into the body, even if it ends before its end."""
    while size > 0:
        piece = await reader.read(min(size, 65536))
        if not piece:
            raise asyncio.IncompleteReadError(b"", size)
        answer.body += piece
        size -= len(piece)


async def read_body(reader, answer, method):
    lengths, codings = answer.fields.get("content-length", []), answer.fields.get("transfer-encoding", [])
    if method == "HEAD" or answer.status in (204, 304):
        if answer.status == 204 and lengths or answer.status in (204, 304) and codings:
            raise Wrong(f"{answer.status} with a length of the body that it has not")
    elif codings:
        if codings != ["chunked"] or lengths:
            raise Wrong(f"Transfer-Encoding {codings} with Content-Length {lengths}")
        await read_chunks(reader, answer)
    elif lengths:
        if len(lengths) > 1 or not lengths[0].isdigit():
            raise Wrong(f"Content-Length {lengths}")
        await read_exactly(reader, answer, int(lengths[0]))
    else:
        if "close" not in (answer.get("connection") or ""):
            raise Wrong("a body without length on a connection that stays")
        while piece := await reader.read(65536):
            answer.body += piece
    answer.complete = True


async def read_answer(reader, method, interim=None):
    """
    The final answer to a request; None if the connection ends instead. One that was cut is not complete. interim() is
    called when the server asks for the body.
    """
    count = 0
    while (answer := await read_head(reader)) is not None and answer.status < 200:
        count += 1
        if answer.status == 101:
            raise Wrong("101 that was not asked for")
        if answer.status == 100 and interim:
            interim()
    if answer is None:
        return None
    answer.interims = count
    try:
        await read_body(reader, answer, method)
    except (asyncio.IncompleteReadError, ConnectionError):
        answer.complete = False
    return answer
