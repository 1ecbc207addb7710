"""What the platform remembers: channels, people, and what their phones show.

Everything here must be cheap: a hundred thousand friends live in one process, so the classes have
slots, a phone exists only once somebody has met a channel, and a multicast is stored once and
shared by all who got it.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import orjson

from .limits import Buckets
from .stores import Stores

Json = dict[str, Any]
Via = Literal["reply", "push", "multicast", "broadcast", "narrowcast", "pnp"]


class Friendship(IntEnum):
    """How a person stands to a channel."""

    NOT_FRIEND = 0
    FRIEND = 1
    BLOCKED = 2


FRIENDSHIP_NAMES = {
    Friendship.NOT_FRIEND: "not_friend",
    Friendship.FRIEND: "friend",
    Friendship.BLOCKED: "blocked",
}


@dataclass(slots=True, eq=False)
class User:
    """A person with a LINE account. `picture` False means that no profile image is set."""

    id: str
    index: int
    name: str
    language: str
    picture: bool = True
    status_message: str | None = None
    attributes: Json | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Sending:
    """One accepted send: its messages are held once, however many phones they reached.

    `messages_json` is the JSON array of message objects as accepted; `message_ids` has one id for
    each of them.
    """

    at_ms: int
    channel_id: str
    via: Via
    request_id: str
    messages_json: bytes
    message_ids: list[str]
    unit: str | None
    retry_key: str | None
    silent: bool

    def messages(self) -> list[Json]:
        """The message objects, parsed anew at each call."""
        return orjson.loads(self.messages_json)


@dataclass(slots=True, eq=False, kw_only=True)
class Said:
    """Something the person did in the chat: a message, a postback, adding, blocking, unsending."""

    at_ms: int
    kind: str
    body: Json | None = None
    message_id: str | None = None
    event_id: str | None = None


class Passing:
    """News for whoever watches a phone that is shown at once and not kept in the chat."""

    __slots__ = ()


class Typing(Passing):
    """A loading animation that has just begun. `seconds` is its length."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class MenuChange(Passing):
    """This person's rich menu has just become another one, or none."""

    __slots__ = ()


class ChatChange(Passing):
    """Something older in the chat has become different: a message was taken back."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Phone:
    """One person's chat with one channel.

    `last_said_at` (seconds) opens the seven days in which a non-friend can be pushed to (reference,
    "Conditions for sending push message"); `loading_until` is when a loading animation ends. The
    person has seen the first `seen` of the entries. `followed_at` (seconds) is when the account was
    added, 0 for those who were friends before the story began.
    """

    friendship: Friendship = Friendship.NOT_FRIEND
    entries: list[Sending | Said] = field(default_factory=list["Sending | Said"])
    last_said_at: float | None = None
    read_to_ms: int = 0
    seen: int = 0
    loading_until: float = 0.0
    followed_at: float = 0.0


@dataclass(slots=True)
class Story:
    """When this platform's story began, in seconds since 1970: at its start or last reset."""

    began_at: float = field(default_factory=time.time)


@dataclass(slots=True)
class ReplyToken:
    """A reply token and how long it lives (reference, "Reply token"). Times in seconds.

    `chat_id` is what it answers into: a user, group or room id.
    """

    chat_id: str
    event_at: float
    delivered_at: float
    redelivered: bool = False
    used: bool = False


@dataclass(slots=True)
class AcceptedKey:
    """A retry key that was accepted, with what a repeat gets back."""

    at: float
    request_id: str
    sent_messages: bytes | None


@dataclass(slots=True)
class WebhookSettings:
    """How a channel's events are posted. Times in seconds.

    LINE does not publish gathering and redelivery figures, so all of them can be set. The time-out
    of 2 s is LINE's ("Check webhook error statistics", request_timeout).
    """

    gather: float = 0.005
    max_events: int = 10
    concurrency: int = 16
    timeout: float = 2.0
    redelivery: bool = False
    redelivery_delays: tuple[float, ...] = (1.0, 5.0, 15.0, 60.0, 300.0)
    duplicate_times: int = 0
    duplicate_chance: float = 1.0
    reorder_window: float = 0.0
    delay: float = 0.0
    delay_jitter: float = 0.0


@dataclass(slots=True)
class IssuedToken:
    """A channel access token. `expires_at` in seconds since 1970; None never expires.

    "v2.1" is the one with an expiration of the channel's choice; only it has a `key_id`.
    """

    token: str
    kind: Literal["long-lived", "short-lived", "stateless", "v2.1"]
    expires_at: float | None
    key_id: str | None = None


@dataclass(slots=True)
class Channel:
    """A Messaging API channel with its official account."""

    id: str
    secret: str
    token: str
    bot_user_id: str
    basic_id: str
    name: str
    webhook_url: str | None = None
    use_webhook: bool = True
    quota: int | None = None
    unlimited: bool = False
    verified: bool = True
    mode: Literal["active", "standby"] = "active"
    chat_mode: Literal["bot", "chat"] = "bot"
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    phones: dict[str, Phone] = field(default_factory=dict[str, Phone])
    tokens: dict[str, IssuedToken] = field(default_factory=dict[str, IssuedToken])
    reply_tokens: dict[str, ReplyToken] = field(default_factory=dict[str, ReplyToken])
    retry_keys: dict[str, AcceptedKey] = field(default_factory=dict[str, AcceptedKey])
    consumed: dict[str, int] = field(default_factory=dict[str, int])
    sent_by_day: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    units: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    contents: dict[str, tuple[str, bytes] | None] = field(
        default_factory=dict[str, "tuple[str, bytes] | None"]
    )
    buckets: Buckets = field(default_factory=Buckets)
    recent_events: deque[Json] = field(default_factory=lambda: deque(maxlen=10_000))
    store: Stores = field(default_factory=Stores)

    def phone(self, user_id: str) -> Phone:
        """This person's chat with the channel, opened at first need."""
        phone = self.phones.get(user_id)
        if phone is None:
            phone = self.phones[user_id] = Phone()
        return phone

    def friendship(self, user_id: str) -> Friendship:
        """How the person stands to the channel, without opening a chat."""
        phone = self.phones.get(user_id)
        return Friendship.NOT_FRIEND if phone is None else phone.friendship

    def public(self) -> Json:
        """What a developer reads on LINE's console: ids and secrets of the channel."""
        return {
            "channel_id": self.id,
            "channel_secret": self.secret,
            "access_token": self.token,
            "bot_user_id": self.bot_user_id,
            "basic_id": self.basic_id,
        }
