"""What staff and programs do about relay targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson
from sqlalchemy import func, select, text, update

from hiiki.db import WorkspaceSession
from hiiki.ingest.relay.models import RelayDelivery, RelayTarget
from hiiki.ingest.relay.outbox import CHANNEL, GIVEN_UP_AFTER
from hiiki.ingest.relay.post import HEADER_PURPOSE, Outcome, destination, post
from hiiki.ingest.relay.post import session as http_session
from hiiki.ingest.relay.schemas import RelayIn
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.i18n import _
from hiiki.kit.ids import uuid7
from hiiki.line.signature import sign
from hiiki.workspace.access import Access, audit
from hiiki.workspace.channels import credentials
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal

MOST = 10
"""Targets of a channel: each gets a copy of everything."""
PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of deliveries, latest first."""

    deliveries: list[RelayDelivery]
    next: int | None


async def targets(session: WorkspaceSession, channel_id: UUID) -> list[RelayTarget]:
    """Return a channel's targets, oldest first; raises `NotFound` for a stranger's channel."""
    await session.one(Channel, channel_id)
    found = await session.scalars(
        select(RelayTarget)
        .where(RelayTarget.channel_id == channel_id)
        .order_by(RelayTarget.created_at, RelayTarget.id)
    )
    return list(found)


async def target(session: WorkspaceSession, channel_id: UUID, relay_id: UUID) -> RelayTarget:
    """Return one target of the channel."""
    found = await session.one(RelayTarget, relay_id)
    if found.channel_id != channel_id:
        raise NotFound()
    return found


async def add(session: WorkspaceSession, channel_id: UUID, given: RelayIn) -> RelayTarget:
    """Relay the channel's webhooks to one more address; raises `Conflict` when there are ten."""
    # Two that add at once must not both be the tenth, or the same address.
    await session.execute(select(Channel.id).where(Channel.id == channel_id).with_for_update())
    present = await targets(session, channel_id)
    if len(present) >= MOST:
        raise Conflict(_("A channel can have at most %(n)s targets.", n=MOST))
    made = RelayTarget(id=uuid7(), channel_id=channel_id, name=given.name, url=given.url)
    _refuse_twice(present, made, given)
    if given.header_name and not given.header_value:
        raise Invalid(fields={"header_value": _("Please enter the header's value.")})
    _take(made, given)
    session.add(made)
    await session.flush()
    return made


async def change(session: WorkspaceSession, changed: RelayTarget, given: RelayIn) -> None:
    """Take new values; a header's value that is left empty stays, unless its name changes."""
    _refuse_twice(await targets(session, changed.channel_id), changed, given)
    if given.header_name and not given.header_value:
        if changed.sealed_header is None or changed.header_name != given.header_name:
            raise Invalid(fields={"header_value": _("Please enter the header's value.")})
        # The value was entered for the present address: it must not follow to another one.
        if changed.url != given.url:
            raise Invalid(
                fields={"header_value": _("The address has changed: please enter the value again.")}
            )
    _take(changed, given)
    _soon(changed)
    await _wake(session, changed.id)


def _refuse_twice(present: list[RelayTarget], own: RelayTarget, given: RelayIn) -> None:
    if any(each.url == given.url and each.id != own.id for each in present):
        raise Invalid(fields={"url": _("This address is a target already.")})


def _take(target: RelayTarget, given: RelayIn) -> None:
    target.name, target.url = given.name, given.url
    target.header_name = given.header_name
    if not given.header_name:
        target.sealed_header = None
    elif given.header_value:
        target.sealed_header = seal(given.header_value, target.id, HEADER_PURPOSE)


def _soon(target: RelayTarget) -> None:
    target.failures, target.rests_until = 0, None


async def set_paused(session: WorkspaceSession, changed: RelayTarget, is_paused: bool) -> None:
    """Hold a target's bodies back, for a day at most, or let them go."""
    changed.is_paused = is_paused
    if not is_paused:
        _soon(changed)
        await _wake(session, changed.id)


async def switch(
    session: WorkspaceSession, access: Access, channel_id: UUID, relay_id: UUID, is_paused: bool
) -> RelayTarget:
    """Pause or resume one target of the channel as `access` asks; returns it."""
    changed = await target(session, channel_id, relay_id)
    await set_paused(session, changed, is_paused)
    audit(
        session, access, "relays.pause" if is_paused else "relays.resume", relay_id,
        name=changed.name,
    )  # fmt: skip
    return changed


