"""Settings: official accounts, from adding one to seeing what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.response import Response
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.line.prices import label_of, plans, price_list
from hiiki.settings import settings
from hiiki.workspace import channels
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel
from hiiki.workspace.schemas import ChannelCredentials

OWNER = {"role": "owner"}


async def all_channels(session: WorkspaceSession) -> list[Channel]:
    """Return this workspace's official accounts, the active ones first."""
    rows = await session.scalars(
        select(Channel).order_by(Channel.is_active.desc(), Channel.created_at, Channel.id)
    )
    return list(rows)


@get("/settings/channels")
async def list_channels(session: WorkspaceSession) -> Response[Any]:
    """The official accounts of this workspace."""
    found = await all_channels(session)
    return page(
        "workspace/channels.html",
        channels=found,
        problems={channel.id: channels.problem_of(channel) for channel in found},
    )


@get("/settings/channels/new", opt=OWNER)
async def show_new_channel(session: WorkspaceSession) -> Response[Any]:
    """An account is to be connected: what is needed, and where to find it."""
    return await _new_page(session, {})


async def _new_page(
    session: WorkspaceSession,
    data: Mapping[str, Any],
    errors: Mapping[str, Text] | None = None,
    message: Any = "",
    status: int = 200,
) -> Response[Any]:
    return page(
        "workspace/channel_new.html",
        status=status,
        data=data,
        errors=errors or {},
        message=message,
        siblings=[(channel.id, channel.name) for channel in await all_channels(session)],
        public_address=settings().public_url,
        is_https=settings().public_url.startswith("https://"),
    )


@post("/settings/channels", opt=OWNER)
async def add_channel(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Connect an account, check it against LINE, set and test its webhook."""
    data = await form_data(request)
    # Secrets are not sent back to the browser: whoever corrects the form enters them again.
    shown = {name: data.get(name, "") for name in ("line_channel_id", "provider_of")}
    try:
        channel = await channels.add_channel(
            session,
            line_channel_id=str(data.get("line_channel_id", "")),
            secret=str(data.get("secret", "")),
            token=str(data.get("token", "")),
            provider_of=data.get("provider_of") or None,
        )
    except HiikiError as error:
        return await _new_page(session, shown, error.fields, error.message, status=error.status)
    audit(session, access, "channels.create", channel.id, name=channel.name)
    said = (
        _("%(name)s is connected.", name=channel.name)
        if channels.problem_of(channel) is None
        else _("%(name)s has been added, but its events do not arrive yet.", name=channel.name)
    )
    return to(f"/settings/channels/{channel.id}", said)


@get("/settings/channels/{channel_id:uuid}")
async def show_channel(session: WorkspaceSession, channel_id: UUID) -> Response[Any]:
    """One account: is all well, and what is left of the month's messages."""
    return _channel_page(await session.one(Channel, channel_id))


def _channel_page(
    channel: Channel,
    errors: Mapping[str, Text] | None = None,
    message: Any = "",
    status: int = 200,
) -> Response[Any]:
    return page(
        "workspace/channel.html",
        status=status,
        channel=channel,
        problem=channels.problem_of(channel),
        webhook_url=channels.webhook_url(channel),
        chosen_plan=price_list().known(channel.plan),
        plans=[(name, label_of(name), plan) for name, plan in plans().items()],
        errors=errors or {},
        message=message,
    )


@post("/settings/channels/{channel_id:uuid}/check")
async def check_channel(
    access: Access, session: WorkspaceSession, channel_id: UUID
) -> Response[Any]:
    """Check everything again: account, quota, webhook."""
    channel = await session.one(Channel, channel_id)
    problem = await channels.check_channel(session, channel)
    audit(session, access, "channels.check", channel_id, problem=channel.webhook_problem)
    said = _("All is well.") if problem is None else problem.title
    return to(f"/settings/channels/{channel_id}", said)


@post("/settings/channels/{channel_id:uuid}/plan", opt=OWNER)
async def choose_plan(
    request: WebRequest, access: Access, session: WorkspaceSession, channel_id: UUID
) -> Response[Any]:
    """Say which of LINE's plans the account has, so that costs can be shown."""
    channel = await session.one(Channel, channel_id)
    try:
        channels.set_plan(channel, str((await form_data(request)).get("plan", "")))
    except Invalid as error:
        return _channel_page(channel, error.fields, error.message, status=422)
    audit(session, access, "channels.update", channel_id, plan=channel.plan)
    return to(f"/settings/channels/{channel_id}", _("The plan has been saved."))


@post("/settings/channels/{channel_id:uuid}/credentials", opt=OWNER)
async def replace_credentials(
    request: WebRequest, access: Access, session: WorkspaceSession, channel_id: UUID
) -> Response[Any]:
    """Take a new secret or token, and check them."""
    channel = await session.one(Channel, channel_id)
    try:
        given = parse(ChannelCredentials, await form_data(request))
        if given.secret is None and given.token is None:
            raise Invalid(fields={"token": _("Please enter a new secret, a new token, or both.")})
        await channels.replace_credentials(session, channel, given)
    except HiikiError as error:
        return _channel_page(channel, error.fields, error.message, status=error.status)
    audit(
        session,
        access,
        "channels.credentials",
        channel_id,
        replaced=[name for name in ("secret", "token") if getattr(given, name)],
    )
    return to(f"/settings/channels/{channel_id}", _("The new credentials are in use."))


@post("/settings/channels/{channel_id:uuid}/active", opt=OWNER)
async def set_active(
    request: WebRequest, access: Access, session: WorkspaceSession, channel_id: UUID
) -> Response[Any]:
    """Take an account out of use, or back into it."""
    channel = await session.one(Channel, channel_id)
    channel.is_active = (await form_data(request)).get("is_active") == "true"
    audit(session, access, "channels.update", channel_id, is_active=channel.is_active)
    return to(
        f"/settings/channels/{channel_id}",
        _("The account is in use again.")
        if channel.is_active
        else _("The account is out of use: nothing is received or sent."),
    )


@post("/settings/channels/{channel_id:uuid}/delete", opt=OWNER)
async def delete_channel(
    access: Access, session: WorkspaceSession, channel_id: UUID
) -> Response[Any]:
    """Forget an account, with its friendships and what was sent by it."""
    channel = await session.one(Channel, channel_id)
    try:
        await channels.delete_channel(session, channel)
    except Conflict as error:
        return _channel_page(channel, message=error.message, status=409)
    audit(session, access, "channels.delete", channel_id, name=channel.name)
    return to("/settings/channels", _("%(name)s has been deleted.", name=channel.name))


pages = [
    list_channels,
    show_new_channel,
    add_channel,
    show_channel,
    check_channel,
    choose_plan,
    replace_credentials,
    set_active,
    delete_channel,
]
