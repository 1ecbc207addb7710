"""Groups and rooms: who is in them and what was said.

They belong to the people, not to a channel: `platform.store.of(Groups)`. At most one account can be
in a chat at a time (docs, "Group chats and multi-person chats").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import orjson

from ..model import Json, Via

Kind = Literal["group", "room"]
Happening = Literal[
    "sent", "message", "unsent", "postback", "created", "joined", "left", "removed",
    "account_joined", "account_left", "account_removed",
]  # fmt: skip
"""What an entry of the chat is: "sent" by the account, or something that people did."""


@dataclass(slots=True)
class Entry:
    """One thing in the chat, shown on every member's phone.

    `user_id` is who did it and `others` whom it was done to (invited, removed); `body` is what a
    person said (a message content, or a postback). What the account sent has `message_ids` and the
    JSON array `messages_json`, with its `channel_id`, `via` and `request_id`.
    """

    at_ms: int
    kind: Happening
    user_id: str | None = None
    others: list[str] = field(default_factory=list[str])
    message_id: str | None = None
    event_id: str | None = None
    body: Json | None = None
    edited: bool = False
    channel_id: str | None = None
    via: Via | None = None
    request_id: str | None = None
    message_ids: list[str] = field(default_factory=list[str])
    messages_json: bytes = b"[]"

    def messages(self) -> list[Json]:
        """The message objects that the account sent, parsed anew at each call."""
        return orjson.loads(self.messages_json)


@dataclass(slots=True)
class Group:
    """A group chat, or a multi-person chat ("room"), which has neither name nor icon of its own.

    `channel_id` is the account in it; `join_due` that its join event waits for the first event, as
    in rooms (reference, "Join event"). `read_to_ms` says by person up to when the chat was seen.
    """

    id: str
    kind: Kind
    name: str
    picture: bool
    members: list[str]
    channel_id: str | None = None
    join_due: bool = False
    entries: list[Entry] = field(default_factory=list[Entry])
    read_to_ms: dict[str, int] = field(default_factory=dict[str, int])

    def last_sent(self) -> Entry | None:
        """What the account sent last."""
        return next((one for one in reversed(self.entries) if one.kind == "sent"), None)

    def holding(self, message_id: str) -> Entry | None:
        """The entry that holds the message with this id."""
        for one in reversed(self.entries):
            if one.message_id == message_id or message_id in one.message_ids:
                return one
        return None


@dataclass(slots=True)
class Groups:
    """All groups and rooms by id."""

    by_id: dict[str, Group] = field(default_factory=dict[str, Group])

    def of_user(self, user_id: str) -> Iterator[Group]:
        """The groups and rooms the person is in, oldest first."""
        return (one for one in self.by_id.values() if user_id in one.members)
