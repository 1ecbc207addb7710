"""What phones really did with what arrived: shown, opened, tapped links, played media.

LINE keeps statistics of broadcasts and narrowcasts by request, and of pushes and multicasts by
aggregation unit (reference, "Get user interaction statistics", "Get statistics per unit"); both
are updated for 14 days from sending. Other sendings leave no trace here, so an ordinary push costs
nothing. The record begins when a message arrives (`delivered`), and grows with what people do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..clock import JST
from ..model import Channel, Phone, Sending, User
from ..platform import Platform
from .people import People
from .tally import Tally

UPDATED_SECONDS = 14 * 24 * 3600
"""How long after sending statistics are updated (reference, "On the recorded statistics")."""
QUARTERS = (0, 25, 50, 75, 100)
"""How far media was played, in percent; 0 is that it started."""
UNIT_DAYS_KEPT = 400
"""Statistics of units are forgotten after so many days; LINE publishes no figure."""


@dataclass(slots=True)
class Bubble:
    """One message object of a sending; `links` by URL, `played` by percent."""

    shown: Tally = field(default_factory=Tally)
    links: dict[str, Tally] = field(default_factory=dict[str, Tally])
    played: dict[int, Tally] = field(default_factory=dict[int, Tally])


@dataclass(slots=True)
class Record:
    """What came of one request, or of all requests of a unit on one day.

    `at` is the time of sending in seconds since 1970, `delivered` the number of phones reached.
    """

    at: float = 0.0
    delivered: int = 0
    bubbles: list[Bubble] = field(default_factory=list[Bubble])

    def bubble(self, index: int) -> Bubble:
        """The bubble at this place, counted from 0."""
        while len(self.bubbles) <= index:
            self.bubbles.append(Bubble())
        return self.bubbles[index]

    def openers(self) -> People:
        """Who saw at least one bubble."""
        return union(bubble.shown.people for bubble in self.bubbles)

    def clickers(self, url: str | None = None) -> People:
        """Who opened this URL, or any."""
        return union(
            tally.people
            for bubble in self.bubbles
            for link, tally in bubble.links.items()
            if url is None or link == url
        )

    def players(self, percent: int) -> People:
        """Who played any media at least so far: one of `QUARTERS`."""
        return union(
            bubble.played[percent].people for bubble in self.bubbles if percent in bubble.played
        )


@dataclass(slots=True)
class Records:
    """A channel's records: broadcasts and narrowcasts by request id, units by name and day."""

    requests: dict[str, Record] = field(default_factory=dict[str, Record])
    units: dict[str, dict[str, Record]] = field(default_factory=dict[str, dict[str, Record]])


def union(several: Iterable[People]) -> People:
    """All who are in any of these."""
    everybody = People()
    for people in several:
        everybody.update(people)
    return everybody


def day_of(seconds: float) -> str:
    """The day in UTC+9 as `yyyyMMdd`."""
    return datetime.fromtimestamp(seconds, JST).strftime("%Y%m%d")


def delivered(channel: Channel, sending: Sending, people: int) -> None:
    """A sending reached so many phones (more of them with every call)."""
    if sending.via in ("broadcast", "narrowcast"):
        requests = channel.store.of(Records).requests
        record = requests.get(sending.request_id)
        if record is None:
            record = requests[sending.request_id] = Record(at=sending.at_ms / 1000)
    elif sending.unit is not None:
        at = sending.at_ms / 1000
        days = channel.store.of(Records).units.setdefault(sending.unit, {})
        day = day_of(at)
        record = days.get(day)
        if record is None:
            record = days[day] = Record(at=at)
            if len(days) > UNIT_DAYS_KEPT:
                del days[min(days)]
    else:
        return
    record.delivered += people


def of_sending(platform: Platform, channel: Channel, sending: Sending) -> Record | None:
    """The record that what happens now with this sending belongs to.

    None if LINE keeps no statistics of it, or no longer.
    """
    if sending.unit is None and sending.via not in ("broadcast", "narrowcast"):
        return None
    sent_at = sending.at_ms / 1000
    if platform.clock.now() - sent_at > UPDATED_SECONDS:
        return None
    records = channel.store.of(Records)
    if sending.via in ("broadcast", "narrowcast"):
        return records.requests.get(sending.request_id)
    return records.units.get(sending.unit or "", {}).get(day_of(sent_at))


# What people do


def read_chat(platform: Platform, channel: Channel, user: User) -> int:
    """The person looks at the chat: all that is new in it is shown. Returns how many sendings.

    Whatever makes a person look at the chat calls this: the act `read`, writing and tapping, the
    phone's page when it is opened and when something arrives while it is in view.
    """
    phone = channel.phone(user.id)
    phone.read_to_ms = platform.clock.now_ms()
    new = _unseen(phone)
    for sending in new:
        opened(platform, channel, user, sending)
    return len(new)


def _unseen(phone: Phone) -> list[Sending]:
    first, phone.seen = phone.seen, len(phone.entries)
    return [entry for entry in phone.entries[first:] if isinstance(entry, Sending)]


def opened(
    platform: Platform, channel: Channel, user: User, sending: Sending, bubble: int | None = None
) -> None:
    """A sending was shown on the phone (once more), or one bubble of it."""
    record = of_sending(platform, channel, sending)
    if record is None:
        return
    shown = range(len(sending.message_ids)) if bubble is None else (bubble,)
    for place in shown:
        record.bubble(place).shown.add(user.index)


def clicked(
    platform: Platform, channel: Channel, user: User, sending: Sending, bubble: int, url: str
) -> None:
    """The person opened a link of bubble number `bubble` (from 0)."""
    record = of_sending(platform, channel, sending)
    if record is None:
        return
    here = record.bubble(bubble)
    if user.index not in here.shown.people:
        here.shown.add(user.index)
    tally = here.links.get(url)
    if tally is None:
        tally = here.links[url] = Tally()
    tally.add(user.index)


def played(
    platform: Platform, channel: Channel, user: User, sending: Sending, bubble: int, percent: int
) -> None:
    """The person started the video or audio of a bubble and heard `percent` of it."""
    record = of_sending(platform, channel, sending)
    if record is None:
        return
    here = record.bubble(bubble)
    if user.index not in here.shown.people:
        here.shown.add(user.index)
    for quarter in QUARTERS:
        if percent >= quarter:
            tally = here.played.get(quarter)
            if tally is None:
                tally = here.played[quarter] = Tally()
            tally.add(user.index)


# For others: audiences of those who clicked or opened


def openers(channel: Channel, request_id: str) -> People | None:
    """Who opened this broadcast or narrowcast, by index; None if there is no such request.

    `platform.user_order[index].id` is the id of each.
    """
    record = channel.store.of(Records).requests.get(request_id)
    return None if record is None else record.openers()


def clickers(channel: Channel, request_id: str, url: str | None = None) -> People | None:
    """Who opened this URL (or any) of a broadcast or narrowcast; None if there is no such one."""
    record = channel.store.of(Records).requests.get(request_id)
    return None if record is None else record.clickers(url)
