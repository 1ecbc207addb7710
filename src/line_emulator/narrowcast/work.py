"""Sending narrowcasts in the background: waiting, filtering, sending, in slices.

Every slice is short, so that a hundred thousand recipients do not keep requests waiting.
"""

from __future__ import annotations

from itertools import islice

from ..agenda import duty
from ..audience.crowds import indexes_of, mask_of, mask_of_packed, packed
from ..audience.people import demographics, friend_days
from ..model import Channel, Json, Sending
from ..pace import Pace
from ..platform import Platform
from ..sending import Reserved, deliver, reachable
from . import filters
from .store import Narrowcast, Narrowcasts

BEGIN = "narrowcast.begin"
FEWEST = 50
"""Recipients that attributes and audiences need (reference, "Restrictions on sending messages using
attributes and audiences")."""
_FILTERED_AT_ONCE = 500
_SENT_AT_ONCE = 1000
_SLICE_SECONDS = 0.1


def _find(platform: Platform, data: Json) -> tuple[Channel, Narrowcast] | None:
    channel = platform.channels.get(data["channel"])
    if channel is None:
        return None
    job = channel.store.of(Narrowcasts).by_request.get(data["request"])
    return None if job is None or job.completed_at is not None else (channel, job)


def _complete(
    platform: Platform, channel: Channel, job: Narrowcast, error_code: int | None = None
) -> None:
    job.phase = "succeeded" if error_code is None else "failed"
    job.error_code = error_code
    job.completed_at = platform.clock.now()
    # Only who was reached is needed from now on, for redelivery.
    job.wanted = job.found = b""
    channel.store.of(Reserved).people.pop(job.request_id, None)


@duty(BEGIN)
def _begin(platform: Platform, data: Json) -> None:
    found = _find(platform, data)
    if found is None:
        return
    channel, job = found
    pace = platform.store.of(Pace)
    if pace.fail_narrowcasts > 0:
        pace.fail_narrowcasts -= 1
        _complete(platform, channel, job, pace.narrowcast_error)
    elif job.doomed is not None:
        _complete(platform, channel, job, job.doomed)
    elif job.demographic is None:
        job.found = job.wanted
        _choose(platform, channel, job, data)
    else:
        platform.agenda.after(0, "narrowcast.filter", data)


@duty("narrowcast.filter")
def _filter(platform: Platform, data: Json) -> None:
    found = _find(platform, data)
    if found is None:
        return
    channel, job = found
    assert job.demographic is not None
    wanted = mask_of_packed(job.wanted)
    matches = filters.predicate(job.demographic)
    with_period = filters.uses_period(job.demographic)
    people = platform.user_order
    matching: list[int] = []
    # The rest of the set begins at `place`; the slice is the lowest so many people of it.
    looked_at = 0
    for index in islice(indexes_of(wanted >> job.place), _FILTERED_AT_ONCE):
        looked_at = index + 1
        user = people[job.place + index]
        days = friend_days(platform, channel, user) if with_period else 0
        if matches(demographics(platform, user), days):
            matching.append(job.place + index)
    if matching:
        job.found = packed(mask_of_packed(job.found) | mask_of(matching, len(people)))
    if looked_at:
        job.place += looked_at
        platform.agenda.after(0, "narrowcast.filter", data)
    else:
        _choose(platform, channel, job, data)


def _choose(platform: Platform, channel: Channel, job: Narrowcast, data: Json) -> None:
    """Now it is known who would get it: whether that is enough, or too many."""
    found = mask_of_packed(job.found)
    count = found.bit_count()
    if count == 0 or (job.restricted and count < FEWEST):
        _complete(platform, channel, job, 2)
        return
    if job.most is not None and count > job.most:
        if job.forbid_partial:
            _complete(platform, channel, job, 5)
            return
        by_lot = platform.rng.sample(list(indexes_of(found)), job.most)
        found = mask_of(by_lot, len(platform.user_order))
    reserved = channel.store.of(Reserved).people
    if job.request_id in reserved:
        # The number of messages is determined now; the rest is given back.
        reserved[job.request_id] = found.bit_count()
    job.found, job.target, job.place = packed(found), found.bit_count(), 0
    job.phase = "sending"
    platform.agenda.after(0, "narrowcast.send", data)


@duty("narrowcast.send")
def _send(platform: Platform, data: Json) -> None:
    found = _find(platform, data)
    if found is None:
        return
    channel, job = found
    rate = platform.store.of(Pace).narrowcast_per_second
    at_once = min(_SENT_AT_ONCE, max(1, int(rate * _SLICE_SECONDS))) if rate else _SENT_AT_ONCE
    rest = mask_of_packed(job.found) >> job.place
    indexes = [job.place + index for index in islice(indexes_of(rest), at_once)]
    reached = {
        index
        for index in indexes
        if reachable(platform, channel, platform.user_order[index].id, "narrowcast")
    }
    sending = _sending(platform, channel, job)
    deliver(platform, channel, sending, [platform.user_order[one].id for one in sorted(reached)])
    job.success += len(reached)
    job.failure += len(indexes) - len(reached)
    job.reached = packed(mask_of_packed(job.reached) | mask_of(reached, len(platform.user_order)))
    reserved = channel.store.of(Reserved).people
    if job.request_id in reserved:
        reserved[job.request_id] = max(0, reserved[job.request_id] - len(indexes))
    if job.success + job.failure < job.target:
        job.place = indexes[-1] + 1
        platform.agenda.after(len(indexes) / rate if rate else 0, "narrowcast.send", data)
    else:
        _complete(platform, channel, job)


def _sending(platform: Platform, channel: Channel, job: Narrowcast) -> Sending:
    """The one sending that all phones share: already on a phone, or made now."""
    first = next(indexes_of(mask_of_packed(job.reached)), None)
    if first is not None:
        phone = channel.phone(platform.user_order[first].id)
        for entry in reversed(phone.entries):
            if isinstance(entry, Sending) and entry.request_id == job.request_id:
                return entry
    return Sending(
        at_ms=platform.clock.now_ms(),
        channel_id=channel.id,
        via="narrowcast",
        request_id=job.request_id,
        messages_json=job.messages_json,
        message_ids=job.message_ids,
        unit=None,
        retry_key=job.retry_key,
        silent=job.silent,
    )
