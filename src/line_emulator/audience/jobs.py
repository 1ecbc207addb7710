"""Filling audiences, in the background as LINE does (reference, "Get audience data", `status`).

People who are uploaded are added by a job: queued, working, finished. Who clicked or saw a message
is collected once; with fewer than 50 the audience stays in progress for good.
"""

from __future__ import annotations

from ..agenda import duty
from ..insight import record
from ..insight.people import People
from ..model import Channel, Json
from ..pace import Pace
from ..platform import Platform
from .crowds import people_of
from .store import ENOUGH, Audience, Audiences, Job, Numbers


def start(
    platform: Platform, channel: Channel, audience: Audience, people: int, description: str | None
) -> None:
    """Add these people (a set) to the audience, in a while."""
    job = Job(
        id=platform.store.of(Numbers).next_job(),
        description=description,
        created=int(platform.clock.now()),
        adding=people_of(people),
    )
    audience.jobs.append(job)
    data = {"channel": channel.id, "audience": audience.id, "job": job.id}
    platform.agenda.after(platform.store.of(Pace).audience_queued, "audience.work", data)


def start_collecting(platform: Platform, channel: Channel, audience: Audience) -> None:
    """Collect who clicked or saw the audience's message, in a while."""
    pace = platform.store.of(Pace)
    data = {"channel": channel.id, "audience": audience.id}
    platform.agenda.after(pace.audience_queued + pace.audience_working, "audience.collect", data)


def _find(platform: Platform, data: Json) -> Audience | None:
    channel = platform.channels.get(data["channel"])
    if channel is None:
        return None
    return channel.store.of(Audiences).by_id.get(data["audience"])


def _job(platform: Platform, data: Json) -> tuple[Audience, Job] | None:
    audience = _find(platform, data)
    if audience is not None:
        for job in audience.jobs:
            if job.id == data["job"]:
                return audience, job
    return None  # deleted meanwhile


def _fails(platform: Platform) -> bool:
    pace = platform.store.of(Pace)
    if pace.fail_audiences <= 0:
        return False
    pace.fail_audiences -= 1
    return True


@duty("audience.work")
def _work(platform: Platform, data: Json) -> None:
    found = _job(platform, data)
    if found is not None:
        found[1].status = "WORKING"
        platform.agenda.after(platform.store.of(Pace).audience_working, "audience.finish", data)


@duty("audience.finish")
def _finish(platform: Platform, data: Json) -> None:
    found = _job(platform, data)
    if found is None:
        return
    audience, job = found
    adding, job.adding = job.adding, People()
    if _fails(platform):
        job.status, job.failed_type = "FAILED", "INTERNAL_ERROR"
        if audience.status == "IN_PROGRESS":
            audience.status, audience.failed_type = "FAILED", "INTERNAL_ERROR"
        return
    before = len(audience.members)
    audience.members.update(adding)
    job.status = "FINISHED"
    job.count = len(audience.members) - before
    # An empty audience stays in progress, and is ready as soon as somebody is in it.
    if len(audience.members) and audience.status in ("IN_PROGRESS", "FAILED"):
        audience.status, audience.failed_type = "READY", None


@duty("audience.collect")
def _collect(platform: Platform, data: Json) -> None:
    audience = _find(platform, data)
    if audience is None:
        return
    if _fails(platform):
        audience.status, audience.failed_type = "FAILED", "INTERNAL_ERROR"
        return
    channel = platform.channels[data["channel"]]
    assert audience.request_id is not None
    if audience.type == "CLICK":
        people = record.clickers(channel, audience.request_id, audience.click_url)
    else:
        people = record.openers(channel, audience.request_id)
    audience.members = people or People()
    if len(audience.members) >= ENOUGH and audience.status == "IN_PROGRESS":
        audience.status = "READY"
