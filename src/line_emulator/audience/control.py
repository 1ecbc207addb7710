"""The control API's part about audiences: those that LINE's own tools make, and who is in them."""

from __future__ import annotations

from typing import Any, cast

from ..control.route import Ask, ControlError, control
from ..model import Json
from .crowds import mask_of, people_of
from .people import demographics, friend_days
from .store import ROUTES, TYPES, Audience, Numbers, audiences


@control(
    "POST",
    "/_emulator/audiences",
    "Make an audience as LINE Official Account Manager or LINE Ads does: ready at once",
    body={
        "type": "object",
        "required": ["type", "description", "users"],
        "properties": {
            "type": {"type": "string", "enum": list(TYPES)},
            "description": {"type": "string"},
            "users": {"type": "array", "items": {"type": "string", "description": "user ids"}},
            "createRoute": {"type": "string", "enum": list(ROUTES), "default": "OA_MANAGER"},
            "channel": {"type": "string"},
        },
    },
    returns="The audience as LINE's API shows it",
)
async def create(ask: Ask) -> Json:
    """A chat tag audience, for instance, which no API can make."""
    body = ask.object()
    kind, route = body.get("type"), body.get("createRoute", "OA_MANAGER")
    users: Any = body.get("users")
    if kind not in TYPES:
        raise ControlError(f"type must be one of {', '.join(TYPES)}")
    if route not in ROUTES:
        raise ControlError(f"createRoute must be one of {', '.join(ROUTES)}")
    if not isinstance(users, list):
        raise ControlError("users must be a list of user ids")
    platform, channel = ask.platform, ask.channel(body.get("channel"))
    found = [platform.users.get(str(one)) for one in cast(list[Any], users)]
    indexes = [one.index for one in found if one is not None]
    if len(indexes) < len(found):
        raise ControlError(f"{len(found) - len(indexes)} of the users do not exist")
    audience = Audience(
        id=platform.store.of(Numbers).next_audience(),
        type=kind,
        description=str(body.get("description", "")),
        created=int(platform.clock.now()),
        route=route,
        status="READY",
        members=people_of(mask_of(indexes, len(platform.user_order))),
    )
    audiences(platform, channel)[audience.id] = audience
    return audience.show()


@control(
    "GET",
    "/_emulator/audiences/{audience}/users",
    "Who is in an audience: LINE never tells",
    query={"channel": "of which channel; the first by default"},
    returns="User ids",
)
async def members(ask: Ask) -> Json:
    """The ids of all members, blocked ones included."""
    wanted = ask.request.match_info["audience"]
    there = audiences(ask.platform, ask.channel())
    found = there.get(int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    if found is None:
        raise ControlError(f"no such audience: {wanted}", 404)
    return {"ids": [ask.platform.user_order[index].id for index in found.members]}


@control(
    "GET",
    "/_emulator/users/{user}/demographics",
    "What LINE believes to know of a person",
    query={"channel": "friend of which channel; the first by default"},
    returns="The attributes that narrowcast and insight go by",
)
async def read_demographics(ask: Ask) -> Json:
    """Gender, age, system, region, and days of friendship."""
    user, channel = ask.user(), ask.channel()
    known = demographics(ask.platform, user)
    return {
        "gender": known.gender or "unknown",
        "age": known.age if known.age is not None else "unknown",
        "appType": known.app_type,
        "area": known.area or "unknown",
        "subscriptionPeriod": friend_days(ask.platform, channel, user),
    }


@control(
    "PATCH",
    "/_emulator/users/{user}/demographics",
    "Change what LINE believes to know of a person",
    body={
        "type": "object",
        "properties": {
            "gender": {"enum": ["male", "female", "unknown"]},
            "age": {"description": "years, or unknown"},
            "appType": {"enum": ["ios", "android", "others"]},
            "area": {"type": "string", "description": "LINE's code such as jp_13, or unknown"},
            "subscriptionPeriod": {"type": "integer", "description": "days as a friend, today"},
            "ifa": {"type": "string", "description": "the identifier for advertisers: a UUID"},
        },
    },
    returns="The attributes after the change",
)
async def write_demographics(ask: Ask) -> Json:
    """The same attributes that may be given when a person is created."""
    user = ask.user()
    user.attributes = (user.attributes or {}) | ask.object()
    if "subscriptionPeriod" in ask.object():
        ask.platform.count_friendship(user)
    return await read_demographics(ask)
