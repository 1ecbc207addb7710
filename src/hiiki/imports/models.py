"""Files that come in and go out, and how far each is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned
from hiiki.kit.clock import now


class Import(Base, Identified, Owned):
    """A file that was sent in, and what became of it."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint(
            "state in ('uploaded', 'checking', 'checked', 'running', 'paused', 'finished',"
            " 'cancelled', 'failed', 'undoing', 'undone')",
            name="state",
        ),
        Index(None, "workspace_id", "id"),
        {"schema": "imports"},
    )

    kind: Mapped[str]
    """The name of what is imported (`hiiki.kit.importable.Importable`)."""
    name: Mapped[str]
    """The file's name, as its sender calls it."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes."""
    actor_name: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="uploaded")
    """uploaded → checking → checked → running ⇄ paused → finished | cancelled → undoing → undone.
    `failed` goes on where it was when it is started again."""
    encoding: Mapped[str]
    separator: Mapped[str]
    source: Mapped[str] = mapped_column(default="")
    """The `ExportFormat` that the headings tell; "" for none."""
    headings: Mapped[list[Any]] = mapped_column(default=list)
    mapping: Mapped[list[Any]] = mapped_column(default=list)
    """For each heading the name of its column, or ""."""
    clears: Mapped[bool] = mapped_column(default=False)
    keeps: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What else was chosen for it (`Importable.asks`)."""
    unattended: Mapped[bool] = mapped_column(default=False)
    """Whether its lines are taken as soon as they were checked, without anybody looking."""
    lines: Mapped[int | None]
    """How many there are, with the heading; known once the file was checked."""
    done: Mapped[int] = mapped_column(default=1)
    """The last line that was taken (or checked)."""
    place: Mapped[int] = mapped_column(BigInteger, default=0)
    """The bytes that were read for that."""
    foreseen: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the check found: lines that would be new, changed, same, refused."""
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the run did: lines new, changed, same, refused; then undone and kept."""
    started_at: Mapped[datetime | None]
    """When the present stretch (check, run or undoing) began, for its rate."""
    started_from: Mapped[int] = mapped_column(default=1)
    """The line at which it began."""
    finished_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
    """Of a failed one: what the system said, for whoever looks after it."""
    gone_at: Mapped[datetime | None]
    """When the file was deleted."""


class Refusal(Base, Owned):
    """One thing that is wrong with a line that was not taken. The line is still in the file."""

    __tablename__ = "refusal"
    __table_args__ = ({"schema": "imports"},)

    import_id: Mapped[UUID] = mapped_column(
        ForeignKey("imports.import.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, default=0)
    """0 for the first thing that is wrong with the line, then 1, …"""
    column: Mapped[str] = mapped_column(default="")
    value: Mapped[str] = mapped_column(default="")
    reason: Mapped[str]
    """In English, with its gaps; each reader gets it in their own language."""
    gaps: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Remembered(Base, Owned):
    """How a file with these headings was read last time."""

    __tablename__ = "remembered"
    __table_args__ = ({"schema": "imports"},)

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[list[Any]] = mapped_column(default=list)
    clears: Mapped[bool] = mapped_column(default=False)
    keeps: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Export(Base, Identified, Owned):
    """A file that is written for somebody to take along."""

    __tablename__ = "export"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'writing', 'ready', 'failed')", name="state"),
        Index(None, "workspace_id", "id"),
        {"schema": "imports"},
    )

    kind: Mapped[str]
    """friends, or orders."""
    wanted: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of whom: `segment` (its id), or the friends list's filter."""
    name: Mapped[str]
    """What it is of, as people call it."""
    columns: Mapped[list[Any]] = mapped_column(default=list)
    encoding: Mapped[str] = mapped_column(default="utf-8-sig")
    locale: Mapped[str] = mapped_column(default="ja")
    actor_name: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="waiting")
    total: Mapped[int | None]
    """How many lines it will have, about; known once it is begun."""
    done: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes, once it is ready."""
    error: Mapped[str] = mapped_column(default="")
    """Of a failed one: what the system said; "" when what was wanted is no longer there."""
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    """When the file is deleted, and this with it."""
