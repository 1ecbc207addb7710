"""Who the bot is and who its friends are (reference, "Bot", "Users")."""

from __future__ import annotations

import base64
import binascii

from ..ids import USER_ID
from ..model import Friendship, Json
from .operation import Answer, Call, LineError, answer, not_found, operation

DEFAULT_PAGE = 300
MAX_PAGE = 1000
START_SECONDS = 86_400
"""A continuation token lives 24 hours (reference, "Get a list of users who added …")."""


@operation("GET", "/v2/bot/info")
async def info(call: Call) -> Answer:
    """Get bot info."""
    channel = call.channel
    return answer(
        {
            "userId": channel.bot_user_id,
            "basicId": channel.basic_id,
            "displayName": channel.name,
            "chatMode": channel.chat_mode,
            "markAsReadMode": "auto" if channel.chat_mode == "bot" else "manual",
        }
    )


@operation("GET", "/v2/bot/profile/{user_id}")
async def profile(call: Call) -> Answer:
    """Get profile: of friends, and of others who have written to the account; never of blockers."""
    user_id = call.params["user_id"]
    if not USER_ID.fullmatch(user_id):
        raise LineError(400, "The value for the 'userId' parameter is invalid")
    user = call.platform.users.get(user_id)
    phone = call.channel.phones.get(user_id)
    if user is None or phone is None or phone.friendship is Friendship.BLOCKED:
        not_found()
    if phone.friendship is Friendship.NOT_FRIEND and phone.last_said_at is None:
        not_found()
    body: Json = {"displayName": user.name, "userId": user.id, "language": user.language}
    picture = call.platform.picture_url(user)
    if picture is not None:
        body["pictureUrl"] = picture
    if user.status_message is not None:
        body["statusMessage"] = user.status_message
    return answer(body)


@operation("GET", "/v2/bot/followers/ids")
async def follower_ids(call: Call) -> Answer:
    """Get a list of users who added the account as a friend; verified accounts only."""
    if not call.channel.verified:
        raise LineError(403, "Access to this API is not available for your account")
    limit = call.query.get("limit", str(DEFAULT_PAGE))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MAX_PAGE:
        raise LineError(400, "The value for the 'limit' parameter is invalid")
    start = _read_start(call, call.query.get("start"))
    # Places in the list of all who ever met the account stay put, so a page never repeats.
    met = list(call.channel.phones.items())
    ids: list[str] = []
    place = start
    while place < len(met) and len(ids) < int(limit):
        user_id, phone = met[place]
        if phone.friendship is Friendship.FRIEND:
            ids.append(user_id)
        place += 1
    body: Json = {"userIds": ids}
    if place < len(met):
        token = f"{place}:{int(call.platform.clock.now())}"
        body["next"] = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return answer(body)


def _read_start(call: Call, token: str | None) -> int:
    if token is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
        place, issued = (int(part) for part in text.split(":"))
    except (binascii.Error, ValueError):
        raise LineError(400, "Invalid start param") from None
    if place < 0 or call.platform.clock.now() - issued > START_SECONDS:
        raise LineError(400, "Invalid start param")
    return place
