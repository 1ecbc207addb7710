"""Replacing or unlinking the menus of all who have a certain one (reference, "Replace or unlink
the linked rich menus in batches").

Who has which menu is settled when the request is accepted, so that operations do not affect each
other. With a `resumeRequestKey`, a repeat leaves alone all who are through already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from ..agenda import duty
from ..api.operation import EMPTY, Answer, Call, LineError, answer, not_found, operation
from ..ids import UUID
from ..insight.people import People
from ..limits import PER_HOUR_3, PER_HOUR_100
from ..model import Channel, Friendship, Json
from ..platform import Platform
from . import schema
from .store import link, menus_of, unlink

START_SECONDS = 2.0
"""How long after its answer a batch begins; LINE publishes no figure."""
KEPT_SECONDS = 14 * 24 * 3600
"""How long progress can be asked for and a `resumeRequestKey` lives (the same section)."""
_AT_ONCE = 1000
"""So many people are seen to before other requests get their turn."""


@dataclass(slots=True)
class Batch:
    """One accepted request. Times in seconds since 1970.

    `todo` has user id, menu before and menu after ("" for none) of all it concerns.
    """

    accepted_at: float
    key: str | None = None
    todo: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    place: int = 0
    phase: Literal["ongoing", "succeeded", "failed"] = "ongoing"
    completed_at: float | None = None


@dataclass(slots=True)
class ResumeKey:
    """A `resumeRequestKey`, and who was through under it."""

    first_used_at: float
    done: People = field(default_factory=People)


@dataclass(slots=True)
class Batches:
    """A channel's batches by request id. `fail_after` breaks the next one off after so many."""

    by_request: dict[str, Batch] = field(default_factory=dict[str, Batch])
    keys: dict[str, ResumeKey] = field(default_factory=dict[str, ResumeKey])
    fail_after: int | None = None


def _checked(call: Call) -> Json:
    """The request's body. Raises LINE's 400 and 404."""
    body = call.json(schema.BATCH)
    menus = menus_of(call.channel).by_id
    missing: list[Json] = []
    without_image: list[Json] = []
    for index, one in enumerate(cast(list[Json], body["operations"])):
        for side in ("from", "to") if one["type"] == "link" else ("from",):
            menu_id: Any = one.get(side)
            if menu_id is None:
                continue
            place = f"operations[{index}].{side}"
            menu = menus.get(menu_id)
            if menu is None:
                message = f"Richmenu ({menu_id}) is not found"
                missing.append({"message": message, "property": place})
            elif side == "to" and menu.image is None:
                message = f"'to' richmenu ({menu_id}) must have image but it doesn't"
                without_image.append({"message": message, "property": place})
    for status, details in ((404, missing), (400, without_image)):
        if details:
            message = f"The request body has {len(details)} error(s)"
            raise LineError(status, {"message": message, "details": details})
    return body


def _concerned(channel: Channel, operations: list[Json]) -> list[tuple[str, str, str]]:
    linked = menus_of(channel).linked
    if operations[0]["type"] == "unlinkAll":
        return [(user_id, menu_id, "") for user_id, menu_id in linked.items()]
    after = {one["from"]: one["to"] if one["type"] == "link" else "" for one in operations}
    return [
        (user_id, menu_id, after[menu_id])
        for user_id, menu_id in linked.items()
        if menu_id in after
    ]


@operation("POST", "/v2/bot/richmenu/batch", limit=PER_HOUR_3, body="json")
async def start(call: Call) -> Answer:
    """Replace or unlink the linked rich menus in batches."""
    body = _checked(call)
    key: str | None = body.get("resumeRequestKey")
    batches = call.channel.store.of(Batches)
    now = call.platform.clock.now()
    _forget_old(batches, now)
    if key is not None:
        batches.keys.setdefault(key, ResumeKey(now))
    todo = _concerned(call.channel, body["operations"])
    batches.by_request[call.request_id] = Batch(now, key, todo)
    work = {"channel": call.channel.id, "request": call.request_id}
    call.platform.agenda.after(START_SECONDS, "richmenu.batch", work)
    return Answer(status=202)


def _forget_old(batches: Batches, now: float) -> None:
    for request_id in [
        one for one, batch in batches.by_request.items() if now - batch.accepted_at > KEPT_SECONDS
    ]:
        del batches.by_request[request_id]
    for key in [
        one for one, kept in batches.keys.items() if now - kept.first_used_at > KEPT_SECONDS
    ]:
        del batches.keys[key]


@operation("POST", "/v2/bot/richmenu/validate/batch", body="json")
async def validate(call: Call) -> Answer:
    """Validate a request of rich menu batch control."""
    _checked(call)
    return EMPTY


@operation("GET", "/v2/bot/richmenu/progress/batch", limit=PER_HOUR_100)
async def progress(call: Call) -> Answer:
    """Get the status of rich menu batch control."""
    request_id = call.query.get("requestId", "")
    if not UUID.fullmatch(request_id):
        raise LineError(400, "The value for the 'requestId' parameter is invalid")
    batches = call.channel.store.of(Batches)
    _forget_old(batches, call.platform.clock.now())
    batch = batches.by_request.get(request_id)
    if batch is None:
        not_found()
    told = {"phase": batch.phase, "acceptedTime": _moment(batch.accepted_at)}
    if batch.completed_at is not None:
        told["completedTime"] = _moment(batch.completed_at)
    return answer(told)


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


@duty("richmenu.batch")
def _go_on(platform: Platform, data: Json) -> None:
    """See to the next people of a batch; come back if there are more."""
    channel = platform.channel(data["channel"])
    batches = channel.store.of(Batches)
    batch = batches.by_request.get(data["request"])
    if batch is None:
        return  # forgotten: the clock was moved by more than two weeks
    done = batches.keys[batch.key].done if batch.key in batches.keys else People()
    for one in batch.todo[batch.place : batch.place + _AT_ONCE]:
        if batches.fail_after is not None and batch.place >= batches.fail_after:
            batches.fail_after = None
            _finish(platform, batch, "failed")
            return
        batch.place += 1
        _see_to(platform, channel, one, done)
    if batch.place < len(batch.todo):
        platform.agenda.after(0, "richmenu.batch", data)
        return
    menus = menus_of(channel).by_id
    lost = any(after and after not in menus for _, _, after in batch.todo)
    _finish(platform, batch, "failed" if lost else "succeeded")


def _see_to(platform: Platform, channel: Channel, one: tuple[str, str, str], done: People) -> None:
    user_id, before, after = one
    menus = menus_of(channel)
    user = platform.users.get(user_id)
    if (
        user is None
        or user.index in done
        # Linked or unlinked since by somebody who knew better.
        or menus.linked.get(user_id) != before
        or channel.friendship(user_id) is not Friendship.FRIEND
    ):
        return
    if not after:
        unlink(platform, channel, user_id)
    elif after in menus.by_id:
        link(platform, channel, user_id, after)
    else:
        return  # the menu was deleted meanwhile
    done.add(user.index)


def _finish(platform: Platform, batch: Batch, phase: Literal["succeeded", "failed"]) -> None:
    batch.phase = phase
    batch.completed_at = platform.clock.now()
    batch.todo.clear()
