"""Loading animation and content of messages (reference, "Message", "Getting content")."""

from __future__ import annotations

from typing import Any

from ..ids import USER_ID
from ..limits import PER_SECOND_100
from ..model import Friendship, Typing
from ..validation.core import obj
from ..validation.report import Path, Report
from .operation import Answer, Call, LineError, not_found, operation

DEFAULT_SECONDS = 20


def _person(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        report.invalid(
            path,
            "Only user id is acceptable, please confirm if there are any group/room ids "
            "or illegal ids.",
        )


def _seconds(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        report.unreadable(path)
        return
    if not 5 <= value <= 60:
        report.between(path, 5, 60)
    if value % 5:
        report.invalid(path, "must be a multiple of five")


_LOADING = obj({"chatId": _person}, {"loadingSeconds": _seconds})


@operation("POST", "/v2/bot/chat/loading/start", body="json", limit=PER_SECOND_100)
async def loading_start(call: Call) -> Answer:
    """Display a loading animation; it ends by itself or with the next message."""
    body = call.json(_LOADING)
    phone = call.channel.phones.get(body["chatId"])
    if phone is not None and phone.friendship is Friendship.FRIEND:
        seconds = body.get("loadingSeconds", DEFAULT_SECONDS)
        phone.loading_until = call.platform.clock.now() + seconds
        call.platform.tell_watchers(call.channel, body["chatId"], Typing(seconds))
    return Answer(b"{}", 202)


@operation("GET", "/v2/bot/message/{message_id}/content", limit=None)
async def content(call: Call) -> Answer:
    """Get content: the bytes of what a person sent."""
    contents = call.channel.contents
    message_id = call.params["message_id"]
    if message_id not in contents:
        not_found("not found")
    found = contents[message_id]
    if found is None:
        raise LineError(410, "The content is gone")
    content_type, data = found
    return Answer(data, content_type=content_type)
