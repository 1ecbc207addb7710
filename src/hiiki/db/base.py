"""What every table has in common.

Each room owns one PostgreSQL schema of its own name, so that a table's name tells its
room. Everything that belongs to a shop is `Owned`: it has a `workspace_id`, and the
gate (`hiiki.db.gate`) scopes every query on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, MetaData, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

SCHEMAS = (
    "workspace",
    "contacts",
    "timeline",
    "content",
    "segments",
    "delivery",
    "actions",
    "ingest",
    "surveys",
    "broadcasts",
    "coupons",
    "ninecells",
    "personas",
    "rfm",
    "idlink",
    "purchases",
    "imports",
    "ltv",
)
"""The rooms with tables: each has `models.py`, and a schema of its name."""


class Base(DeclarativeBase):
    """Base of all tables. Names of constraints are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 — SQLAlchemy reads it as a class attribute
        datetime: DateTime(timezone=True),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class Owned:
    """Mixin: a row that belongs to one workspace. The gate sees to it that it stays there."""

    @declared_attr
    @classmethod
    def workspace_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey("workspace.workspace.id", ondelete="CASCADE"), index=True)


class OwnedInBulk(Owned):
    """The same for tables that get thousands of rows in one statement.

    PostgreSQL looks a foreign key up row by row, and an index on nothing but the workspace
    helps no question: at a million rows each costs more than all else. What goes with a
    workspace of such a table is for whoever deletes workspaces to delete.
    """

    @declared_attr
    @classmethod
    def workspace_id(cls) -> Mapped[UUID]:
        return mapped_column()


WORKED_OUT = {"worked_out": True}
"""`info` of tables about contacts that hold only what can be worked out anew at any time: such a
row is no sign that anybody has to do with the person."""


class Identified:
    """Mixin: a time-ordered id of its own, and when it was made and last changed."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
