"""What messages cost, by LINE's plans, so that a shop sees money before it sends.

LINE Official Account plans of Japan ("Messaging API pricing", and lycbiz.com's plan page, tax
not included). The tiers of the Standard plan are those reported for 2026-10-01; LINE revises
them now and then, and other countries have plans of their own, so a file of the operator's
(`HIIKI_LINE_PRICES`) takes their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hiiki.kit.i18n import Text, _
from hiiki.settings import settings

YEN = "JPY"


class Tier(BaseModel):
    """A price for additional messages, up to a number of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    up_to: int | None = Field(default=None, ge=1)
    """How many additional messages of the month this tier reaches; None is without an end."""
    price: Decimal = Field(ge=0)
    """For one message."""


class Plan(BaseModel):
    """A plan of a LINE Official Account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str = Field(default="", max_length=40)
    """What the plan is called; without it the name under which it stands."""
    monthly_fee: Decimal = Field(ge=0)
    included: int = Field(ge=0)
    """Messages a month in the monthly fee."""
    tiers: tuple[Tier, ...] = ()
    """Additional messages; without tiers the plan sells none."""

    @model_validator(mode="after")
    def _rises(self) -> Plan:
        ends = [tier.up_to for tier in self.tiers]
        known = [end for end in ends if end is not None]
        if None in ends[:-1] or known != sorted(set(known)):
            raise ValueError("each tier must reach further than the one before it")
        return self

    @property
    def sells_extra(self) -> bool:
        """True when messages beyond the included ones can be bought."""
        return bool(self.tiers)


class PriceList(BaseModel):
    """The operator's file: a country's plans by name, and the currency of their prices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = YEN
    """By ISO 4217, such as JPY, TWD, THB."""
    plans: dict[str, Plan] = Field(min_length=1)

    def known(self, name: str) -> str:
        """Return the name of the plan that holds for an account that has chosen `name`.

        That is the smallest one when the operator's list does not have it (any more).
        """
        if name in self.plans:
            return name
        return min(self.plans, key=lambda other: self.plans[other].included)


LABELS: Mapping[str, Text] = {
    "communication": _("Communication plan"),
    "light": _("Light plan"),
    "standard": _("Standard plan"),
}

JAPAN = PriceList(
    plans={
        "communication": Plan(monthly_fee=Decimal(0), included=200),
        "light": Plan(monthly_fee=Decimal(5_000), included=5_000),
        "standard": Plan(
            monthly_fee=Decimal(15_000),
            included=30_000,
            tiers=(Tier(up_to=200_000, price=Decimal("3.0")), Tier(price=Decimal("2.5"))),
        ),
    }
)


def price_list() -> PriceList:
    """Return the plans that hold here: the operator's, or Japan's.

    Raises `OSError` or `pydantic.ValidationError` when the operator's file cannot be read.
    """
    path = settings().line_prices
    return JAPAN if path is None else _read(path)


@lru_cache(maxsize=4)
def _read(path: Path) -> PriceList:
    return PriceList.model_validate_json(path.read_bytes())


def plans() -> Mapping[str, Plan]:
    """Return the plans that hold here, by name."""
    return price_list().plans


def plan_of(name: str) -> Plan:
    """Return the plan that holds for an account that has chosen `name`."""
    found = price_list()
    return found.plans[found.known(name)]


def label_of(name: str) -> Text | str:
    """Return what a plan is called."""
    found = plans().get(name)
    return (found.label if found else "") or LABELS.get(name, name)


def price(plan: str, used: int, extra: int) -> Decimal:
    """Return by how much the month's bill grows for `extra` more messages after `used`.

    What the plan includes costs nothing more. A plan that sells no additional messages
    never bills any: LINE refuses to send them, which is the quota's business.
    """
    found = plan_of(plan)
    before = max(0, used - found.included)
    after = max(0, used + max(0, extra) - found.included)
    total = Decimal(0)
    start = 0
    for tier in found.tiers:
        end = after if tier.up_to is None else min(after, tier.up_to)
        total += max(0, end - max(start, before)) * tier.price
        if tier.up_to is None:
            break
        start = tier.up_to
    return total
