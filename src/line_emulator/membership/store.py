"""A channel's membership plans and their members."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import datetime

from ..clock import JST

MAX_PLANS = 5
"""So many plans an account can offer (reference, "Get membership plans being offered")."""


@dataclass(slots=True)
class Member:
    """A person's subscription. Times in seconds since 1970; `no` is the member number."""

    no: int
    joined_at: float
    months: int = 1

    @property
    def next_billing(self) -> float:
        """When the next month begins: on the day of joining, or at the month's end."""
        joined = datetime.fromtimestamp(self.joined_at, JST)
        month = joined.month - 1 + self.months
        year, month = joined.year + month // 12, month % 12 + 1
        day = min(joined.day, calendar.monthrange(year, month)[1])
        return joined.replace(year=year, month=month, day=day).timestamp()


@dataclass(slots=True)
class Plan:
    """A plan as the LINE Official Account Manager makes it. `limit` None takes everybody."""

    id: int = 0
    title: str = "メンバーシップ"
    description: str = "会員限定のお知らせが届きます。"
    benefits: list[str] = field(default_factory=lambda: ["会員限定メッセージ"])
    price: float = 500.0
    currency: str = "JPY"
    limit: int | None = None
    in_app: bool = True
    published: bool = True
    last_no: int = 0
    members: dict[str, Member] = field(default_factory=dict[str, Member])


@dataclass(slots=True)
class Memberships:
    """All plans by id."""

    plans: dict[int, Plan] = field(default_factory=dict[int, Plan])
    last_id: int = 3188

    def plan_of(self, user_id: str) -> Plan | None:
        """The plan this person has joined; one at a time, as changing means leaving."""
        return next((one for one in self.plans.values() if user_id in one.members), None)
