"""The platform's state and the people on it. What is done with it lives in the modules around."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .agenda import Agenda
from .clock import Clock
from .faults import Faults
from .ids import MessageIds, seeded_hex
from .journal import Deliveries, Requests
from .living.errands import Errands
from .model import (
    FRIENDSHIP_NAMES,
    Channel,
    Friendship,
    IssuedToken,
    Json,
    Passing,
    Phone,
    Said,
    Sending,
    Story,
    User,
)
from .names import person
from .stores import Stores
from .webhooks import WebhookPoster

PLANS = {"communication": 200, "light": 5_000, "standard": 30_000}
"""Messages a month in LINE's Japanese plans (Messaging API pricing, in force since 2023-06)."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a platform looks when it starts and after each reset; `prepare` adds what is special."""

    channels: int = 1
    friends: int = 0
    seed: int = 1
    webhook_url: str | None = None
    quota: int | None = None
    unlimited: bool = False
    prepare: tuple[Callable[[Platform], None], ...] = ()


class Platform:
    """All that LINE knows: channels, users, their phones, the clock, faults and the logs."""

    def __init__(self, setup: Setup | None = None) -> None:
        self.setup = setup or Setup()
        self.base_url = "http://127.0.0.1"
        self.webhooks = WebhookPoster(self)
        self.errands = Errands()
        self.agenda = Agenda(self)
        self._fresh()

    def _fresh(self) -> None:
        self.clock = Clock()
        self.agenda.close()
        self.agenda = Agenda(self)
        self.store = Stores()
        self.store.of(Story)
        self.rng = random.Random(self.setup.seed)  # noqa: S311 - names and chances, not secrets
        self.users: dict[str, User] = {}
        self.user_order: list[User] = []
        self.channels: dict[str, Channel] = {}
        self.channel_by_token: dict[str, Channel] = {}
        self.message_ids = MessageIds()
        self.deliveries = Deliveries()
        self.requests = Requests()
        self.faults = Faults(self.rng)
        self.watchers: dict[tuple[str, str], set[asyncio.Queue[Sending | Said | Passing]]] = {}
        self.own_errors = 0
        for _ in range(self.setup.channels):
            self.add_channel()
        self.add_users(self.setup.friends, friendship=Friendship.FRIEND)
        for prepare in self.setup.prepare:
            prepare(self)

    @property
    def story(self) -> Story:
        """When it all began."""
        return self.store.of(Story)

    async def reset(self) -> None:
        """Forget everything and start again as at the beginning, with the same ids and tokens."""
        await self.webhooks.drop_all()
        await self.errands.drop_all()
        self._fresh()

    # Channels

    def add_channel(
        self,
        *,
        name: str | None = None,
        webhook_url: str | None = None,
        quota: int | None = None,
        unlimited: bool | None = None,
    ) -> Channel:
        """Create a channel with its official account, secret and long-lived token."""
        index = len(self.channels)
        seed = self.setup.seed
        digest = seeded_hex(seed, "channel", index)
        channel = Channel(
            id=str(2_000_000_000 + int(digest[:7], 16) % 9_000_000 * 100 + index),
            secret=seeded_hex(seed, "secret", index),
            token="".join(seeded_hex(seed, f"token{part}", index) for part in range(5)) + "=",
            bot_user_id="U" + seeded_hex(seed, "bot", index),
            basic_id="@" + digest[:3] + digest[8:13],
            name=name or f"お店 {index + 1}",
            webhook_url=webhook_url or self.setup.webhook_url,
            quota=self.setup.quota if quota is None else quota,
            unlimited=self.setup.unlimited if unlimited is None else unlimited,
        )
        self.channels[channel.id] = channel
        self.keep_token(channel, IssuedToken(channel.token, "long-lived", None))
        return channel

    def channel(self, channel_id: str | None) -> Channel:
        """The channel with this id, or the first one. Raises KeyError when there is none."""
        if channel_id is None:
            for first in self.channels.values():
                return first
            raise KeyError("there is no channel")
        return self.channels[channel_id]

    def keep_token(self, channel: Channel, issued: IssuedToken) -> None:
        """Let `issued` open the API for the channel."""
        channel.tokens[issued.token] = issued
        self.channel_by_token[issued.token] = channel

    def drop_token(self, channel: Channel, token: str) -> None:
        """Let the token open nothing from now on."""
        channel.tokens.pop(token, None)
        self.channel_by_token.pop(token, None)

    def new_token(self) -> str:
        """A fresh channel access token."""
        return secrets.token_urlsafe(129)

    # People

    def add_user(
        self,
        *,
        name: str | None = None,
        language: str | None = None,
        picture: bool = True,
        status_message: str | None = None,
        attributes: Json | None = None,
        friendship: Friendship = Friendship.NOT_FRIEND,
        channel: Channel | None = None,
    ) -> User:
        """Create one person; a friend is one of `channel`, or of all channels when it is None.

        No follow event is sent: the person has been there since before the story began.
        """
        index = len(self.user_order)
        believable, spoken = person(self.rng)
        user = User(
            id="U" + seeded_hex(self.setup.seed, "user", index),
            index=index,
            name=name or believable,
            language=language or spoken,
            picture=picture,
        )
        user.status_message = status_message
        user.attributes = attributes
        self.users[user.id] = user
        self.user_order.append(user)
        if friendship is not Friendship.NOT_FRIEND:
            for one in [channel] if channel else self.channels.values():
                one.phone(user.id).friendship = friendship
            if attributes:
                self.count_friendship(user)
        return user

    def count_friendship(self, user: User) -> None:
        """Let the person have been a friend for `subscriptionPeriod` days, if attributes say so."""
        days = (user.attributes or {}).get("subscriptionPeriod")
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days < 10_000:
            return
        for channel in self.channels.values():
            phone = channel.phones.get(user.id)
            if phone is not None and phone.friendship is not Friendship.NOT_FRIEND:
                phone.followed_at = self.clock.now() - days * 86_400

    def add_users(
        self,
        count: int,
        *,
        friendship: Friendship = Friendship.NOT_FRIEND,
        channel: Channel | None = None,
    ) -> list[User]:
        """Create `count` people with believable names."""
        return [self.add_user(friendship=friendship, channel=channel) for _ in range(count)]

    def friends(self, channel: Channel) -> Iterator[str]:
        """Ids of all who are friends of the channel now, in the order they first met it."""
        for user_id, phone in channel.phones.items():
            if phone.friendship is Friendship.FRIEND:
                yield user_id

    def picture_url(self, user: User) -> str | None:
        """Where the person's profile image is served, or None without one."""
        return self.base_url + self.picture_path(user) if user.picture else None

    @staticmethod
    def picture_path(user: User) -> str:
        """The path of the avatar, for pages of the emulator itself."""
        return f"/_emulator/avatars/{user.id}.svg"

    def describe_user(self, user: User) -> Json:
        """The person as the control API shows them."""
        return {
            "id": user.id,
            "index": user.index,
            "display_name": user.name,
            "language": user.language,
            "picture_url": self.picture_url(user),
            "status_message": user.status_message,
            "attributes": user.attributes or {},
            "channels": {
                channel.id: FRIENDSHIP_NAMES[channel.friendship(user.id)]
                for channel in self.channels.values()
            },
        }

    # Phones

    def put_on_phone(self, channel: Channel, user_id: str, entry: Sending | Said) -> Phone:
        """Add an entry to the person's chat and tell those who watch that phone."""
        phone = channel.phone(user_id)
        phone.entries.append(entry)
        if self.watchers:
            self.tell_watchers(channel, user_id, entry)
        return phone

    def tell_watchers(self, channel: Channel, user_id: str, news: Sending | Said | Passing) -> None:
        """Tell those who watch this phone in a browser."""
        for queue in self.watchers.get((channel.id, user_id), ()):
            queue.put_nowait(news)
