"""Coupons and who holds them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hiiki.db import Base, Identified, Owned
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7


class Coupon(Base, Identified, Owned):
    """An offer: what it gives, until when, how many there are."""

    __tablename__ = "coupon"
    __table_args__ = (
        CheckConstraint("benefit in ('percent', 'yen', 'gift')", name="benefit"),
        CheckConstraint("stock is null or issued <= stock", name="stock"),
        {"schema": "coupons"},
    )

    title: Mapped[str]
    benefit: Mapped[str]
    amount: Mapped[int | None]
    """Per cent off or yen off; NULL for a gift, which the title names."""
    terms: Mapped[str] = mapped_column(default="")
    valid_days: Mapped[int | None]
    """Days after issue; NULL leaves only `valid_until`."""
    valid_until: Mapped[datetime | None]
    stock: Mapped[int | None]
    """How many may be issued in all; NULL is without limit."""
    issued: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class Issue(Base, Owned):
    """One coupon in one person's hands. Used once, by its unguessable code."""

    __tablename__ = "issue"
    __table_args__ = (
        # The same cause never grants the same coupon twice (requirement A2).
        Index("uq_issue_grant", "coupon_id", "contact_id", "grant_key", unique=True),
        # Not unique: spread over servers, no index could say so. Of 59 bits drawn at random no
        # two are the same.
        Index(None, "code"),
        Index(None, "coupon_id", "id"),
        {"schema": "coupons"},
    )

    contact_id: Mapped[UUID] = mapped_column(
        ForeignKey("contacts.contact.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("coupons.coupon.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID | None]
    grant_key: Mapped[str]
    """What it was granted for, such as `survey:<id>`."""
    code: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
