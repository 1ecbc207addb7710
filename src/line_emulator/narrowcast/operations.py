"""Send narrowcast message, and get its status (reference, the sections of these names)."""

from __future__ import annotations

from typing import cast

from ..api.messages import MONTHLY_LIMIT, accept, refuse_repeat, written
from ..api.operation import Answer, Call, LineError, answer, not_found, operation
from ..audience import crowds
from ..audience.store import ENOUGH, Audience, audiences
from ..ids import UUID
from ..limits import PER_HOUR_60
from ..model import Json
from ..pace import Pace
from ..sending import Reserved, quota_left
from . import filters, work
from .schema import NARROWCAST, leaves
from .store import STATUS_SECONDS, Narrowcast, Narrowcasts, narrowcasts

FRIENDS_FOR_ATTRIBUTES = 100
"""Target reach that attributes need (reference, "Restrictions on sending messages using attributes
and audiences")."""


@operation("POST", "/v2/bot/message/narrowcast", body="json", retry=True, limit=PER_HOUR_60)
async def narrowcast(call: Call) -> Answer:
    """Send narrowcast message: accepted now, sent in a while."""
    body = call.json(NARROWCAST)
    refuse_repeat(call)
    platform, channel = call.platform, call.channel
    limit = cast(Json, body.get("limit") or {})
    if limit.get("forbidPartialDelivery") and not limit.get("upToRemainingQuota"):
        raise LineError(
            400, "The option forbidPartialDelivery must be used with upToRemainingQuota."
        )
    recipient = cast("Json | None", body.get("recipient"))
    demographic = cast("Json | None", cast(Json, body.get("filter") or {}).get("demographic"))
    messages = cast(list[Json], body["messages"])
    job = Narrowcast(
        request_id=call.request_id,
        accepted_at=platform.clock.now(),
        messages_json=written(messages),
        message_ids=platform.message_ids.take(len(messages)),
        silent=body.get("notificationDisabled") is True,
        retry_key=call.retry_key,
        demographic=demographic,
        forbid_partial=limit.get("forbidPartialDelivery") is True,
        restricted=demographic is not None,
    )
    reach = crowds.friends(platform, channel)
    wanted = reach if recipient is None else _recipients(call, recipient, reach, job)
    job.wanted = crowds.packed(wanted)
    if demographic is not None and reach.bit_count() < FRIENDS_FOR_ATTRIBUTES:
        raise LineError(403, "Your account does not have enough friends")
    job.most = _reserve(call, limit, reach.bit_count())
    channel.store.of(Narrowcasts).by_request[job.request_id] = job
    accept(call)
    data = {"channel": channel.id, "request": job.request_id}
    platform.agenda.after(platform.store.of(Pace).narrowcast_waiting, work.BEGIN, data)
    return Answer(status=202)


def _recipients(call: Call, tree: Json, reach: int, job: Narrowcast) -> int:
    """Whom the recipient object means; notes on `job` which restrictions follow from it.

    Raises LineError when an audience or an earlier narrowcast cannot be used.
    """
    named: dict[int, int] = {}

    def crowd(leaf: Json) -> int:
        if leaf["type"] == "redelivery":
            job.restricted = True
            return crowds.mask_of_packed(_earlier(call, leaf["requestId"]).reached)
        audience = _usable(call, int(leaf["audienceGroupId"]))
        people = crowds.mask_of_people(audience.members)
        if not audience.free_of_minimum:
            job.restricted = True
            named[audience.id] = (people & reach).bit_count()
        return people

    wanted = filters.recipients(tree, reach, crowd)
    several = sum(leaf["type"] == "audience" for leaf in leaves(tree)) > 1
    if several and any(count < ENOUGH for count in named.values()):
        job.doomed = 4
    return wanted


def _usable(call: Call, audience_id: int) -> Audience:
    audience = audiences(call.platform, call.channel).get(audience_id)
    if audience is None or audience.status != "READY":
        raise LineError(400, f"Invalid audience group id: {audience_id}")
    return audience


def _earlier(call: Call, request_id: str) -> Narrowcast:
    job = narrowcasts(call.platform, call.channel).get(request_id)
    if (
        job is None
        or job.phase != "succeeded"
        or call.platform.clock.now() - job.accepted_at >= STATUS_SECONDS
    ):
        raise LineError(400, f"Invalid request id: {request_id}")
    return job


def _reserve(call: Call, limit: Json, reach: int) -> int | None:
    """Set aside what the month has left; the number of people it may be sent to at most.

    Reference, "Limit objects", the table. Raises LineError 429 when there is not enough.
    """
    most: int | None = None if limit.get("max") is None else int(limit["max"])
    left = quota_left(call.platform, call.channel)
    if left is None:
        return most
    amount = reach if most is None else min(reach, most)
    if limit.get("upToRemainingQuota"):
        amount = min(amount, left)
    if amount > left or (left == 0 and reach > 0):
        raise MONTHLY_LIMIT
    call.channel.store.of(Reserved).people[call.request_id] = amount
    return amount


@operation("GET", "/v2/bot/message/progress/narrowcast")
async def progress(call: Call) -> Answer:
    """Get narrowcast message status, for 14 days."""
    request_id = call.query.get("requestId", "")
    if not UUID.fullmatch(request_id):
        raise LineError(400, "The value for the 'requestId' parameter is invalid")
    job = narrowcasts(call.platform, call.channel).get(request_id)
    if job is None or call.platform.clock.now() - job.accepted_at > STATUS_SECONDS:
        not_found()
    return answer(job.status())
