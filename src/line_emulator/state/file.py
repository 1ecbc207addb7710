"""The state file itself: written whole or not at all, and read only if it is what it says.

It begins with a line of text that names the format and its version, then the length and a SHA-256
of what follows. A new state goes to a temporary file beside it, is forced to the disk and takes the
old one's place in one step, so whenever the process ends there is a whole file.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import struct
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_MAGIC = b"line-emulator state "
VERSION = 1
_HEAD = struct.Struct(">Q32s")


class StateError(Exception):
    """A state file that cannot be used; the text says which and why."""


class StateFile:
    """One state file. Only one emulator at a time may have it open."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._lock: IO[bytes] | None = None

    # One emulator at a time

    def open(self) -> None:
        """Take the file for this process. Raises StateError if another one has it."""
        if not self.path.parent.is_dir():
            raise StateError(f"there is no directory {self.path.parent}")
        if self.path.is_dir():
            raise StateError(f"{self.path} is a directory")
        try:
            lock = self._beside(".lock").open("wb")
        except OSError as error:
            raise StateError(f"cannot write beside {self.path}: {error.strerror}") from None
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                raise StateError(f"another emulator is using {self.path}") from None
        self._lock = lock
        self.sweep()

    def sweep(self) -> None:
        """Remove what a saving that was cut short has left behind."""
        for left_over in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.saving"):
            left_over.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the file to others."""
        if self._lock is not None:
            self._beside(".lock").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(f".{self.path.name}{ending}")

    # Reading

    def read(self) -> bytes | None:
        """What was saved, or None if there is no file yet. Raises StateError if it is unusable."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"cannot read {self.path}: {error.strerror}") from None
        if not data.startswith(_MAGIC):
            raise StateError(f"{self.path} is not a state file of this emulator")
        line, _, rest = data[len(_MAGIC) :].partition(b"\n")
        if line != str(VERSION).encode():
            shown = line[:20].decode("ascii", "replace")
            raise StateError(
                f"{self.path} has format {shown}; this emulator reads format {VERSION}"
            )
        if len(rest) < _HEAD.size:
            raise StateError(f"{self.path} is cut off")
        length, digest = _HEAD.unpack_from(rest)
        content = rest[_HEAD.size :]
        if len(content) != length:
            raise StateError(f"{self.path} is cut off: {len(content)} of {length} bytes are there")
        if hashlib.sha256(content).digest() != digest:
            raise StateError(f"{self.path} is damaged: its checksum is wrong")
        return content

    # Writing

    def write(self, content: bytes, *, only_while: int | None = None) -> bool:
        """Replace what the file holds. Raises OSError, and then the old content is still there.

        With `only_while`, nothing is replaced (and False returned) unless this process's parent is
        still the one with that id: who has been killed has no state to save any more.
        """
        temporary = self._beside(f".{os.getpid()}.saving")
        try:
            with temporary.open("wb") as out:
                out.write(_MAGIC + str(VERSION).encode() + b"\n")
                out.write(_HEAD.pack(len(content), hashlib.sha256(content).digest()))
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            # The file holds secrets and tokens: for its owner's eyes.
            temporary.chmod(0o600)
            if only_while is not None and os.getppid() != only_while:
                return False
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError, AttributeError):
            directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return True
