"""Starting the demo's processes and keeping the console running afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from hiiki.db.embedded import prepare
from hiiki.kit.i18n import set_locale
from hiiki.kit.process import die_with_parent
from hiiki.settings import settings
from hiiki.supervisor import Part, terminating

_START = 60.0
"""Seconds that a part may take to answer."""


@dataclass(frozen=True)
class Stage:
    """Where the story plays."""

    web_url: str
    line_url: str
    channels: list[dict[str, str]]
    """The emulator's channels: channel_id, channel_secret, access_token."""
    owner_email: str
    owner_password: str


def play(*, friends: int, once: bool, port: int, seed: int) -> int:
    """Play the story; returns the exit status: 0 when every count was as it should be."""
    set_locale("ja" if os.environ.get("LANG", "").startswith("ja") else "en")
    console = Console(stderr=once)
    folder = settings().data_dir / "demo"
    _fresh(folder)
    os.environ["HIIKI_DATA_DIR"] = str(folder)
    server = prepare(folder / "postgres")
    parts: list[Part] = []
    emulator: subprocess.Popen[str] | None = None
    result: dict[str, Any] = {"ok": False}
    with terminating():
        try:
            began = time.monotonic()
            server.start()
            server.create_database("hiiki")
            emulator, ready = _start_emulator(seed)
            url = f"http://127.0.0.1:{_free(port)}"
            os.environ |= {
                "HIIKI_DATABASE_URL": server.url(),
                "HIIKI_LINE_API": ready["url"].rstrip("/"),
                "HIIKI_PUBLIC_URL": url,
            }
            settings.cache_clear()
            parts += _start_parts(folder, url)
            stage = Stage(
                web_url=url,
                line_url=ready["url"].rstrip("/"),
                channels=ready["channels"],
                owner_email="owner@demo.example",
                owner_password=secrets.token_urlsafe(9),
            )
            with _watching(parts):
                result = _tell(stage, friends, seed, console)
            result["seconds"] = round(time.monotonic() - began, 1)
            if not once:
                _stay(stage, result, parts, console)
        except KeyboardInterrupt:
            result.setdefault("stopped", True)
        finally:
            for part in reversed(parts):
                part.stop()
            if emulator is not None:
                emulator.terminate()
                emulator.wait(10)
            server.stop()
    if once:
        print(json.dumps(result, ensure_ascii=False), flush=True)  # noqa: T201 — the answer
    return 0 if result["ok"] else 1


def _start_parts(folder: Path, url: str) -> list[Part]:
    from hiiki.db.migrate import migrate

    asyncio.run(migrate(os.environ["HIIKI_DATABASE_URL"]))
    port = url.rpartition(":")[2]
    parts = [
        Part("web", "hiiki", "web", "--port", port, log=folder / "web.log"),
        Part("worker", "hiiki", "worker", log=folder / "worker.log"),
    ]
    for part in parts:
        part.start()
    _wait_until_it_answers(f"{url}/readyz")
    return parts


@contextmanager
def _watching(parts: list[Part]) -> Generator[None]:
    """Start parts again that end meanwhile, as `hiiki up` does: the story goes on all the same."""
    told = threading.Event()

    def watch() -> None:
        while not told.wait(0.5):
            if not all(part.watch() for part in parts):
                return  # one ends as soon as it starts; the story will say what never came

    watcher = threading.Thread(target=watch, name="watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        told.set()
        watcher.join()


def _tell(stage: Stage, friends: int, seed: int, console: Console) -> dict[str, Any]:
    from hiiki.demo.story import tell  # it imports all rooms, which read the settings above

    return uvloop.run(tell(stage, friends, seed, console))


def _stay(stage: Stage, result: dict[str, Any], parts: list[Part], console: Console) -> None:
    """Say how to look around, and keep everything running until Ctrl-C."""
    console.print_json(json.dumps(result, ensure_ascii=False))
    console.rule()
    console.print(f"[bold]Console[/]  {stage.web_url}")
    console.print(f"         {stage.owner_email} / {stage.owner_password}")
    console.print(f"[bold]Phones[/]   {stage.line_url}/phones")
    console.print("Ctrl-C ends it.")
    while all(part.watch() for part in parts):
        time.sleep(0.5)


def _fresh(folder: Path) -> None:
    """Begin with nothing: a demo never touches a shop's own data directory."""
    if (folder / "postgres" / "PG_VERSION").exists():
        prepare(folder / "postgres").stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _free(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


def _start_emulator(seed: int) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    command = ["-m", "line_emulator", "serve", "--port", "0", "--channels", "2"]
    process = subprocess.Popen(  # noqa: S603 — our own command
        [sys.executable, *command, "--seed", str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the LINE emulator did not start; its own words stand above")
    return process, json.loads(line)


def _wait_until_it_answers(url: str) -> None:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 — our own address
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {_START:.0f} seconds")
