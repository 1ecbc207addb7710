"""Replies and pushes into groups and rooms, and whom a text may mention.

Reference, "Send push message", "Text message (v2)", "Mention object".
"""

from __future__ import annotations

from typing import Any

from ..model import Channel, Json, Sending
from ..platform import Platform
from ..validation.core import as_list, as_object
from ..validation.report import Report
from . import chat
from .store import Group, Groups


def joined(platform: Platform, channel: Channel, chat_id: str) -> Group | None:
    """The group or room with this id if the account is in it."""
    if chat_id[:1] not in ("C", "R"):
        return None
    group = platform.store.of(Groups).by_id.get(chat_id)
    return group if group is not None and group.channel_id == channel.id else None


def deliver(platform: Platform, channel: Channel, sending: Sending, group: Group) -> None:
    """Show `sending` in the chat and count it once for each member (docs, "Messaging API
    pricing"); replies are free.
    """
    chat.show(platform, group, sending)
    platform.deliveries.add(sending, list(group.members))
    day = (sending.via, platform.clock.day())
    people = len(group.members)
    channel.sent_by_day[day] = channel.sent_by_day.get(day, 0) + people
    if sending.via != "reply":
        month = platform.clock.month()
        channel.consumed[month] = channel.consumed.get(month, 0) + people


def misplaced(messages: list[Json], group: Group | None) -> Json | None:
    """LINE's error JSON for what does not belong where it is sent; it publishes no wording for it.

    Mentions outside of groups or of people who are not in this one, and videos with a tracking ID
    in groups (reference, "Mention object", "Video message").
    """
    report = Report()
    for index, message in enumerate(messages):
        if group is not None and message.get("type") == "video" and "trackingId" in message:
            path = ((None, "messages"), index)
            report.invalid((path, "trackingId"), "trackingId can't be used in group chats")
        if message.get("type") != "textV2":
            continue
        for key, one in as_object(message.get("substitution")).items():
            mentioned = as_object(one)
            if mentioned.get("type") != "mention":
                continue
            path = ((((None, "messages"), index), "substitution"), key)
            who: Any = as_object(mentioned.get("mentionee"))
            if group is None:
                report.invalid(path, "Mentions can only be used in group chats")
            elif who.get("type") == "user" and who.get("userId") not in as_list(group.members):
                report.invalid(
                    ((path, "mentionee"), "userId"), "The user is not a member of the chat"
                )
    return report.answer() if report else None
