"""What people and programs send to, and get from, this room."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from hiiki.content.draft import Sendable
from hiiki.coupons.models import Coupon, Issue
from hiiki.kit.forms import Wrong
from hiiki.kit.text import grapheme_length

MAX_TITLE = 40
MAX_TERMS = 1000
MAX_YEN = 10_000_000
MAX_DAYS = 3650
MAX_STOCK = 100_000_000


def _none_if_blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _title(value: str) -> str:
    value = value.strip()
    if not value:
        raise Wrong("Please fill this in.")
    if grapheme_length(value) > MAX_TITLE:
        raise Wrong("Please shorten this to %(max_length)s characters.", max_length=MAX_TITLE)
    return value


Maybe = BeforeValidator(_none_if_blank)


class CouponIn(BaseModel):
    """What staff decide of a coupon."""

    title: Annotated[Sendable, AfterValidator(_title)]
    benefit: Literal["percent", "yen", "gift"]
    amount: Annotated[int | None, Maybe] = None
    """Per cent (1 to 100) or yen off; nothing for a gift."""
    terms: Annotated[Sendable, StringConstraints(strip_whitespace=True, max_length=MAX_TERMS)] = ""
    valid_days: Annotated[Annotated[int, Field(ge=1, le=MAX_DAYS)] | None, Maybe] = None
    """How many days a person may use it after getting it."""
    valid_until: Annotated[AwareDatetime | None, Maybe] = None
    """The moment from which nobody gets or uses it any more."""
    stock: Annotated[Annotated[int, Field(ge=1, le=MAX_STOCK)] | None, Maybe] = None
    is_active: bool = True

    @field_validator("amount")
    @classmethod
    def _fits_the_benefit(cls, amount: int | None, info: ValidationInfo) -> int | None:
        match info.data.get("benefit"):
            case "percent":
                if amount is None or not 1 <= amount <= 100:
                    raise Wrong("Please enter a whole number from 1 to 100.")
            case "yen":
                if amount is None or not 1 <= amount <= MAX_YEN:
                    raise Wrong(
                        "Please enter a whole number from 1 to %(most)s.", most=f"{MAX_YEN:,}"
                    )
            case _:
                return None
        return amount

    # A missing amount is judged as well, not only one that was given.
    model_config = {"validate_default": True}


class CouponOut(BaseModel):
    """A coupon as the API shows it."""

    id: UUID
    title: str
    benefit: str
    amount: int | None
    terms: str
    valid_days: int | None
    valid_until: datetime | None
    stock: int | None
    issued: int
    used: int
    is_active: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, coupon: Coupon, used: int) -> CouponOut:
        """Return `coupon`, of which `used` have been used, as the API shows it."""
        values = {name: getattr(coupon, name) for name in cls.model_fields if name != "used"}
        return cls(**values, used=used)


class CouponPage(BaseModel):
    """Coupons, newest first; `next` is the `before` of the next page."""

    items: list[CouponOut]
    next: UUID | None


class IssueIn(BaseModel):
    """Who is to get one."""

    contact_id: UUID
    channel_id: UUID | None = None
    """The account that says so; by default the one on which the contact was last seen."""


class IssueOut(BaseModel):
    """One coupon in one person's hands."""

    id: UUID
    coupon_id: UUID
    contact_id: UUID
    code: str
    grant_key: str
    issued_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    url: str

    @classmethod
    def of(cls, issue: Issue, url: str) -> IssueOut:
        """Return `issue` as the API shows it."""
        values = {name: getattr(issue, name) for name in cls.model_fields if name != "url"}
        return cls(**values, url=url)


class IssuePage(BaseModel):
    """Issues, newest first; `next` is the `before` of the next page."""

    items: list[IssueOut]
    next: UUID | None


class UseIn(BaseModel):
    """The code that a customer shows."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
