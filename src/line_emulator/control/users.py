"""People: create, list, look at their phones."""

from __future__ import annotations

from typing import Any, cast

import orjson
from aiohttp import web

from .. import pictures
from ..chat.store import account_has_read
from ..model import FRIENDSHIP_NAMES, Channel, Friendship, Json, Phone, Said, Sending, User
from .route import Ask, ControlError, control

MAX_NEW = 200_000
_HARMLESS = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "audio/wav", "audio/mp4", "video/mp4"}
)
"""Content types a browser may show; anything else is only offered for download."""
_STATES = {name: state for state, name in FRIENDSHIP_NAMES.items()}
_PERSON = {
    "name": {"type": "string"},
    "language": {"type": "string", "description": "BCP 47"},
    "picture": {"type": "boolean"},
    "status_message": {"type": "string"},
    "attributes": {
        "type": "object",
        "description": "what LINE believes to know "
        "(gender, age, appType, area, subscriptionPeriod), and whatever you like",
    },
    "state": {"enum": list(_STATES)},
    "channel": {"type": "string", "description": "of which they are friends; all by default"},
}


@control(
    "POST",
    "/_emulator/users",
    "Create people",
    body={
        "type": "object",
        "properties": _PERSON
        | {
            "count": {"type": "integer", "description": "so many with believable names"},
            "users": {"type": "array", "items": {"type": "object", "properties": _PERSON}},
        },
    },
    returns="Their ids, and the people themselves if there are at most 1000",
)
async def create(ask: Ask) -> Json:
    """`{"count": n, "state": …}` for many, `{"users": [{...}]}` for named ones."""
    body = ask.object()
    named: Any = body.get("users")
    count: Any = body.get("count", 0 if named else 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_NEW:
        raise ControlError(f"count must be a whole number from 0 to {MAX_NEW}")
    wanted: list[Json] = [body] * count
    if isinstance(named, list):
        for one in cast(list[Any], named):
            if not isinstance(one, dict):
                raise ControlError("users must be a list of objects")
            wanted = [*wanted, cast(Json, one)]
    checked = [(one, _state(one), ask.channel(one["channel"]) if one.get("channel") else None)
               for one in wanted]  # fmt: skip
    made = [
        ask.platform.add_user(
            name=one.get("name"),
            language=one.get("language"),
            picture=one.get("picture", True) is not False,
            status_message=one.get("status_message"),
            attributes=one.get("attributes"),
            friendship=state,
            channel=channel,
        )
        for one, state, channel in checked
    ]
    result: Json = {"ids": [user.id for user in made]}
    if len(made) <= 1000:
        result["users"] = [ask.platform.describe_user(user) for user in made]
    return result


def _state(one: Json) -> Friendship:
    name = one.get("state", "not_friend")
    if name not in _STATES:
        raise ControlError(f"state must be one of {', '.join(_STATES)}")
    for text in ("name", "language", "status_message"):
        if one.get(text) is not None and not isinstance(one[text], str):
            raise ControlError(f"{text} must be a string")
    if one.get("attributes") is not None and not isinstance(one["attributes"], dict):
        raise ControlError("attributes must be an object")
    return _STATES[name]


@control(
    "GET",
    "/_emulator/users",
    "List people",
    query={"after": "place in the list, 0 at first", "limit": "up to 1000", "q": "part of a name"},
    returns="A page of people; `next` is the `after` of the next one",
)
async def listing(ask: Ask) -> Json:
    """People in the order in which they were created."""
    place = int(ask.number("after", 0, 0, 1e9))
    limit = int(ask.number("limit", 100, 1, 1000))
    people = ask.platform.user_order
    search = ask.request.query.get("q", "").strip().lower()
    found: list[Json] = []
    while place < len(people) and len(found) < limit:
        user = people[place]
        if not search or search in user.name.lower() or user.id.lower() == search:
            found.append(ask.platform.describe_user(user))
        place += 1
    more = place < len(people)
    return {"users": found, "next": place if more else None, "total": len(people)}


@control("GET", "/_emulator/users/{user}", "One person", returns="The person")
async def one(ask: Ask) -> Json:
    """Who they are and how they stand to each channel."""
    return ask.platform.describe_user(ask.user())


@control(
    "GET",
    "/_emulator/users/{user}/phone",
    "What a phone received and said, in order",
    query={"channel": "the first by default", "limit": "the last so many entries"},
    returns="The chat",
)
async def phone(ask: Ask) -> Json:
    """The chat of one person with one channel."""
    user, channel = ask.user(), ask.channel()
    limit = int(ask.number("limit", 1000, 1, 100_000))
    chat = channel.phones.get(user.id) or Phone()
    return {
        "user": ask.platform.describe_user(user),
        "channel": channel.id,
        "friendship": FRIENDSHIP_NAMES[chat.friendship],
        "loading": chat.loading_until > ask.platform.clock.now(),
        "entries": [describe_entry(entry, chat, channel, user) for entry in chat.entries[-limit:]],
    }


def describe_entry(entry: Sending | Said, chat: Phone, channel: Channel, user: User) -> Json:
    """An entry of a chat: `kind` "received", or what the person did.

    `read` tells whether the other side has seen it: the person, or the account.
    """
    if isinstance(entry, Sending):
        return {
            "kind": "received",
            "at": entry.at_ms,
            "via": entry.via,
            "request_id": entry.request_id,
            "read": entry.at_ms <= chat.read_to_ms,
            "messages": [
                {"id": message_id, "message": message}
                for message_id, message in zip(entry.message_ids, entry.messages(), strict=True)
            ],
        }
    return {
        "kind": entry.kind,
        "at": entry.at_ms,
        "message_id": entry.message_id,
        "webhook_event_id": entry.event_id,
        "read": account_has_read(channel, user.id, entry.at_ms),
        "body": entry.body,
    }


@control("GET", "/_emulator/avatars/{file}", "A profile image (SVG)", returns="image/svg+xml")
async def avatar(ask: Ask) -> web.Response:
    """The picture that `pictureUrl` of a profile points to."""
    name = ask.request.match_info["file"].removesuffix(".svg")
    user = ask.platform.users.get(name)
    if user is None:
        raise ControlError("no such user", 404)
    return web.Response(
        body=pictures.avatar(user),
        content_type="image/svg+xml",
        headers={"Cache-Control": "max-age=3600", "Access-Control-Allow-Origin": "*"},
    )


@control("GET", "/_emulator/contents/{message}", "Bytes of what a person sent", returns="The bytes")
async def contents(ask: Ask) -> web.Response:
    """The same as LINE's "Get content", for people and browsers that have no access token."""
    message_id = ask.request.match_info["message"]
    for channel in ask.platform.channels.values():
        found = channel.contents.get(message_id)
        if found is not None:
            return web.Response(
                body=found[1],
                headers={
                    "Content-Type": found[0]
                    if found[0] in _HARMLESS
                    else "application/octet-stream",
                    "X-Content-Type-Options": "nosniff",
                },
            )
    raise ControlError("no such content", 404)


def delivery_json(seq: int, sending: Sending, user_id: str) -> Json:
    """One arrival as the log of deliveries shows it; messages are passed on unparsed."""
    return {
        "seq": seq,
        "at": sending.at_ms,
        "user": user_id,
        "channel": sending.channel_id,
        "via": sending.via,
        "request_id": sending.request_id,
        "retry_key": sending.retry_key,
        "unit": sending.unit,
        "message_ids": sending.message_ids,
        "messages": orjson.Fragment(sending.messages_json),
    }
