"""What happens in a group or room: coming, going, and who is told.

Docs, "Group chats and multi-person chats"; reference, "Join event", "Leave event", "Member join
event", "Member leave event".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from .. import events
from ..model import Channel, Json, Passing, Sending, User
from ..platform import Platform
from .store import Entry, Group, Groups, Happening, Kind

_LETTERS: dict[Kind, str] = {"group": "C", "room": "R"}


class GroupNews(Passing):
    """Something has changed in the group: what was added is the last of its entries."""

    __slots__ = ()


def consents(user: User) -> bool:
    """Whether accounts may know who this is (docs, "Consent on getting user profile information").

    People do unless their attribute `consented` is false.
    """
    return (user.attributes or {}).get("consented") is not False


def account_in(platform: Platform, group: Group) -> Channel | None:
    """The channel whose account is in the chat."""
    return None if group.channel_id is None else platform.channels.get(group.channel_id)


def tell(platform: Platform, group: Group) -> None:
    """Tell the browsers that watch the chat, under the key `("", group id)`."""
    for queue in platform.watchers.get(("", group.id), ()):
        queue.put_nowait(GroupNews())


def note(
    platform: Platform,
    group: Group,
    kind: Happening,
    user_id: str | None = None,
    others: Iterable[str] = (),
) -> Entry:
    """Write into the chat that something happened."""
    entry = Entry(platform.clock.now_ms(), kind, user_id, list(others))
    group.entries.append(entry)
    tell(platform, group)
    return entry


def create(
    platform: Platform, kind: Kind, name: str, members: Iterable[User], *, picture: bool = True
) -> Group:
    """Open a group or room of these people; the first one is its founder."""
    people = list(dict.fromkeys(one.id for one in members))
    group = Group(_LETTERS[kind] + secrets.token_hex(16), kind, name, picture, people)
    platform.store.of(Groups).by_id[group.id] = group
    note(platform, group, "created", people[0] if people else None, people)
    return group


def post(platform: Platform, channel: Channel, group: Group, event: Json) -> Json:
    """Send an event of this chat. A room's join event goes ahead of the first one."""
    ids: list[str] = []
    if group.join_due:
        group.join_due = False
        joined = events.join(platform, channel, group.id)
        events.post(platform, channel, events.Source(group.id), joined)
        ids.append(joined["webhookEventId"])
    posted = events.post(platform, channel, events.Source(group.id), event)
    return {"webhookEventIds": [*ids, event["webhookEventId"]], "posted": posted}


NOTHING: Json = {"webhookEventIds": [], "posted": False}
"""The result of what no account is told."""


def invite_account(platform: Platform, group: Group, channel: Channel, by: str | None) -> Json:
    """The account comes in. A room tells it at the next event only."""
    group.channel_id = channel.id
    note(platform, group, "account_joined", by)
    if group.kind == "room":
        group.join_due = True
        return NOTHING
    return post(platform, channel, group, events.join(platform, channel, group.id))


def account_leaves(platform: Platform, group: Group, by: str | None) -> Json:
    """The account goes, by itself or removed `by` a person. The room forgets a join due."""
    channel = account_in(platform, group)
    group.channel_id = None
    note(platform, group, "account_left" if by is None else "account_removed", by)
    if channel is None or group.join_due:
        group.join_due = False
        return NOTHING
    return post(platform, channel, group, events.leave(platform, channel, group.id))


def people_join(platform: Platform, group: Group, people: list[User], by: str | None) -> Json:
    """These people come in together."""
    ids = [one.id for one in people]
    group.members.extend(ids)
    note(platform, group, "joined", by, ids)
    channel = account_in(platform, group)
    if channel is None:
        return NOTHING
    event = events.member_joined(platform, channel, group.id, ids)
    return post(platform, channel, group, event)


def person_goes(platform: Platform, group: Group, user: User, by: str | None) -> Json:
    """This person leaves, or is removed `by` another."""
    group.members.remove(user.id)
    group.read_to_ms.pop(user.id, None)
    if by is None:
        note(platform, group, "left", user.id)
    else:
        note(platform, group, "removed", by, [user.id])
    channel = account_in(platform, group)
    if channel is None:
        return NOTHING
    event = events.member_left(platform, channel, group.id, [user.id])
    return post(platform, channel, group, event)


def show(platform: Platform, group: Group, sending: Sending) -> None:
    """Put what the account sent into the chat, and so on every member's phone."""
    entry = note(platform, group, "sent")
    entry.channel_id = sending.channel_id
    entry.via = sending.via
    entry.request_id = sending.request_id
    entry.message_ids = sending.message_ids
    entry.messages_json = sending.messages_json


def name_of(platform: Platform, group: Group) -> str:
    """The group's name; a room is called after its members."""
    if group.kind == "group":
        return group.name
    return ", ".join(platform.users[one].name for one in group.members if one in platform.users)
