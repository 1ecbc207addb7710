"""A channel's coupons, and who has got and used them.

LINE tells bots nothing of what people do with a coupon: no webhook, no list. So what is kept here
of people is for their phones and for the control API.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from ..model import Json

Status = Literal["DRAFT", "RUNNING", "CLOSED"]
MAX_VALID = 5_000
"""So many valid coupons a channel can have (reference, "Create a coupon")."""


class CouponError(Exception):
    """A coupon that cannot be got or used; the text says why."""


@dataclass(slots=True)
class Ticket:
    """What came of a person's opening a coupon: won or lost, and when it was used (seconds)."""

    at: float
    won: bool = True
    used_at: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Coupon:
    """A coupon as it was made. Times in seconds since 1970."""

    id: str
    body: Json
    created_at: float
    closed_at: float | None = None
    tickets: dict[str, Ticket] = field(default_factory=dict[str, Ticket])

    def status(self, now: float) -> Status:
        """RUNNING is upcoming or valid, CLOSED discontinued or expired."""
        if self.closed_at is not None or now > self.body["endTimestamp"]:
            return "CLOSED"
        return "RUNNING"

    @property
    def lottery(self) -> bool:
        """Whether people must win it."""
        return self.body["acquisitionCondition"]["type"] == "lottery"

    def get(self, user_id: str, now: float, seed: int) -> Ticket:
        """The person opens the coupon: gets it, or draws lots, once and for all.

        The same seed gives the same luck. Raises CouponError.
        """
        ticket = self.tickets.get(user_id)
        if ticket is not None:
            return ticket
        if self.status(now) == "CLOSED":
            raise CouponError("the coupon is over")
        won = not self.lottery or self._draw(user_id, seed)
        ticket = self.tickets[user_id] = Ticket(now, won)
        return ticket

    def _draw(self, user_id: str, seed: int) -> bool:
        condition = self.body["acquisitionCondition"]
        most: int = condition["maxAcquireCount"]
        if most != -1 and sum(one.won for one in self.tickets.values()) >= most:
            return False
        lot = random.Random(f"{seed}/{self.body['title']}/{user_id}")  # noqa: S311 - a game
        return lot.random() * 100 < condition["lotteryProbability"]

    def use(self, user_id: str, now: float) -> Ticket:
        """The person uses the coupon at the shop. Raises CouponError."""
        ticket = self.tickets.get(user_id)
        if ticket is None or not ticket.won:
            raise CouponError("the person does not have this coupon")
        if self.status(now) == "CLOSED":
            raise CouponError("the coupon is over")
        if now < self.body["startTimestamp"]:
            raise CouponError("the coupon is not valid yet")
        if ticket.used_at and self.body["maxUseCountPerTicket"] == 1:
            raise CouponError("the coupon was used already")
        ticket.used_at.append(now)
        return ticket


@dataclass(slots=True)
class Coupons:
    """All coupons of a channel, in the order in which they were made."""

    by_id: dict[str, Coupon] = field(default_factory=dict[str, Coupon])

    def full(self, now: float) -> bool:
        """Whether there are as many upcoming and valid ones as there can be."""
        if len(self.by_id) < MAX_VALID:
            return False
        return sum(one.status(now) == "RUNNING" for one in self.by_id.values()) >= MAX_VALID
