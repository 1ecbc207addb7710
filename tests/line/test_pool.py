"""Connections that stay open, against a server that behaves as servers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hiiki.line.pool import NotReached, Pool, Response

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nX-Line-Request-Id: r1\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """What it was asked, on how many connections, and what it does with a request."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                await self.serve(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[tuple[Server, Pool]]:
    server = Server(serve)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()[:2]
    pool = Pool(f"http://{host}:{port}/base/")
    try:
        yield server, pool
    finally:
        pool.close()
        listening.close()


async def ask(pool: Pool, seconds: float = 5.0) -> Response:
    return await pool.post("/v2/x", {"Authorization": "Bearer t"}, b'{"a":1}', seconds)


async def fine(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def test_one_connection_serves_many_requests() -> None:
    async with served(fine) as (server, pool):
        answers = [await ask(pool) for _ in range(5)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"{}")] * 5
    assert answers[0].headers["x-line-request-id"] == "r1"
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /base/v2/x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert server.requests[0].endswith(b'\r\nContent-Length: 7\r\n\r\n{"a":1}')


async def test_as_many_connections_as_requests_at_a_time() -> None:
    together = asyncio.Barrier(3)

    async def wait(_request: bytes, writer: asyncio.StreamWriter) -> None:
        await together.wait()
        writer.write(OK)

    async with served(wait) as (server, pool):
        await asyncio.gather(*(ask(pool) for _ in range(3)))
        assert server.connections == 3
        await asyncio.gather(*(ask(pool) for _ in range(3)))
        assert server.connections == 3


async def test_an_answer_in_pieces_and_in_chunks() -> None:
    async def chunked(_request: bytes, writer: asyncio.StreamWriter) -> None:
        whole = (
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
            b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'5\r\n{"mes\r\n8\r\nsage":1}\r\n0\r\n\r\n'
        )
        for place in range(0, len(whole), 7):
            writer.write(whole[place : place + 7])
            await writer.drain()
            await asyncio.sleep(0)

    async with served(chunked) as (server, pool):
        for _time in range(2):
            answer = await ask(pool)
            assert (answer.status, answer.body) == (400, b'{"message":1}')
            assert "link" not in answer.headers
    assert server.connections == 1


async def test_what_the_server_closes_is_not_used_again() -> None:
    async def once(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async with served(once) as (server, pool):
        assert [(await ask(pool)).status for _ in range(3)] == [200] * 3
    assert server.connections == 3


async def test_a_connection_closed_meanwhile_is_replaced() -> None:
    async def closes_after(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with served(closes_after) as (server, pool):
        for _time in range(3):
            assert (await ask(pool)).status == 200
            await asyncio.sleep(0.02)  # the end of the connection gets here
    assert server.connections == 3


async def nothing(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK[:-1])
    await writer.drain()
    writer.close()


async def noise(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


@pytest.mark.parametrize("serve", [nothing, half, noise])
async def test_no_answer_says_that_line_may_have_seen_it(serve: Serve) -> None:
    async with served(serve) as (server, pool):
        for _time in range(2):
            with pytest.raises(ConnectionError):
                await ask(pool)
    assert len(server.requests) == 2


async def test_a_late_answer_is_nobodys() -> None:
    late = asyncio.Event()
    seen: list[bytes] = []

    async def slow_at_first(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        if len(seen) == 1:
            await late.wait()
            writer.write(OK.replace(b"r1", b"of the first"))
        else:
            writer.write(OK)

    async with served(slow_at_first) as (_server, pool):
        with pytest.raises(TimeoutError):
            await ask(pool, 0.1)
        late.set()
        assert (await ask(pool)).headers["x-line-request-id"] == "r1"


async def test_nobody_there() -> None:
    pool = Pool("http://127.0.0.1:9")
    with pytest.raises(NotReached):
        await ask(pool)
