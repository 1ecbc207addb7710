"""Who is linked with which customer number, and how a shop lets its customers link."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned, OwnedInBulk
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7

METHODS = ("page", "site")
CHECKS = ("email", "birthday", "phone")
WAYS = ("account", "login", "staff", "api")


class Setting(Base, Owned):
    """How a workspace links its customers. Without a row nothing can be linked by customers."""

    __tablename__ = "setting"
    __table_args__ = (
        CheckConstraint("method in ('page', 'site')", name="method"),
        CheckConstraint("proof in ('email', 'birthday', 'phone')", name="proof"),
        {"schema": "idlink"},
    )

    workspace_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("workspace.workspace.id", ondelete="CASCADE"), primary_key=True
    )
    method: Mapped[str] = mapped_column(default="page")
    """Where customers say who they are: on our page, or on the shop's own site."""
    site_url: Mapped[str] = mapped_column(default="")
    """The log-in page of the shop's site, for `site`."""
    proof: Mapped[str] = mapped_column(default="email")
    """What our page asks for beside the customer number: email, birthday or phone."""
    moves: Mapped[bool] = mapped_column(default=False)
    """Whether a number that is linked may be moved to another LINE account."""
    rewards: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    """Actions that run when a person links for the first time."""
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Language → the shop's own words for its customers; what is empty has ours."""
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class LoginChannel(Base, Identified, Owned):
    """A LINE Login channel, of the same LINE provider as the official account."""

    __tablename__ = "login_channel"
    __table_args__ = (Index("uq_login_channel", "channel_id", unique=True), {"schema": "idlink"})

    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))
    """The official account whose friends log in by it."""
    line_channel_id: Mapped[str]
    sealed_secret: Mapped[bytes]


class Place(Base, Identified, Owned):
    """A place where customers are asked to link: a store, the receipt, the site."""

    __tablename__ = "place"
    __table_args__ = (
        Index("uq_place_name", "workspace_id", "name", unique=True),
        Index("uq_place_code", "code", unique=True),
        {"schema": "idlink"},
    )

    name: Mapped[str]
    code: Mapped[str]
    """The last part of the place's public address."""
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("workspace.channel.id", ondelete="CASCADE"))


class Link(Base, OwnedInBulk):
    """That a LINE friend is the shop's customer of this number."""

    __tablename__ = "link"
    __table_args__ = (
        Index(None, "workspace_id", "linked_at", "contact_id"),
        # That a number is one person's is seen to by a lock (`service.link`): a unique index
        # over all people could not be split over several machines.
        Index(None, "workspace_id", "customer"),
        {"schema": "idlink"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    customer: Mapped[str]
    """The shop's own number of the customer."""
    way: Mapped[str]
    """account (LINE's account link), login (LINE Login), staff or api."""
    place: Mapped[str] = mapped_column(default="")
    """The code of the place they came by; "" for messages and menus."""
    channel_id: Mapped[UUID | None]
    linked_at: Mapped[datetime] = mapped_column(default=now)


class Reward(Base, OwnedInBulk):
    """That the incentive was given: once a person, and once a customer number."""

    __tablename__ = "reward"
    __table_args__ = (Index(None, "workspace_id", "customer"), {"schema": "idlink"})

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    customer: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class Pass(Base, Owned):
    """A link token or a nonce of a linking that is under way; of either only the SHA-256."""

    __tablename__ = "pass"
    __table_args__ = (
        CheckConstraint("kind in ('token', 'nonce')", name="kind"),
        Index(None, "workspace_id", "expires_at"),
        {"schema": "idlink"},
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    customer: Mapped[str] = mapped_column(default="")
    """Of a nonce: who logged in."""
    visitor: Mapped[UUID | None]
    """The contact who is linking, where that is known."""
    place: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Attempt(Base, Owned):
    """A try at our page, kept for an hour, so that nobody can try many."""

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "key", "at"), {"schema": "idlink"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    key: Mapped[str]
    """A hash of whom it is counted for: the visitor, the number tried or the address."""
    at: Mapped[datetime] = mapped_column(default=now)
