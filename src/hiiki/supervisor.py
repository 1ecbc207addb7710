"""`hiiki up`: the database, one web server and one worker, kept running together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from hiiki.db.embedded import prepare
from hiiki.kit.process import die_with_parent
from hiiki.settings import settings

log = structlog.get_logger()

_QUICK_DEATH = 5.0
"""Seconds: a part that lives shorter than this has a fault that a restart will not mend."""
_MAX_QUICK_DEATHS = 5


@contextmanager
def database() -> Generator[str]:
    """Give the database's address: the one that is set, or that of a server of our own."""
    url = settings().database_url
    if url:
        yield url
        return
    server = prepare(settings().data_dir / "postgres")
    server.start()
    try:
        server.create_database("hiiki")
        os.environ["HIIKI_DATABASE_URL"] = server.url()
        settings.cache_clear()
        yield server.url()
    finally:
        server.stop()


class Part:
    """A child process: `hiiki web`, `hiiki worker`, or another command of this Python."""

    def __init__(
        self,
        name: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.name = name
        self._log = log
        """Where its words go; None means to this process's own output."""
        self._command = [sys.executable, "-m", *command]
        self._env = {**os.environ, **(env or {})}
        self._quick_deaths = 0
        self._started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        self._started = time.monotonic()
        out = self._log.open("ab") if self._log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 — our own command
                self._command,
                env=self._env,
                stdout=out,
                stderr=subprocess.STDOUT if out else None,
                preexec_fn=die_with_parent,
            )
        finally:
            if out:
                out.close()

    @property
    def pid(self) -> int:
        """Its process id; raises `RuntimeError` before it was started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._process.pid

    def watch(self) -> bool:
        """Start it again if it has ended; False when it ends too fast, too often."""
        if self._process is None or self._process.poll() is None:
            return True
        lived = time.monotonic() - self._started
        self._quick_deaths = self._quick_deaths + 1 if lived < _QUICK_DEATH else 0
        log.error("part.ended", part=self.name, status=self._process.returncode, seconds=lived)
        if self._quick_deaths >= _MAX_QUICK_DEATHS:
            return False
        time.sleep(min(0.2 * 2**self._quick_deaths, 5))
        self.start()
        return True

    def stop(self, seconds: float = 15) -> None:
        """Ask it to end, and end it when it has not after `seconds`."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def terminating() -> Generator[None]:
    """Turn SIGTERM into `KeyboardInterrupt`, so that everything is put away in order."""

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def keep_running(parts: list[Part]) -> int:
    """Start the parts and keep them running until interrupted; returns the exit status."""
    with terminating():
        try:
            for part in parts:
                part.start()
            while all(part.watch() for part in parts):
                time.sleep(0.5)
            log.error("up.gave_up", hint="a part ends as soon as it starts; see its lines above")
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            for part in reversed(parts):
                part.stop()
