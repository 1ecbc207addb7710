"""Groups and rooms in the control API. Members act in them by `POST /_emulator/acts`."""

from __future__ import annotations

from typing import Any, cast

from aiohttp import web

from .. import pictures
from ..control.route import Ask, ControlError, control
from ..model import Json, User
from . import (
    acts,  # pyright: ignore[reportUnusedImport]
    chat,
)
from .store import Entry, Group, Groups

_NEW = {
    "type": "object",
    "required": ["members"],
    "properties": {
        "kind": {"enum": ["group", "room"], "description": "group by default"},
        "name": {"type": "string", "description": "of a group; rooms have none"},
        "members": {"type": "array", "items": {"type": "string"}, "description": "user ids"},
        "account": {"type": "boolean", "description": "invite the account, true by default"},
        "channel": {"type": "string", "description": "whose account; the first by default"},
        "picture": {"type": "boolean", "description": "has an icon, true by default"},
    },
}


def describe(ask: Ask, group: Group) -> Json:
    """The chat as the control API shows it, without its entries."""
    return {
        "id": group.id,
        "kind": group.kind,
        "name": chat.name_of(ask.platform, group),
        "members": list(group.members),
        "channel": group.channel_id,
    }


def describe_entry(entry: Entry) -> Json:
    """One entry; what the account sent is of kind "received", as on a person's phone."""
    common: Json = {"at": entry.at_ms, "user": entry.user_id}
    if entry.kind == "sent":
        return common | {
            "kind": "received",
            "via": entry.via,
            "channel": entry.channel_id,
            "request_id": entry.request_id,
            "messages": [
                {"id": message_id, "message": message}
                for message_id, message in zip(entry.message_ids, entry.messages(), strict=True)
            ],
        }
    return common | {
        "kind": entry.kind,
        "message_id": entry.message_id,
        "webhook_event_id": entry.event_id,
        "others": entry.others,
        "body": entry.body,
        "edited": entry.edited,
    }


def _group(ask: Ask) -> Group:
    wanted = ask.request.match_info["group"]
    group = ask.platform.store.of(Groups).by_id.get(wanted)
    if group is None:
        raise ControlError(f"no such group or room: {wanted}", 404)
    return group


@control(
    "POST", "/_emulator/groups", "Found a group or room", body=_NEW, returns="The group or room"
)
async def create(ask: Ask) -> Json:
    """The first member is the founder. With the account in it a join event is sent."""
    body = ask.object()
    given: Any = body.get("members")
    if not isinstance(given, list) or not given:
        raise ControlError("members must be a list of user ids")
    people: list[User] = []
    for one in cast(list[Any], given):
        user = ask.platform.users.get(one) if isinstance(one, str) else None
        if user is None:
            raise ControlError(f"no such user: {one}", 404)
        people.append(user)
    kind = body.get("kind", "group")
    name = body.get("name", "グループ")
    if kind not in ("group", "room"):
        raise ControlError("kind must be group or room")
    if not isinstance(name, str) or not 0 < len(name) <= acts.MAX_NAME:
        raise ControlError(f"name must be a text of up to {acts.MAX_NAME} characters")
    channel = ask.channel(body.get("channel"))
    picture = body.get("picture", True) is not False
    group = chat.create(ask.platform, kind, name, people, picture=picture)
    if body.get("account", True) is not False:
        chat.invite_account(ask.platform, group, channel, people[0].id)
    return describe(ask, group)


@control(
    "GET",
    "/_emulator/groups",
    "List groups and rooms",
    query={"user": "only those this person is in"},
    returns="The groups and rooms",
)
async def listing(ask: Ask) -> Json:
    """Oldest first."""
    groups = ask.platform.store.of(Groups)
    wanted = ask.request.query.get("user")
    found = groups.by_id.values() if wanted is None else groups.of_user(wanted)
    return {"groups": [describe(ask, one) for one in found]}


@control(
    "GET",
    "/_emulator/groups/{group}",
    "What a group chat shows, in order",
    query={"limit": "the last so many entries"},
    returns="The chat with its entries",
)
async def one(ask: Ask) -> Json:
    """All members see the same."""
    group = _group(ask)
    limit = int(ask.number("limit", 1000, 1, 100_000))
    entries = [describe_entry(entry) for entry in group.entries[-limit:]]
    return describe(ask, group) | {"entries": entries}


@control(
    "GET", "/_emulator/groups/{group}/picture.svg", "A group's icon (SVG)", returns="image/svg+xml"
)
async def picture(ask: Ask) -> web.Response:
    """The picture that `pictureUrl` of a group summary points to."""
    group = _group(ask)
    return web.Response(
        body=pictures.group_icon(group.id, group.name),
        content_type="image/svg+xml",
        headers={"Cache-Control": "max-age=3600", "Access-Control-Allow-Origin": "*"},
    )
