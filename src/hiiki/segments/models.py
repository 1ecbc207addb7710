"""Segments: saved questions about people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import WORKED_OUT, Base, Identified, Owned, OwnedInBulk


class Segment(Base, Identified, Owned):
    """A rule tree with a name. It holds no members: it is asked afresh each time."""

    __tablename__ = "segment"
    __table_args__ = (
        Index("uq_segment_name", "workspace_id", "name", unique=True),
        {"schema": "segments"},
    )

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    rule: Mapped[dict[str, Any]]
    """A `hiiki.segments.rules.Rule` as JSON."""


class PeopleList(Base, Identified, Owned):
    """People whom somebody pasted or uploaded, under a name: who is on it stays on it."""

    __tablename__ = "list"
    __table_args__ = (
        Index("uq_list_name", "workspace_id", "name", unique=True),
        {"schema": "segments"},
    )

    name: Mapped[str]
    members: Mapped[int] = mapped_column(default=0)
    """How many were on it when it was last filled; those erased since are not taken off."""


class ListMember(Base, OwnedInBulk):
    """That a contact is on a list.

    Without foreign keys, as a million of them are written at once: erasing a contact, or
    deleting a list, deletes these first.
    """

    __tablename__ = "list_member"
    __table_args__ = (Index(None, "list_id", "contact_id"), {"schema": "segments"})

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_id: Mapped[UUID] = mapped_column(primary_key=True)


class ListGap(Base, Owned):
    """The lines that meant nobody when a list was last filled, for staff to look into."""

    __tablename__ = "list_gap"
    __table_args__ = ({"schema": "segments"},)

    list_id: Mapped[UUID] = mapped_column(
        ForeignKey("segments.list.id", ondelete="CASCADE"), primary_key=True
    )
    n: Mapped[int]
    lines: Mapped[str]


# --- what became of it: who came and went, and who changed it ------------------------------


class Watch(Base, Owned):
    """How far the history of a segment has got (`hiiki.segments.history`)."""

    __tablename__ = "watch"
    __table_args__ = ({"schema": "segments"},)

    segment_id: Mapped[UUID] = mapped_column(
        ForeignKey("segments.segment.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, Identity(), unique=True)
    """What stands for the segment in `Standing.numbers`; never given to another."""
    tells_since: Mapped[datetime | None]
    """Since when entering and leaving become events, which start rules; NULL: they do not."""
    mark: Mapped[str] = mapped_column(default="")
    """A digest of the rule, with all that it refers to, that the last count went by."""
    asked_at: Mapped[datetime | None]
    """When somebody last asked for a count."""
    tried_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]
    """Before `tried_at` when the segment could not be asked: it keeps what it had."""


class Standing(Base, OwnedInBulk):
    """Which segments a person was in when each of them was last counted.

    One row a person, whatever the number of segments: a row for each membership would be fifty
    million of them for a million friends in fifty segments. Space is left in each page so that
    a change stays in it and touches no index: neither names a column that changes.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index(None, "workspace_id"),
        {
            "schema": "segments",
            "postgresql_with": {"fillfactor": 80},
            # Who is merged into somebody brings her segments along, or would enter them again.
            "info": {**WORKED_OUT, "united": ("numbers",)},
        },
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    numbers: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Of `Watch.number`, in no order; after a merge some stand in it twice."""


class Crossing(Base, OwnedInBulk):
    """That a person entered or left a segment between two counts.

    Kept until it has become an event, where that is asked for, and while it is among the last
    of its segment that staff can look at.
    """

    __tablename__ = "crossing"
    __table_args__ = (
        Index(None, "segment_id", "at"),
        Index("ix_crossing_due", "segment_id", postgresql_where=text("is_due")),
        {"schema": "segments", "info": WORKED_OUT},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID] = mapped_column(
        ForeignKey("segments.segment.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(primary_key=True)
    """When the count was taken that saw it."""
    entered: Mapped[bool]
    """False: left."""
    is_due: Mapped[bool]
    """Has still to become an event."""


class SegmentDay(Base, Owned):
    """A segment's figures on one day of the workspace's zone, as last counted on it."""

    __tablename__ = "segment_day"
    __table_args__ = ({"schema": "segments"},)

    segment_id: Mapped[UUID] = mapped_column(
        ForeignKey("segments.segment.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    members: Mapped[int]
    reachable: Mapped[int]
    entered: Mapped[int]
    """Since the count before, all counts of the day together."""
    left: Mapped[int]
    anew: Mapped[bool] = mapped_column(default=False)
    """The rule had changed, or this was the first count: nobody is said to have entered or left."""


class Version(Base, Identified, Owned):
    """A segment as somebody left it; stays when that is deleted, so that it can come back."""

    __tablename__ = "version"
    __table_args__ = (Index(None, "workspace_id", "segment_id", "id"), {"schema": "segments"})

    segment_id: Mapped[UUID]
    what: Mapped[str]
    """create, update, restore or delete."""
    actor_name: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    rule: Mapped[dict[str, Any]]
