"""Groups and rooms as the account sees them (reference, "Group chats", "Multi-person chats")."""

from __future__ import annotations

import re

from ..api import paging
from ..api.operation import EMPTY, Answer, Call, LineError, answer, not_found, operation
from ..ids import USER_ID
from ..model import Json
from . import chat
from .store import Group, Groups, Kind

PAGE = 100
"""So many ids are on a page of members."""
_ID = {"group": re.compile(r"C[0-9a-f]{32}"), "room": re.compile(r"R[0-9a-f]{32}")}


def _existing(call: Call, kind: Kind) -> Group:
    """The group or room of the path, whether the account is in it or not."""
    name = f"{kind}_id"
    given = call.params[name]
    if not _ID[kind].fullmatch(given):
        raise LineError(400, f"The value for the '{kind}Id' parameter is invalid")
    group = call.platform.store.of(Groups).by_id.get(given)
    if group is None:
        not_found()
    return group


def _joined(call: Call, kind: Kind) -> Group:
    """The group or room of the path, which the account is in."""
    group = _existing(call, kind)
    if group.channel_id != call.channel.id:
        not_found()
    return group


@operation("GET", "/v2/bot/group/{group_id}/summary")
async def group_summary(call: Call) -> Answer:
    """Get group chat summary."""
    group = _joined(call, "group")
    body: Json = {"groupId": group.id, "groupName": group.name}
    if group.picture:
        body["pictureUrl"] = f"{call.platform.base_url}/_emulator/groups/{group.id}/picture.svg"
    return answer(body)


def _count(call: Call, kind: Kind) -> Answer:
    return answer({"count": len(_joined(call, kind).members)})


def _ids(call: Call, kind: Kind) -> Answer:
    if not call.channel.verified:
        raise LineError(403, "Access to this API is not available for your account")
    group = _joined(call, kind)
    place = paging.start(call, group.id) or 0
    people = call.platform.users
    known = [one for one in group.members if one in people and chat.consents(people[one])]
    body: Json = {"memberIds": known[place : place + PAGE]}
    if place + PAGE < len(known):
        body["next"] = paging.token(call, place + PAGE, group.id)
    return answer(body)


def _profile(call: Call, kind: Kind) -> Answer:
    user_id = call.params["user_id"]
    if not USER_ID.fullmatch(user_id):
        _existing_form(call, kind)
        raise LineError(400, "The value for the 'userId' parameter is invalid")
    group = _joined(call, kind)
    user = call.platform.users.get(user_id)
    if user is None or user_id not in group.members or not chat.consents(user):
        not_found()
    body: Json = {"displayName": user.name, "userId": user.id}
    picture = call.platform.picture_url(user)
    if picture is not None:
        body["pictureUrl"] = picture
    return answer(body)


def _existing_form(call: Call, kind: Kind) -> None:
    if not _ID[kind].fullmatch(call.params[f"{kind}_id"]):
        raise LineError(400, f"The value for the '{kind}Id' parameter is invalid")


@operation("GET", "/v2/bot/group/{group_id}/members/count")
async def group_count(call: Call) -> Answer:
    """Get number of users in a group chat, without the account."""
    return _count(call, "group")


@operation("GET", "/v2/bot/room/{room_id}/members/count")
async def room_count(call: Call) -> Answer:
    """Get number of users in a multi-person chat, without the account."""
    return _count(call, "room")


@operation("GET", "/v2/bot/group/{group_id}/members/ids")
async def group_ids(call: Call) -> Answer:
    """Get group chat member user IDs; verified accounts only."""
    return _ids(call, "group")


@operation("GET", "/v2/bot/room/{room_id}/members/ids")
async def room_ids(call: Call) -> Answer:
    """Get multi-person chat member user IDs; verified accounts only."""
    return _ids(call, "room")


@operation("GET", "/v2/bot/group/{group_id}/member/{user_id}")
async def group_profile(call: Call) -> Answer:
    """Get group chat member profile: of friends, strangers and blockers alike."""
    return _profile(call, "group")


@operation("GET", "/v2/bot/room/{room_id}/member/{user_id}")
async def room_profile(call: Call) -> Answer:
    """Get multi-person chat member profile."""
    return _profile(call, "room")


@operation("POST", "/v2/bot/group/{group_id}/leave")
async def group_leave(call: Call) -> Answer:
    """Leave group chat."""
    chat.account_leaves(call.platform, _joined(call, "group"), None)
    return EMPTY


@operation("POST", "/v2/bot/room/{room_id}/leave")
async def room_leave(call: Call) -> Answer:
    """Leave multi-person chat. One that the account is not in is no error."""
    room = _existing(call, "room")
    if room.channel_id == call.channel.id:
        chat.account_leaves(call.platform, room, None)
    return EMPTY
