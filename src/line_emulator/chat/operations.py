"""Loading animation and read marks (reference, "Message"; options for corporate customers)."""

from __future__ import annotations

from typing import Any

from ..api.operation import EMPTY, Answer, Call, LineError, operation
from ..contracts.store import Contracts
from ..events import read_token_means
from ..ids import USER_ID
from ..limits import PER_SECOND_100
from ..model import Friendship, Typing
from ..validation.core import obj, string
from ..validation.report import Path, Report, Unreadable
from . import acts  # pyright: ignore[reportUnusedImport]  # noqa: F401 - registers the acts
from .store import ReadMark, Reads

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


_READ = obj({"markAsReadToken": string})


@operation("POST", "/v2/bot/chat/markAsRead", body="json")
async def mark_as_read(call: Call) -> Answer:
    """Mark messages as read: what was said in that chat up to the token's message."""
    body = call.json(_READ)
    means = read_token_means(call.channel, body["markAsReadToken"])
    if means is None:
        raise LineError(
            400,
            "Invalid markAsReadToken. Tokens must be used by the bot that received them "
            "via Webhook.",
        )
    _read_up_to(call, *means)
    return EMPTY


def _read_up_to(call: Call, chat_id: str, at_ms: int) -> None:
    reads = call.channel.store.of(Reads).by_chat
    reads[chat_id] = max(at_ms, reads.get(chat_id, 0))
    call.platform.tell_watchers(call.channel, chat_id, ReadMark())


def _known_person(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        # The reference's example calls the property "chatId", whatever was sent.
        raise Unreadable(((None, "chat"), "chatId"))


_READ_OLD = obj({"chat": obj({"userId": _known_person})})


@operation("POST", "/v2/bot/message/markAsRead", body="json")
async def mark_as_read_old(call: Call) -> Answer:
    """Mark messages from users as read (old): all of one person's, by contract only."""
    if not call.channel.store.of(Contracts).mark_as_read:
        raise LineError(403, "Access to this API is not available for your account")
    user_id = call.json(_READ_OLD)["chat"]["userId"]
    if user_id in call.channel.phones:
        _read_up_to(call, user_id, call.platform.clock.now_ms())
    return EMPTY
