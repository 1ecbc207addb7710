"""How often a rich menu was seen and tapped, day by day: what its insight is made of.

Reference, "Get rich menu insight totals" and "… by day": impressions and clicks of each area, with
the number of different people, by day in UTC+9, of menus made with the Messaging API only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..insight.tally import Tally
from ..model import Channel, Json, User
from ..platform import Platform

if TYPE_CHECKING:
    from .store import RichMenu


@dataclass(slots=True)
class MenuDay:
    """One day of one menu; `clicks` has a tally for each area, in the menu's order."""

    impression: Tally = field(default_factory=Tally)
    clicks: list[Tally] = field(default_factory=list[Tally])


@dataclass(slots=True)
class MenuRecord:
    """A menu's days by `yyyyMMdd`, and its areas' bounds."""

    bounds: list[Json] = field(default_factory=list[Json])
    days: dict[str, MenuDay] = field(default_factory=dict[str, MenuDay])


@dataclass(slots=True)
class MenuRecords:
    """The records of a channel's menus, by menu id."""

    by_menu: dict[str, MenuRecord] = field(default_factory=dict[str, MenuRecord])


def _today(platform: Platform, channel: Channel, menu: RichMenu) -> MenuDay:
    records = channel.store.of(MenuRecords).by_menu
    record = records.get(menu.id)
    if record is None:
        record = records[menu.id] = MenuRecord([area["bounds"] for area in menu.areas])
    day = platform.clock.day()
    today = record.days.get(day)
    if today is None:
        today = record.days[day] = MenuDay(clicks=[Tally() for _ in menu.areas])
    return today


def impression(platform: Platform, channel: Channel, user: User, menu: RichMenu) -> None:
    """The person has just seen the menu open."""
    if not menu.by_manager:
        _today(platform, channel, menu).impression.add(user.index)


def click(platform: Platform, channel: Channel, user: User, menu: RichMenu, area: int) -> None:
    """The person has just tapped the area with this index."""
    if not menu.by_manager:
        _today(platform, channel, menu).clicks[area].add(user.index)


def forget(channel: Channel, menu_id: str) -> None:
    """The menu is no more, and LINE answers 404 for its insight."""
    channel.store.of(MenuRecords).by_menu.pop(menu_id, None)


def of_menu(channel: Channel, menu_id: str) -> MenuRecord:
    """The menu's record, an empty one if it was never seen."""
    return channel.store.of(MenuRecords).by_menu.get(menu_id) or MenuRecord()


def days(record: MenuRecord, first: str, last: str) -> list[tuple[str, MenuDay]]:
    """The days from `first` to `last` (`yyyyMMdd`, both included) that have figures, in order."""
    return [(day, record.days[day]) for day in sorted(record.days) if first <= day <= last]
