"""What messages are made of: media the shop uploaded, and links that tell who opened them."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column

from hiiki.db import Base, Identified, Owned


class Media(Base, Identified, Owned):
    """An image that LINE, and so any friend, may fetch by its unguessable key."""

    __tablename__ = "media"
    __table_args__ = ({"schema": "content"},)

    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    content_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    body: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    preview: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    """At most 1 MB and 240 pixels wide, as LINE wants previews."""


class Link(Base, Identified, Owned):
    """An address that is opened through Hiiki, so that we know who opened it."""

    __tablename__ = "link"
    __table_args__ = (Index(None, "workspace_id", "owner"), {"schema": "content"})

    code: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    owner: Mapped[str] = mapped_column(default="")
    """What it was made for, such as `broadcast:<id>`; a link is never used for two things."""
