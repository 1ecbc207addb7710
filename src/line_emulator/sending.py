"""Bringing accepted messages to phones, and booking them as LINE's accounts do.

Rules: reference, "Send push message", "Send multicast message", "Retrying an API request"; docs,
"Messaging API pricing": counted for each person reached, however many message objects; replies are
free; who has blocked the account is neither reached nor counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .ids import quote_token
from .insight import record
from .model import AcceptedKey, Channel, Friendship, Json, Phone, Sending, Via
from .platform import Platform

NON_FRIEND_SECONDS = 7 * 24 * 3600
"""Who is no friend can be pushed to for 7 days after saying something (reference, push)."""
RETRY_KEY_SECONDS = 24 * 3600
"""How long a retry key is remembered (reference, "Retrying an API request")."""
MAX_UNITS = 1000
"""Aggregation unit names a month; later ones are silently not assigned (reference, push)."""
QUOTABLE = frozenset({"text", "textV2", "sticker", "image", "video", "template", "flex"})
"""Message types that can be quoted and so get a quote token (docs, "Get quote tokens")."""


Arrival = Callable[[Platform, Channel, Sending, list[str]], None]
_ARRIVALS: list[Arrival] = []


def arrival(function: Arrival) -> Arrival:
    """Let the function know of every sending and whom it reached; it must be quick, and not
    change the list."""
    _ARRIVALS.append(function)
    return function


def reachable(platform: Platform, channel: Channel, user_id: str, via: Via) -> bool:
    """Whether a message sent now would arrive at this person's phone."""
    phone = channel.phones.get(user_id)
    if phone is None or phone.friendship is Friendship.BLOCKED:
        return False
    if phone.friendship is Friendship.FRIEND or via == "reply":
        return True
    said = phone.last_said_at
    return via == "push" and said is not None and (
        platform.clock.now() - said <= NON_FRIEND_SECONDS
    )  # fmt: skip


def friends_among(channel: Channel, user_ids: Iterable[str]) -> list[str]:
    """Those whom a multicast reaches: friends, each once, in the order given."""
    phones, friend = channel.phones, Friendship.FRIEND
    return [
        user_id
        for user_id in dict.fromkeys(user_ids)
        if (phone := phones.get(user_id)) is not None and phone.friendship is friend
    ]


@dataclass(slots=True)
class Reserved:
    """Messages set aside for what is being sent in the background, by request id (reference,
    "Send narrowcast message": so many are reserved until their number is known)."""

    people: dict[str, int] = field(default_factory=dict[str, int])


def quota_left(platform: Platform, channel: Channel) -> int | None:
    """How many people can still be reached this month; None if there is no limit."""
    if channel.quota is None:
        return None
    reserved = sum(channel.store.of(Reserved).people.values())
    return max(0, channel.quota - channel.consumed.get(platform.clock.month(), 0) - reserved)


def quota_allows(platform: Platform, channel: Channel, people: int) -> bool:
    """Whether the month's target limit leaves room for so many people."""
    left = quota_left(platform, channel)
    return left is None or people <= left


def deliver(platform: Platform, channel: Channel, sending: Sending, people: list[str]) -> None:
    """Put `sending` on these phones, all of them reachable, and count it."""
    phones = channel.phones
    for user_id in people:
        phone = phones[user_id]
        phone.entries.append(sending)
        phone.loading_until = 0.0
    if platform.watchers:
        for user_id in people:
            platform.tell_watchers(channel, user_id, sending)
    platform.deliveries.add(sending, people)
    record.delivered(channel, sending, len(people))
    day = (sending.via, platform.clock.day())
    channel.sent_by_day[day] = channel.sent_by_day.get(day, 0) + len(people)
    if sending.via != "reply":
        month = platform.clock.month()
        channel.consumed[month] = channel.consumed.get(month, 0) + len(people)
    for tell in _ARRIVALS:
        tell(platform, channel, sending, people)


def assign_unit(platform: Platform, channel: Channel, unit: str | None) -> str | None:
    """The aggregation unit to book under, or None if the month's names are used up."""
    if unit is None:
        return None
    names = channel.units.setdefault(platform.clock.month(), set())
    if unit not in names and len(names) >= MAX_UNITS:
        return None
    names.add(unit)
    return unit


def sent_messages(message_ids: Iterable[str], messages: Iterable[Json]) -> list[Json]:
    """The `sentMessages` of a push or reply: ids, and quote tokens where quoting is possible."""
    return [
        {"id": message_id, "quoteToken": quote_token()}
        if message["type"] in QUOTABLE
        else {"id": message_id}
        for message_id, message in zip(message_ids, messages, strict=True)
    ]


def accepted_before(platform: Platform, channel: Channel, key: str) -> AcceptedKey | None:
    """What was accepted under this retry key in the last 24 hours, if anything."""
    keys = channel.retry_keys
    now = platform.clock.now()
    # The order of insertion is the order of age: forget from the front.
    while keys:
        oldest = next(iter(keys))
        if now - keys[oldest].at <= RETRY_KEY_SECONDS:
            break
        del keys[oldest]
    return keys.get(key.lower())


def remember_key(
    platform: Platform, channel: Channel, key: str, request_id: str, sent: bytes | None
) -> None:
    """Remember that a request with this retry key was accepted."""
    channel.retry_keys[key.lower()] = AcceptedKey(platform.clock.now(), request_id, sent)


def find_message(phone: Phone, message_id: str) -> tuple[Sending, int] | None:
    """The sending on this phone that holds the message, with its place in it."""
    for entry in reversed(phone.entries):
        if isinstance(entry, Sending) and message_id in entry.message_ids:
            return entry, entry.message_ids.index(message_id)
    return None


def last_sending(phone: Phone) -> Sending | None:
    """The latest sending that arrived at this phone."""
    for entry in reversed(phone.entries):
        if isinstance(entry, Sending):
            return entry
    return None