async def _wake(session: WorkspaceSession, target_id: UUID) -> None:
    await session.flush()
    await session.execute(
        update(RelayDelivery)
        .where(RelayDelivery.target_id == target_id, RelayDelivery.state == "waiting")
        .values(due_at=now())
        .execution_options(synchronize_session=False)
    )
    await _notify(session)


async def _notify(session: WorkspaceSession) -> None:
    await session.execute(
        text("select pg_notify(:channel, '')"),
        {"channel": CHANNEL},
        execution_options={"scoped_by_hand": True},
    )


async def delete(session: WorkspaceSession, gone: RelayTarget) -> None:
    """Relay nothing there any more; what waits for it is dropped."""
    await session.delete(gone)
    await session.flush()


async def test(session: WorkspaceSession, tested: RelayTarget) -> Outcome:
    """Post the empty body with which LINE verifies a webhook, signed; returns what came of it."""
    channel = await session.one(Channel, tested.channel_id)
    body = orjson.dumps({"destination": channel.bot_user_id, "events": []})
    where, secret = destination(tested), credentials(channel).secret
    async with http_session() as http:
        return await post(http, where, body, sign(secret, body))


async def deliveries(
    session: WorkspaceSession, target: RelayTarget, *, status: str = "", after: int | None = None
) -> DeliveryPage:
    """Return a target's latest deliveries, 50 a page; in one state only if that is given."""
    query = (
        select(RelayDelivery)
        .where(RelayDelivery.target_id == target.id)
        .order_by(RelayDelivery.serial.desc())
        .limit(PAGE + 1)
    )
    if status:
        if status not in ("waiting", "delivered", "given_up"):
            raise Invalid(fields={"status": _("This state is not known.")})
        query = query.where(RelayDelivery.state == status)
    if after is not None:
        if not 0 < after < 2**63:
            raise Invalid(fields={"after": _("This is not a place in the list.")})
        query = query.where(RelayDelivery.serial < after)
    found = list(await session.scalars(query))
    return DeliveryPage(found[:PAGE], found[PAGE - 1].serial if len(found) > PAGE else None)


async def counts(session: WorkspaceSession, channel_id: UUID) -> Mapping[UUID, Mapping[str, int]]:
    """Return target → state → how many bodies, of the last week."""
    found = await session.execute(
        select(RelayDelivery.target_id, RelayDelivery.state, func.count())
        .join(RelayTarget, RelayTarget.id == RelayDelivery.target_id)
        .where(RelayTarget.channel_id == channel_id)
        .group_by(RelayDelivery.target_id, RelayDelivery.state)
    )
    by_target: dict[UUID, dict[str, int]] = {}
    for target_id, state, count in found:
        by_target.setdefault(target_id, {})[state] = count
    return by_target


async def run_again(
    session: WorkspaceSession, target: RelayTarget, serial: int | None = None
) -> int:
    """Relay what was given up once more, for another day; returns how many bodies those are.

    All of the target's, or with `serial` that one. Raises `Conflict` when it was not given
    up, or is no longer kept.
    """
    await session.refresh(target, with_for_update=True)  # as `outbox.record` does, first
    again = (
        update(RelayDelivery)
        .where(
            RelayDelivery.target_id == target.id,
            RelayDelivery.state == "given_up",
            RelayDelivery.body_id.is_not(None),
        )
        .values(
            state="waiting", attempts=0, problem=None, answer=None, settled_at=None,
            due_at=now(), expires_at=now() + GIVEN_UP_AFTER,
        )
        .returning(RelayDelivery.serial)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if serial is not None:
        if not 0 < serial < 2**63:
            raise NotFound()
        found = await session.one(RelayDelivery, serial)
        if found.target_id != target.id:
            raise NotFound()
        again = again.where(RelayDelivery.serial == serial)
    count = len((await session.execute(again)).all())
    if not count:
        raise Conflict(_("There is nothing here that was given up and is still kept."))
    _soon(target)
    await session.flush()
    await _notify(session)
    return count
