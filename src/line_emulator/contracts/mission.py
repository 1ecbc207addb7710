"""Mission stickers (reference of the options for corporate customers, "Mission Sticker API").

`/shop/v3/mission` gives one person the right to download a set. LINE's sticker shop is not here:
the sets that exist are those in the contract's `sticker_sets`.
"""

from __future__ import annotations

from typing import Any, cast

import orjson

from ..api.operation import Answer, Call, LineError, operation
from ..ids import USER_ID
from ..model import Json
from .store import Contracts


@operation("POST", "/shop/v3/mission", body="json", limit=None)
async def mission(call: Call) -> Answer:
    """Provide mission stickers to the users. Success has an empty body."""
    contracts = call.channel.store.of(Contracts)
    if not contracts.mission:
        raise LineError(403, "not allowed to use the API")
    body = _body(call)
    user_id, product = body.get("to"), body.get("productId")
    valid = (
        isinstance(user_id, str)
        and USER_ID.fullmatch(user_id)
        and user_id in call.platform.users
        and body.get("productType") == "STICKER"
        and isinstance(product, str)
        and isinstance(body.get("sendPresentMessage"), bool)
    )
    if not valid:
        raise LineError(400, "invalid request")
    if product not in contracts.sticker_sets:
        raise LineError(404, "not found")
    sets = contracts.granted.setdefault(cast(str, user_id), [])
    if product not in sets:
        sets.append(cast(str, product))
    return Answer(b"")


def _body(call: Call) -> Json:
    try:
        body: Any = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise LineError(400, "invalid request") from None
    if not isinstance(body, dict):
        raise LineError(400, "invalid request")
    return cast(Json, body)
