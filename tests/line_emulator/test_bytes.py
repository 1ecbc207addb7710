"""Bytes that are no UTF-8 where HTTP lets them through: in headers, paths and queries."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

WRONG = b"\xff\xfe\xed\xa0\x80"


async def ask(line, method, path, *headers):
    where = urlsplit(line.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = [method + b" " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    head += [b"Authorization: Bearer " + line.token.encode(), b"Content-Length: 2", b"", b"{}"]
    writer.write(b"\r\n".join(head))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("path", [b"/v2/bot/message/push", b"/v2/bot/audienceGroup/upload/byFile"])
async def test_content_type(line, path):
    given = b"Content-Type: " + WRONG + b"/x; boundary=" + WRONG
    assert await ask(line, b"POST", path, given) == 415


async def test_retry_key(line):
    given = (b"Content-Type: application/json", b"X-Line-Retry-Key: " + WRONG)
    assert await ask(line, b"POST", b"/v2/bot/message/push", *given) == 400
    assert (await line.requests())[-1]["status"] == 400


@pytest.mark.parametrize("path", [
    b"/v2/bot/profile/" + WRONG,
    b"/v2/bot/profile/%ff%ed%a0%80",
    b"/v2/bot/audienceGroup/list?page=" + WRONG,
    b"/v2/bot/audienceGroup/list?page=1&status=%ff%ed%a0%80",
    b"/v2/bot/message/progress/narrowcast?requestId=" + WRONG,
])  # fmt: skip
async def test_path_and_query(line, path):
    assert await ask(line, b"GET", path) == 400
    await line.requests()
