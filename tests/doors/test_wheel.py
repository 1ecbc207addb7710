"""The wheel alone is the product: no checkout, no Node."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from hiiki.db.embedded import prepare
from stack import answers, free_port, run, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def test_the_wheel_serves_the_console_with_its_assets(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    home = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", home, wheel],
        check=True,
        capture_output=True,
    )
    port = free_port()
    env = {
        "PYTHONPATH": str(home),
        "PATH": "/usr/sbin:/sbin:/bin",
        "HIIKI_DATA_DIR": str(tmp_path / "data"),
        "HIIKI_DATABASE_URL": "",
    }
    where = subprocess.run(
        [sys.executable, "-c", "import hiiki; print(hiiki.__file__)"],
        env={**os.environ, **env},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(home))
    running = run(tmp_path / "log", "hiiki", "up", "--port", str(port), env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{url}/readyz"), running, 90)
        with urllib.request.urlopen(f"{url}/welcome") as response:
            text = response.read().decode()
        wanted = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', text))
        assert any("vendor" in path for path in wanted)
        for path in wanted:
            assert answers(url + path), path
    finally:
        running.stop()
        prepare(tmp_path / "data" / "postgres").stop("immediate")
