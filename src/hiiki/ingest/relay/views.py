"""Console pages below an official account: where its webhooks are relayed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Response

from hiiki.db import WorkspaceSession
from hiiki.ingest.relay import service
from hiiki.ingest.relay.models import RelayTarget
from hiiki.ingest.relay.schemas import RelayIn
from hiiki.ingest.relay.words import PROBLEMS, STATE_WORDS
from hiiki.kit.errors import HiikiError
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.settings import settings
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

OWNER = {"role": "owner"}
_FIELDS = ("name", "url", "header_name")
_NOTHING: dict[str, str] = dict.fromkeys(_FIELDS, "")


def _path(channel_id: UUID, relay_id: UUID | None = None) -> str:
    return f"/settings/channels/{channel_id}/relays" + (f"/{relay_id}" if relay_id else "")


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(data.get(name, "")) for name in (*_FIELDS, "header_value")}


@get("/settings/channels/{channel_id:uuid}/relays")
async def list_relays(channel_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Where an account's webhooks go besides Hiiki."""
    return page(
        "ingest/relays.html",
        channel=await session.one(Channel, channel_id),
        targets=await service.targets(session, channel_id),
        counts=await service.counts(session, channel_id),
        most=service.MOST,
    )


async def _form(
    session: WorkspaceSession,
    channel_id: UUID,
    target: RelayTarget | None,
    data: Mapping[str, Any],
    error: HiikiError | None = None,
) -> Response[Any]:
    return page(
        "ingest/relay_form.html",
        status=200 if error is None else error.status,
        channel=await session.one(Channel, channel_id),
        target=target,
        # A header's value is not sent back to the browser.
        data={name: data[name] for name in _FIELDS},
        errors={} if error is None else error.fields,
        message="" if error is None else error.message,
        insecure=settings().relay_insecure,
    )


@get("/settings/channels/{channel_id:uuid}/relays/new", opt=OWNER)
async def new_relay(channel_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Another tool is to get the webhooks."""
    return await _form(session, channel_id, None, _NOTHING)


@post("/settings/channels/{channel_id:uuid}/relays/new", opt=OWNER)
async def add_relay(
    channel_id: UUID, request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Add a target."""
    data = _typed(await form_data(request))
    await session.one(Channel, channel_id)
    try:
        made = await service.add(session, channel_id, parse(RelayIn, data))
    except HiikiError as error:
        return await _form(session, channel_id, None, data, error)
    audit(session, access, "relays.create", made.id, name=made.name, url=made.url)
    return to(_path(channel_id, made.id), _("The target has been added. Send it a test."))


@get("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}")
async def show_relay(
    channel_id: UUID,
    relay_id: UUID,
    session: WorkspaceSession,
    status: str = "",
    after: int | None = None,
) -> Response[Any]:
    """One target: is it well, and what went there lately."""
    target = await service.target(session, channel_id, relay_id)
    found = await service.deliveries(session, target, status=status, after=after)
    here = _path(channel_id, relay_id)
    chosen = {"status": status} if status else {}
    more = urlencode({**chosen, "after": found.next or ""})
    return page(
        "ingest/relay.html",
        channel=await session.one(Channel, channel_id),
        target=target,
        counts=(await service.counts(session, channel_id)).get(target.id, {}),
        deliveries=found.deliveries,
        state=status,
        state_words=STATE_WORDS,
        problems=PROBLEMS,
        before=f"{here}?{urlencode(chosen)}" if after is not None else "",
        after=f"{here}?{more}" if found.next else "",
    )


@get("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/edit", opt=OWNER)
async def edit_relay(channel_id: UUID, relay_id: UUID, session: WorkspaceSession) -> Response[Any]:
    """Change a target."""
    target = await service.target(session, channel_id, relay_id)
    return await _form(
        session, channel_id, target, {name: getattr(target, name) for name in _FIELDS}
    )


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/edit", opt=OWNER)
async def save_relay(
    channel_id: UUID,
    relay_id: UUID,
    request: WebRequest,
    session: WorkspaceSession,
    access: Access,
) -> Response[Any]:
    """Take a target's new values."""
    target = await service.target(session, channel_id, relay_id)
    data = _typed(await form_data(request))
    try:
        await service.change(session, target, parse(RelayIn, data))
    except HiikiError as error:
        return await _form(session, channel_id, target, data, error)
    audit(session, access, "relays.update", target.id, name=target.name, url=target.url)
    return to(_path(channel_id, relay_id), _("The target has been saved."))


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/pause")
async def pause_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Hold a target's webhooks back."""
    await service.switch(session, access, channel_id, relay_id, True)
    return to(_path(channel_id, relay_id), _("Paused. What arrives is held back for 24 hours."))


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/resume")
async def resume_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Relay to a target again."""
    await service.switch(session, access, channel_id, relay_id, False)
    return to(_path(channel_id, relay_id), _("Webhooks are relayed there again."))


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/test")
async def test_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Post LINE's empty test body to a target."""
    target = await service.target(session, channel_id, relay_id)
    outcome = await service.test(session, target)
    audit(session, access, "relays.test", relay_id, problem=outcome.problem, answer=outcome.answer)
    if outcome.problem is None:
        said: Text = _("The target took the test (%(answer)s).", answer=outcome.answer)
    elif outcome.answer is not None:
        said = _(
            "The test failed: %(problem)s (%(answer)s)",
            problem=PROBLEMS[outcome.problem],
            answer=outcome.answer,
        )
    else:
        said = _("The test failed: %(problem)s", problem=PROBLEMS[outcome.problem])
    return to(_path(channel_id, relay_id), said)


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/run")
async def run_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Relay everything that was given up once more."""
    target = await service.target(session, channel_id, relay_id)
    count = await service.run_again(session, target)
    audit(session, access, "relays.run_again", relay_id, count=count)
    return to(_path(channel_id, relay_id), _("What was given up is being relayed again."))


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/{serial:int}/run")
async def run_relay_delivery(
    channel_id: UUID, relay_id: UUID, serial: int, session: WorkspaceSession, access: Access
) -> Redirect:
    """Relay one body that was given up once more."""
    target = await service.target(session, channel_id, relay_id)
    await service.run_again(session, target, serial)
    audit(session, access, "relays.run_again", relay_id, serial=serial)
    return to(_path(channel_id, relay_id), _("What was given up is being relayed again."))


@post("/settings/channels/{channel_id:uuid}/relays/{relay_id:uuid}/delete", opt=OWNER)
async def delete_relay(
    channel_id: UUID, relay_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Relay nothing to a target any more."""
    target = await service.target(session, channel_id, relay_id)
    await service.delete(session, target)
    audit(session, access, "relays.delete", relay_id, name=target.name, url=target.url)
    return to(_path(channel_id), _("%(name)s has been deleted.", name=target.name))


HANDLERS = [
    list_relays,
    new_relay,
    add_relay,
    show_relay,
    edit_relay,
    save_relay,
    pause_relay,
    resume_relay,
    test_relay,
    run_relay,
    run_relay_delivery,
    delete_relay,
]
