"""How the number of friends went, day by day, as far as LINE's followers statistics tell.

Only the changes of each day are remembered: how things stood on a past day is how they stand now
less what came after. People who were there before the story began count for every day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ..audience.people import Demographics, demographics
from ..model import Channel, Friendship, Phone, User
from ..platform import Platform

_SLICE = 200
"""So many people are counted before requests get their turn."""


@dataclass(slots=True)
class Change:
    """What one day (UTC+9) added, or took away: followers never become fewer."""

    followers: int = 0
    reach: int = 0
    blocks: int = 0


@dataclass(slots=True)
class FriendDays:
    """Each day's change by `yyyyMMdd`."""

    days: dict[str, Change] = field(default_factory=dict[str, Change])


@dataclass(frozen=True, slots=True)
class Standing:
    """How many added the account, can be reached by attributes, and block it."""

    followers: int
    reach: int
    blocks: int


def is_known(platform: Platform, user: User) -> bool:
    """Whether LINE believes to know enough to reach this person by gender, age and region."""
    return suffices(demographics(platform, user))


def suffices(known: Demographics) -> bool:
    """Whether one who is known so far is reached by gender, age and region."""
    return known.gender is not None and known.age is not None and known.area is not None


async def everybody(channel: Channel) -> AsyncIterator[tuple[str, Phone]]:
    """All who ever met the account, by user id; in between, requests get their turn."""
    for number, (user_id, phone) in enumerate(list(channel.phones.items()), 1):
        yield user_id, phone
        if not number % _SLICE:
            await asyncio.sleep(0)


def befriended(platform: Platform, channel: Channel, user: User, *, first: bool) -> None:
    """The person has just added the account for the first time, or unblocked it."""
    change = _today(platform, channel)
    if first:
        change.followers += 1
    else:
        change.blocks -= 1
    change.reach += is_known(platform, user)


def blocked(platform: Platform, channel: Channel, user: User) -> None:
    """The person has just blocked the account."""
    change = _today(platform, channel)
    change.blocks += 1
    change.reach -= is_known(platform, user)


def _today(platform: Platform, channel: Channel) -> Change:
    days = channel.store.of(FriendDays).days
    day = platform.clock.day()
    change = days.get(day)
    if change is None:
        change = days[day] = Change()
    return change


async def standing(platform: Platform, channel: Channel, day: str) -> Standing:
    """How things stood at the end of this day."""
    followers = reach = blocks = 0
    async for user_id, phone in everybody(channel):
        if phone.friendship is Friendship.FRIEND:
            followers += 1
            user = platform.users.get(user_id)
            reach += user is not None and is_known(platform, user)
        elif phone.friendship is Friendship.BLOCKED:
            followers += 1
            blocks += 1
    for later, change in channel.store.of(FriendDays).days.items():
        if later > day:
            followers -= change.followers
            reach -= change.reach
            blocks -= change.blocks
    return Standing(max(0, followers), max(0, reach), max(0, blocks))
