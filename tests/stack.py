"""The whole system as real processes, for tests that go all the way.

`emulator` is LINE, `web` and `worker` are `hiiki web` and `hiiki worker` as a shop runs
them, `page` is a browser. They speak over HTTP on loopback and share this run's
database. Import what you need, or ask for it by name: `tests/conftest.py` loads this.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = (
    os.environ.get("HIIKI_TEST_CHROMIUM")
    # The same engine without a window's own parts, which cost as much again as the pages.
    or shutil.which("chromium-headless-shell")
    or "/usr/bin/chromium"
)
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    """Return a port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A child process in a group of its own, so that -9 reaches all of it."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


def run(log: Path, *command: str, env: Mapping[str, str] | None = None) -> Running:
    """Start `python -m …` with its output in `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    return Running(process, log)


def wait_for(what: Callable[[], bool], running: Running, seconds: float = 120) -> None:
    """Wait until `what()`; fails with the process's own words when it ends or never gets there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        if running.process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"it did not start:\n{running.log.read_text()[-3000:]}")


def answers(url: str) -> bool:
    """True when `url` gives a 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@dataclass(frozen=True)
class LineProcess:
    """A LINE emulator that runs beside the test."""

    url: str
    channel: dict[str, Any]
    """channel_id, channel_secret, access_token, bot_user_id, basic_id of its first channel."""


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LineProcess]:
    """One emulator for this worker's whole run."""
    log = tmp_path_factory.mktemp("emulator") / "log"
    port = free_port()
    running = run(log, "line_emulator", "serve", "--port", str(port), "--seed", "7")
    wait_for(lambda: '"ready"' in log.read_text(), running)
    ready = next(line for line in log.read_text().splitlines() if '"ready"' in line)
    found = json.loads(ready)
    yield LineProcess(found["url"].rstrip("/"), found["channels"][0])
    running.stop()


@dataclass(frozen=True)
class Web:
    """A `hiiki web` that runs beside the test."""

    url: str
    env: dict[str, str]
    running: Running


@pytest.fixture(scope="session")
def web(
    database: str, emulator_process: LineProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The web server as a process of its own."""
    port = free_port()
    env = {
        "HIIKI_DATABASE_URL": database,
        "HIIKI_DATA_DIR": os.environ["HIIKI_DATA_DIR"],
        "HIIKI_LINE_API": emulator_process.url,
        "HIIKI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HIIKI_DATABASE_POOL": "5",
    }
    log = tmp_path_factory.mktemp("web") / "log"
    running = run(log, "hiiki", "web", "--port", str(port), env=env)
    wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), running)
    yield Web(f"http://127.0.0.1:{port}", env, running)
    running.stop()


@pytest.fixture
def worker(web: Web, db: str, tmp_path: Path) -> Iterator[Running]:
    """A worker that runs during the test."""
    running = run(tmp_path / "worker.log", "hiiki", "worker", env=web.env)
    yield running
    running.stop()


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Open the browser that tests look at pages with."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without a window; one for all tests of this worker."""
    async with open_browser() as chromium:
        yield chromium


@pytest.fixture
async def page(browser: Browser, web: Web, db: str) -> AsyncIterator[Page]:
    """A new browser window at 1280 pixels; a script error on the page fails the test."""
    context = await browser.new_context(
        base_url=web.url, locale="ja-JP", viewport={"width": 1280, "height": 900}
    )
    window = await context.new_page()
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "Content Security Policy" in message.text
            else None
        ),
    )
    yield window
    await context.close()
    assert not errors, errors
