"""Processes that benchmarks start, and what they ask of them. Linux only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def start_line(limits: bool) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Start an emulated LINE; returns the process and what it says when it is ready."""
    command = [sys.executable, "-m", "line_emulator", "serve", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 — our own command
        command if limits else [*command, "--unlimited"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if '"ready"' in line:
            return process, json.loads(line)
    raise RuntimeError("the emulator did not start")


def postmaster(data: Path) -> int:
    """Return the process id of the PostgreSQL that serves this data directory."""
    return int((data / "postmaster.pid").read_text().split()[0])


def peak_mb(pid: int) -> float:
    """Return the most memory a process has held, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError("the system does not tell a process's peak")
