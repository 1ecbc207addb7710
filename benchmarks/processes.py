"""What benchmarks ask of the processes they start: processor time, memory. Linux only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


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


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of all its children, ended ones included."""
    total, parents = 0.0, _parents()
    family = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in family} - family
        if not more:
            break
        family |= more
    for member in family:
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # utime, stime, and those of children that were waited for (proc_pid_stat(5)).
        total += sum(int(field) for field in fields[11:15]) / TICKS
    return total


def peak_mb(pid: int) -> float:
    """Return the most memory a process has held, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError("the system does not tell a process's peak")


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = int(
                    (folder / "stat").read_text().rpartition(")")[2].split()[1]
                )
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found
