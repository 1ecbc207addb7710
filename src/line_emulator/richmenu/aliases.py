"""Names for rich menus, by which a tap switches from one to another (reference, "Rich menu alias").

An alias goes on naming a menu that is deleted: then a tap on it fails with RICHMENU_NOTFOUND.
"""

from __future__ import annotations

from ..api.operation import EMPTY, Answer, Call, LineError, answer, operation
from ..limits import PER_HOUR_100
from ..model import Json
from . import schema
from .store import MAX_ALIASES, menus_of


def _refusal(status: int, message: str) -> LineError:
    return LineError(status, {"message": message, "details": []})


def _alias_id(call: Call) -> str:
    """The alias that the path names. Raises LINE's 400 and 404."""
    alias_id = call.params["richMenuAliasId"]
    if not schema.ALIAS_ID.fullmatch(alias_id):
        raise LineError(400, "The value for the 'richMenuAliasId' parameter is invalid")
    if alias_id not in menus_of(call.channel).aliases:
        raise _refusal(404, "richmenu alias not found")
    return alias_id


def _target(call: Call, body: Json) -> str:
    menu = menus_of(call.channel).by_id.get(body["richMenuId"])
    if menu is None or menu.image is None:
        raise _refusal(400, "richmenu not found")
    return menu.id


@operation("POST", "/v2/bot/richmenu/alias", body="json")
async def create(call: Call) -> Answer:
    """Create rich menu alias."""
    body = call.json(schema.NEW_ALIAS)
    aliases = menus_of(call.channel).aliases
    target = _target(call, body)
    if body["richMenuAliasId"] in aliases:
        raise _refusal(400, "conflict richmenu alias id")
    if len(aliases) >= MAX_ALIASES:
        message = f"The maximum number of rich menu aliases ({MAX_ALIASES}) has been reached"
        raise _refusal(400, message)
    aliases[body["richMenuAliasId"]] = target
    return EMPTY


@operation("GET", "/v2/bot/richmenu/alias/list")
async def alias_list(call: Call) -> Answer:
    """Get list of rich menu alias."""
    pairs = menus_of(call.channel).aliases.items()
    return answer({"aliases": [_described(*pair) for pair in pairs]})


@operation("GET", "/v2/bot/richmenu/alias/{richMenuAliasId}")
async def get(call: Call) -> Answer:
    """Get rich menu alias information."""
    alias_id = _alias_id(call)
    return answer(_described(alias_id, menus_of(call.channel).aliases[alias_id]))


@operation("POST", "/v2/bot/richmenu/alias/{richMenuAliasId}", body="json")
async def update(call: Call) -> Answer:
    """Update rich menu alias."""
    body = call.json(schema.CHANGED_ALIAS)
    alias_id = _alias_id(call)
    menus_of(call.channel).aliases[alias_id] = _target(call, body)
    return EMPTY


@operation("DELETE", "/v2/bot/richmenu/alias/{richMenuAliasId}", limit=PER_HOUR_100)
async def delete(call: Call) -> Answer:
    """Delete rich menu alias."""
    del menus_of(call.channel).aliases[_alias_id(call)]
    return EMPTY


def _described(alias_id: str, menu_id: str) -> Json:
    return {"richMenuAliasId": alias_id, "richMenuId": menu_id}
