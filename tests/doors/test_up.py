"""`hiiki up` as a shop runs it: one command, a database of its own, everything put away after."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from hiiki.db.embedded import prepare
from stack import Running, answers, free_port, run, wait_for

pytestmark = pytest.mark.slow


def children(pid: int) -> list[int]:
    """Return the pids of a process's children, found as `ps` finds them."""
    done = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in done.stdout.split()]


def children_named(pid: int, word: str) -> list[int]:
    found: list[int] = []
    for child in children(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except FileNotFoundError:
            continue  # it has ended meanwhile
        if word in command:
            found.append(child)
    return found


def test_its_whole_life(tmp_path: Path) -> None:
    """From the first visit over two deaths to an orderly end, all of one data directory."""
    port, data = free_port(), tmp_path / "data"
    url = f"http://127.0.0.1:{port}"
    env = {"HIIKI_DATA_DIR": str(data), "HIIKI_DATABASE_URL": "", "HIIKI_PUBLIC_URL": url}

    def start() -> Running:
        running = run(tmp_path / "up.log", "hiiki", "up", "--port", str(port), env=env)
        wait_for(lambda: answers(f"{url}/readyz"), running, 60)
        return running

    running = start()
    try:
        the_first_visit_makes_the_owner(url)
        a_part_that_dies_is_started_again(running, url)
        killed_at_once_it_leaves_nothing_on_its_port(running, url)
        running = start()
        it_ends_in_order_and_takes_everything_with_it(running, url, data)
    finally:
        running.stop()
        prepare(data / "postgres").stop("immediate")


def the_first_visit_makes_the_owner(url: str) -> None:
    with urllib.request.urlopen(f"{url}/") as response:
        assert response.url == f"{url}/welcome"


def a_part_that_dies_is_started_again(running: Running, url: str) -> None:
    [web] = children_named(running.process.pid, " web ")
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: children_named(running.process.pid, " web ") not in ([], [web]), running)
    wait_for(lambda: answers(f"{url}/readyz"), running)


def killed_at_once_it_leaves_nothing_on_its_port(running: Running, url: str) -> None:
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    until = time.monotonic() + 20
    while answers(f"{url}/healthz") and time.monotonic() < until:
        time.sleep(0.1)
    assert not answers(f"{url}/healthz")


def it_ends_in_order_and_takes_everything_with_it(running: Running, url: str, data: Path) -> None:
    parts = children(running.process.pid)
    assert len(parts) >= 2
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert not answers(f"{url}/healthz")
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts)
    assert not prepare(data / "postgres").running()


def test_staff_and_tokens_from_the_command_line(database: str, db: str) -> None:
    def hiiki(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hiiki", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HIIKI_DATABASE_URL": database},
        )

    assert hiiki("migrate").returncode == 0
    added = hiiki(
        *("staff", "add", "ten@example.jp", "--name", "店長", "--workspace", "カレーの店"),
        *("--password", "correct horse battery"),
    )
    assert added.returncode == 0, added.stderr
    short = hiiki(
        *("staff", "add", "b@example.jp", "--name", "B", "--workspace", "カレーの店"),
        *("--password", "short"),
    )
    assert short.returncode == 1
    assert "Traceback" not in short.stderr
    token = hiiki("token", "create", "--role", "viewer")
    assert token.returncode == 0, token.stderr
    with psycopg.connect(database) as connection:
        rows = connection.execute("select email, password_hash from workspace.staff").fetchall()
        hashes = connection.execute("select token_hash from workspace.api_token").fetchall()
    assert [row[0] for row in rows] == ["ten@example.jp"]
    assert rows[0][1].startswith("$argon2id$")
    assert token.stdout.strip().encode() not in hashes[0][0]


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hiiki", "worker"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HIIKI_DATABASE_URL": "", "HIIKI_DATA_DIR": str(tmp_path)},
    )
    assert done.returncode == 1
    assert "HIIKI_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
