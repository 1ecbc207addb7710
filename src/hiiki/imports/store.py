"""Where files lie: a folder of the data directory, which web servers and workers share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from hiiki.imports.files import too_large
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.settings import settings

FILE_MOST = 1_000_000_000
"""Bytes."""


def path_of(workspace_id: UUID, ident: UUID, kind: str = "in") -> Path:
    """Return where the file of an import (`in`) or of an export (`out`) is."""
    return settings().data_dir / "files" / kind / str(workspace_id) / f"{ident}.csv"


async def keep(path: Path, blocks: AsyncIterator[bytes], most: int = FILE_MOST) -> int:
    """Write a file as it comes, and return its size in bytes.

    Raises `Invalid` for an empty one and for one of more than `most` bytes; then nothing stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    try:
        with path.open("wb") as file:
            async for block in blocks:
                size += len(block)
                if size > most:
                    raise Invalid(fields={"file": too_large(most)})
                file.write(block)
        if not size:
            raise Invalid(
                fields={"file": _("This file is empty. Its first line names the columns.")}
            )
    except BaseException:
        _drop(path)
        raise
    return size


def draft_of(path: Path) -> Path:
    """Return where a file stands until it is whole."""
    return path.with_suffix(".draft")


def _drop(path: Path) -> None:
    path.unlink(missing_ok=True)


def forget(workspace_id: UUID, ident: UUID, kind: str = "in") -> None:
    """Delete a file, if it is still there, and what was written of it so far."""
    path = path_of(workspace_id, ident, kind)
    _drop(path)
    _drop(draft_of(path))
