"""A person's own rich menu (reference, "Per-user rich menu").

Who is no friend, or unknown, is passed over in silence, as LINE does. Links to many people are
made in the background, which LINE says takes a few seconds at most.
"""

from __future__ import annotations

from ..agenda import duty
from ..api.operation import EMPTY, Answer, Call, LineError, answer, operation
from ..ids import USER_ID
from ..model import Friendship, Json
from ..platform import Platform
from . import schema
from .operations import menu_to_show, no_image
from .store import link, menus_of, unlink

BULK_SECONDS = 0.5
"""How long after its answer a bulk request is carried out."""


def _user_id(call: Call) -> str:
    user_id = call.params["userId"]
    if not USER_ID.fullmatch(user_id):
        raise LineError(400, "The value for the 'userId' parameter is invalid")
    return user_id


@operation("POST", "/v2/bot/user/{userId}/richmenu/{richMenuId}")
async def link_one(call: Call) -> Answer:
    """Link rich menu to user, in place of the one that was linked before."""
    user_id = _user_id(call)
    link(call.platform, call.channel, user_id, menu_to_show(call).id)
    return EMPTY


@operation("GET", "/v2/bot/user/{userId}/richmenu")
async def get_one(call: Call) -> Answer:
    """Get rich menu ID of user: the one that is linked, never a default one."""
    user_id = _user_id(call)
    linked = menus_of(call.channel).linked.get(user_id)
    if linked is None or call.channel.friendship(user_id) is not Friendship.FRIEND:
        raise LineError(404, {"message": "the user has no richmenu", "details": []})
    return answer({"richMenuId": linked})


@operation("DELETE", "/v2/bot/user/{userId}/richmenu")
async def unlink_one(call: Call) -> Answer:
    """Unlink rich menu from user; who has none keeps having none."""
    unlink(call.platform, call.channel, _user_id(call))
    return EMPTY


@operation("POST", "/v2/bot/richmenu/bulk/link", body="json")
async def link_many(call: Call) -> Answer:
    """Link rich menu to multiple users."""
    body = call.json(schema.BULK_LINK)
    menu = menus_of(call.channel).by_id.get(body["richMenuId"])
    if menu is None:
        raise LineError(404, {"message": "richmenu not found", "details": []})
    if menu.image is None:
        raise no_image()
    return _later(call, {"menu": menu.id, "users": body["userIds"]})


@operation("POST", "/v2/bot/richmenu/bulk/unlink", body="json")
async def unlink_many(call: Call) -> Answer:
    """Unlink rich menus from multiple users."""
    body = call.json(schema.BULK_UNLINK)
    return _later(call, {"menu": None, "users": body["userIds"]})


def _later(call: Call, work: Json) -> Answer:
    channel = {"channel": call.channel.id}
    call.platform.agenda.after(BULK_SECONDS, "richmenu.bulk", work | channel)
    return Answer(status=202)


@duty("richmenu.bulk")
def _bulk(platform: Platform, data: Json) -> None:
    channel = platform.channel(data["channel"])
    menu_id = data["menu"]
    for user_id in data["users"]:
        if menu_id is None:
            unlink(platform, channel, user_id)
        elif menu_id in menus_of(channel).by_id:
            link(platform, channel, user_id, menu_id)
