"""What messages cost in Japan, by LINE's plans, so that a shop sees yen before it sends.

LINE Official Account plans ("Messaging API pricing", and lycbiz.com's plan page, tax not
included). The tiers of the Standard plan are those reported for 2026-10-01; LINE revises
them now and then, so a file of one's own (`HIIKI_LINE_PRICES`) replaces all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hiiki.kit.i18n import Text, _
from hiiki.settings import settings


class Tier(BaseModel):
    """A price for additional messages, up to a number of them."""

    model_config = ConfigDict(frozen=True)

    up_to: int | None = Field(default=None, ge=1)
    """How many additional messages of the month this tier reaches; None is without an end."""
    yen: Decimal = Field(ge=0)
    """For one message."""


class Plan(BaseModel):
    """A plan of a LINE Official Account."""

    model_config = ConfigDict(frozen=True)

    monthly_yen: int = Field(ge=0)
    included: int = Field(ge=0)
    """Messages a month in the monthly fee."""
    tiers: tuple[Tier, ...] = ()
    """Additional messages; without tiers the plan sells none."""

    @property
    def sells_extra(self) -> bool:
        """True when messages beyond the included ones can be bought."""
        return bool(self.tiers)


LABELS: Mapping[str, Text] = {
    "communication": _("Communication plan"),
    "light": _("Light plan"),
    "standard": _("Standard plan"),
}

DEFAULT_PLANS: Mapping[str, Plan] = {
    "communication": Plan(monthly_yen=0, included=200),
    "light": Plan(monthly_yen=5_000, included=5_000),
    "standard": Plan(
        monthly_yen=15_000,
        included=30_000,
        tiers=(Tier(up_to=200_000, yen=Decimal("3.0")), Tier(yen=Decimal("2.5"))),
    ),
}


def plans() -> Mapping[str, Plan]:
    """Return the plans by name, from the operator's price file if there is one.

    Raises `OSError` or `pydantic.ValidationError` when that file cannot be read.
    """
    path = settings().line_prices
    return DEFAULT_PLANS if path is None else _read(path)


@lru_cache(maxsize=4)
def _read(path: Path) -> Mapping[str, Plan]:
    own = TypeAdapter(dict[str, Plan]).validate_json(path.read_bytes())
    return {**DEFAULT_PLANS, **own}


def price(plan: str, used: int, extra: int) -> Decimal:
    """Return by how many yen the month's bill grows for `extra` more messages after `used`.

    What the plan includes costs nothing more. A plan that sells no additional messages
    never bills any: LINE refuses to send them, which is the quota's business.
    """
    found = plans()[plan]
    before = max(0, used - found.included)
    after = max(0, used + max(0, extra) - found.included)
    total = Decimal(0)
    start = 0
    for tier in found.tiers:
        end = after if tier.up_to is None else min(after, tier.up_to)
        total += max(0, end - max(start, before)) * tier.yen
        if tier.up_to is None:
            break
        start = tier.up_to
    return total


def sendable(plan: str, used: int, quota_limit: int | None) -> int | None:
    """Return how many more messages this month allows; None is without a limit.

    LINE's own figure leads; where it gives none, a plan without additional messages
    ends with the included ones.
    """
    found = plans()[plan]
    if quota_limit is not None:
        return max(0, quota_limit - used)
    return None if found.sells_extra else max(0, found.included - used)
