"""Up to when an account has read what people wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model import Channel, Passing


class ReadMark(Passing):
    """The account has just read what the person had said."""

    __slots__ = ()


@dataclass(slots=True)
class Reads:
    """Milliseconds by chat id: everything said up to then has been read."""

    by_chat: dict[str, int] = field(default_factory=dict[str, int])


def account_has_read(channel: Channel, chat_id: str, at_ms: int) -> bool:
    """Whether "Read" stands beside what was said in this chat at this moment.

    While the chat feature is off, everything is read at once (docs, "Mark messages as read").
    """
    if channel.chat_mode == "bot":
        return True
    return at_ms <= channel.store.of(Reads).by_chat.get(chat_id, 0)
