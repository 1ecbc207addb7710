"""Processes of Hiiki that start in a moment, so that a test can kill hundreds of them.

A fork server imports the whole application once; every process is forked from it and then
does what the command line does. What it is killed with is the real thing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver, get_context, set_start_method
from pathlib import Path

# What the processes would import when they begin is imported before the forks.
import granian.server  # noqa: F401
import procrastinate.worker  # noqa: F401
import uvloop  # noqa: F401
from sqlalchemy.orm import configure_mappers

import hiiki.delivery.sender
import hiiki.ingest.crew
import hiiki.ingest.relay.crew
import hiiki.worker  # noqa: F401
from hiiki.cli import main
from hiiki.settings import settings

configure_mappers()

PRELOADED = ["forked", "forked_web"]
_forks = get_context("forkserver")


def open_nursery() -> None:
    """Start the fork server, which takes as long as Hiiki's imports; again, it does nothing."""
    _forks.set_forkserver_preload(PRELOADED)
    here, known = str(Path(__file__).parent), os.environ.get("PYTHONPATH")
    # The server does not look where this process looks, but where the environment says.
    os.environ["PYTHONPATH"] = os.pathsep.join([here, known] if known else [here])
    try:
        forkserver.ensure_running()
    finally:
        if known is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = known


class Forked:
    """A `hiiki …`, forked, in a process group of its own."""

    def __init__(self, log: Path, environment: Mapping[str, str], *command: str) -> None:
        self._log = log
        self._command = command
        self._environment = {
            **{name: value for name, value in os.environ.items() if name.startswith("HIIKI_")},
            **environment,
        }
        self._process = _forks.Process()

    def start(self) -> None:
        """Start it; returns at once."""
        self._process = _forks.Process(
            target=_work, args=(str(self._log), self._environment, self._command)
        )
        self._process.start()

    def strike(self) -> None:
        """Let it be dead from this moment on; safe to call from anywhere, more than once."""
        if self._process.is_alive():
            self._signal(signal.SIGKILL)

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        if self._process.pid is None:
            return
        if self._process.is_alive():
            self._signal(number)
        await asyncio.to_thread(self._process.join, 30)
        assert not self._process.is_alive(), "it does not end"

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:  # so young that it has no group yet, or gone
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def _work(log: str, environment: Mapping[str, str], command: Sequence[str]) -> None:
    os.setpgid(0, 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(environment)
    settings.cache_clear()
    if command[0] == "web":
        import forked_web

        forked_web.use()
        # The server forks once more: the process that answers.
        set_start_method("fork", force=True)
    main(list(command), standalone_mode=False)
