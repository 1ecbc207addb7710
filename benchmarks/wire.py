"""What benchmarks share: a connection that costs next to nothing, and what a process costs."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, cast

_TICKS = os.sysconf("SC_CLK_TCK")


class Caller(Protocol):
    """Who sends requests over connections."""

    def opened(self, connection: Connection) -> None:
        """The connection can be used: `send` the first request."""
        ...

    def answered(self, connection: Connection, status: bytes, seconds: float) -> None:
        """An answer has come; `send` the next request, `close`, or leave it for later."""
        ...

    def closed(self, connection: Connection) -> None:
        """The connection has ended; `waits` says whether a request was without an answer."""
        ...


class Connection(asyncio.Protocol):
    """One kept connection, with one request at a time.

    An HTTP library would cost the caller more than the server needs; both share two cores.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.waits = False
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.caller.opened(self)

    def send(self, request: bytes, since: float | None = None) -> None:
        """Send a request; its time counts from `since`, by default from now."""
        assert self._transport is not None
        self.waits = True
        self._sent_at = time.perf_counter() if since is None else since
        self._transport.write(request)

    def close(self) -> None:
        """End the connection."""
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end >= 0:
            start = buffer.lower().find(b"content-length: ", 0, end) + 16
            length = int(buffer[start : buffer.index(b"\r\n", start)])
            if len(buffer) >= end + 4 + length:
                self._buffer = b""
                self.waits = False
                self.caller.answered(self, buffer[9:12], time.perf_counter() - self._sent_at)
                return
        self._buffer = buffer

    def connection_lost(self, exc: Exception | None) -> None:
        self.caller.closed(self)


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time of a process and its children, ended ones too."""
    return sum(_cpu(each) for each in family(pid))


def family(pid: int) -> list[int]:
    """Return a process's id and those of its descendants."""
    found = [pid]
    for parent in found:
        with suppress(OSError):  # it has just ended
            for task in Path(f"/proc/{parent}/task").glob("*/children"):
                found += [int(child) for child in task.read_text().split()]
    return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0  # it has just ended
    return sum(int(each) for each in fields[11:15]) / _TICKS


def spread(seconds: list[float]) -> dict[str, Any]:
    """Return the middle, the 99th of a hundred and the longest of these, in milliseconds."""
    if not seconds:
        return {"p50_ms": None, "p99_ms": None, "max_ms": None}
    ordered = sorted(seconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
        "max_ms": round(ordered[-1] * 1000, 1),
    }
