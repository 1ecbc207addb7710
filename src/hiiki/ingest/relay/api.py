"""`/api/v1/channels/…/relays`, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, post, put

from hiiki.db import WorkspaceSession
from hiiki.ingest.relay import service
from hiiki.ingest.relay.schemas import (
    RelayDeliveryList,
    RelayDeliveryOut,
    RelayIn,
    RelayList,
    RelayOut,
    RelayRerun,
    RelayTest,
)
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

RELAYS: dict[str, Any] = {"tags": ["relays"]}
OWNER = {"role": "owner"}
_ALL = "/channels/{channel_id:uuid}/relays"
_ONE = _ALL + "/{relay_id:uuid}"


@get(_ALL, operation_id="ListRelays", **RELAYS)
async def list_relays(channel_id: UUID, session: WorkspaceSession) -> RelayList:
    """Return where a channel's webhooks are relayed to."""
    found = await service.targets(session, channel_id)
    return RelayList(items=[RelayOut.model_validate(each) for each in found])


@post(_ALL, operation_id="AddRelay", opt=OWNER, **RELAYS)
async def add_relay(
    channel_id: UUID, data: RelayIn, session: WorkspaceSession, access: Access
) -> RelayOut:
    """Relay the channel's webhooks to one more address."""
    await session.one(Channel, channel_id)
    made = await service.add(session, channel_id, data)
    audit(session, access, "relays.create", made.id, name=made.name, url=made.url)
    return RelayOut.model_validate(made)


@get(_ONE, operation_id="GetRelay", **RELAYS)
async def get_relay(channel_id: UUID, relay_id: UUID, session: WorkspaceSession) -> RelayOut:
    """Return one target."""
    return RelayOut.model_validate(await service.target(session, channel_id, relay_id))


@put(_ONE, operation_id="ReplaceRelay", opt=OWNER, **RELAYS)
async def replace_relay(
    channel_id: UUID, relay_id: UUID, data: RelayIn, session: WorkspaceSession, access: Access
) -> RelayOut:
    """Change a target; an empty `header_value` leaves the present one."""
    target = await service.target(session, channel_id, relay_id)
    await service.change(session, target, data)
    audit(session, access, "relays.update", relay_id, name=target.name, url=target.url)
    return RelayOut.model_validate(target)


@delete(_ONE, operation_id="DeleteRelay", opt=OWNER, **RELAYS)
async def delete_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Relay nothing there any more; what waits for it is dropped."""
    target = await service.target(session, channel_id, relay_id)
    await service.delete(session, target)
    audit(session, access, "relays.delete", relay_id, name=target.name, url=target.url)


@post(_ONE + "/pause", operation_id="PauseRelay", status_code=200, **RELAYS)
async def pause_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> RelayOut:
    """Hold a target's webhooks back, each for 24 hours at most."""
    return RelayOut.model_validate(
        await service.switch(session, access, channel_id, relay_id, True)
    )


@post(_ONE + "/resume", operation_id="ResumeRelay", status_code=200, **RELAYS)
async def resume_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> RelayOut:
    """Relay to a paused target again, beginning with what was held back."""
    return RelayOut.model_validate(
        await service.switch(session, access, channel_id, relay_id, False)
    )


@post(_ONE + "/test", operation_id="TestRelay", status_code=200, **RELAYS)
async def test_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> RelayTest:
    """Post LINE's empty test body, signed, and return what came of it."""
    target = await service.target(session, channel_id, relay_id)
    outcome = await service.test(session, target)
    audit(session, access, "relays.test", relay_id, problem=outcome.problem, answer=outcome.answer)
    return RelayTest(ok=outcome.problem is None, answer=outcome.answer, problem=outcome.problem)


@get(_ONE + "/deliveries", operation_id="ListRelayDeliveries", **RELAYS)
async def list_relay_deliveries(
    channel_id: UUID,
    relay_id: UUID,
    session: WorkspaceSession,
    status: str = "",
    after: int | None = None,
) -> RelayDeliveryList:
    """Return what went to a target lately, 50 a page."""
    target = await service.target(session, channel_id, relay_id)
    found = await service.deliveries(session, target, status=status, after=after)
    return RelayDeliveryList(
        items=[RelayDeliveryOut.model_validate(each) for each in found.deliveries], next=found.next
    )


@post(_ONE + "/run", operation_id="RunRelay", status_code=200, **RELAYS)
async def run_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> RelayRerun:
    """Relay everything that was given up once more."""
    target = await service.target(session, channel_id, relay_id)
    count = await service.run_again(session, target)
    audit(session, access, "relays.run_again", relay_id, count=count)
    return RelayRerun(count=count)


@post(
    _ONE + "/deliveries/{serial:int}/run",
    operation_id="RunRelayDelivery",
    status_code=200,
    **RELAYS,
)
async def run_relay_delivery(
    channel_id: UUID, relay_id: UUID, serial: int, session: WorkspaceSession, access: Access
) -> RelayRerun:
    """Relay one body that was given up once more."""
    target = await service.target(session, channel_id, relay_id)
    count = await service.run_again(session, target, serial)
    audit(session, access, "relays.run_again", relay_id, serial=serial)
    return RelayRerun(count=count)


HANDLERS = [
    list_relays,
    add_relay,
    get_relay,
    replace_relay,
    delete_relay,
    pause_relay,
    resume_relay,
    test_relay,
    list_relay_deliveries,
    run_relay,
    run_relay_delivery,
]
