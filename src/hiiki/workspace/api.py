"""/api/v1: the workspace, its staff, tokens, channels and audit record."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.workspace import audit as record
from hiiki.workspace import channels, service
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import ApiToken, Channel, Workspace
from hiiki.workspace.schemas import (
    AuditList,
    AuditOut,
    ChannelChange,
    ChannelCredentials,
    ChannelList,
    ChannelOut,
    Me,
    NewChannel,
    NewStaff,
    NewToken,
    StaffList,
    StaffOut,
    StaffRole,
    TokenList,
    TokenMade,
    TokenOut,
    WorkspaceOut,
    WorkspaceSettings,
)
from hiiki.workspace.views_channels import all_channels

OWNER = {"role": "owner"}


@get("/me")
async def me(access: Access, session: WorkspaceSession) -> Me:
    """Who this token is, what it may do, and in which workspace."""
    workspace = await session.one(Workspace, access.workspace_id)
    return Me.model_validate(
        {
            "kind": access.actor_kind,
            "id": access.actor_id,
            "name": access.actor_name,
            "role": access.role,
            "workspace": WorkspaceOut.model_validate(workspace),
        }
    )


@get("/workspace")
async def get_workspace(access: Access, session: WorkspaceSession) -> WorkspaceOut:
    """The workspace."""
    return WorkspaceOut.model_validate(await session.one(Workspace, access.workspace_id))


@put("/workspace", opt=OWNER)
async def update_workspace(
    data: WorkspaceSettings, access: Access, session: WorkspaceSession
) -> WorkspaceOut:
    """Change the workspace's name, time zone and language."""
    workspace = await session.one(Workspace, access.workspace_id)
    workspace.name, workspace.timezone, workspace.locale = data.name, data.timezone, data.locale
    await session.flush()
    audit(session, access, "workspace.update", workspace.id, name=data.name)
    return WorkspaceOut.model_validate(workspace)


@get("/staff", opt=OWNER)
async def list_staff(session: WorkspaceSession) -> StaffList:
    """Who works here, owners first."""
    return StaffList(items=[_staff(found) for found in await service.members(session)])


@post("/staff", opt=OWNER)
async def add_staff(data: NewStaff, access: Access, session: WorkspaceSession) -> StaffOut:
    """Add a person. Who has an account already keeps their own name and password."""
    staff = await service.create_staff(
        session,
        access.workspace_id,
        data.email,
        data.name,
        data.password,
        data.role,
        locale=data.locale,
    )
    audit(session, access, "workspace.staff_add", staff.id, email=staff.email, role=data.role)
    return _staff(await service.member(session, staff.id))


@get("/staff/{staff_id:uuid}", opt=OWNER)
async def get_staff(staff_id: UUID, session: WorkspaceSession) -> StaffOut:
    """One person."""
    return _staff(await service.member(session, staff_id))


@patch("/staff/{staff_id:uuid}", opt=OWNER)
async def change_role(
    staff_id: UUID, data: StaffRole, access: Access, session: WorkspaceSession
) -> StaffOut:
    """Change a person's role; the last owner stays one (409)."""
    await service.change_role(session, staff_id, data.role)
    audit(session, access, "workspace.staff_role", staff_id, role=data.role)
    return _staff(await service.member(session, staff_id))


@delete("/staff/{staff_id:uuid}", opt=OWNER)
async def remove_staff(staff_id: UUID, access: Access, session: WorkspaceSession) -> None:
    """Take a person out of the workspace; the last owner stays (409)."""
    found = await service.member(session, staff_id)
    await service.remove_member(session, staff_id)
    audit(session, access, "workspace.staff_remove", staff_id, email=found.staff.email)


@get("/tokens", opt=OWNER)
async def list_tokens(session: WorkspaceSession) -> TokenList:
    """API tokens, without their values."""
    return TokenList(items=[TokenOut.model_validate(one) for one in await service.tokens(session)])


@post("/tokens", opt=OWNER)
async def make_token(data: NewToken, access: Access, session: WorkspaceSession) -> TokenMade:
    """Make a token. Its value is in this answer and never to be had again."""
    token, value = await service.issue_token(session, data)
    audit(session, access, "workspace.token_create", token.id, name=token.name, role=token.role)
    return TokenMade(token=value, **TokenOut.model_validate(token).model_dump())


@get("/tokens/{token_id:uuid}", opt=OWNER)
async def get_token(token_id: UUID, session: WorkspaceSession) -> TokenOut:
    """One token, without its value."""
    return TokenOut.model_validate(await session.one(ApiToken, token_id))


@delete("/tokens/{token_id:uuid}", opt=OWNER)
async def revoke_token(token_id: UUID, access: Access, session: WorkspaceSession) -> None:
    """Revoke a token; it stops working at once and stays in the list."""
    token = await service.revoke_token(session, token_id)
    audit(session, access, "workspace.token_revoke", token_id, name=token.name)


@get("/channels")
async def list_channels(session: WorkspaceSession) -> ChannelList:
    """Official accounts, without their credentials."""
    return ChannelList(items=[_channel(one) for one in await all_channels(session)])


@post("/channels", opt=OWNER)
async def add_channel(data: NewChannel, access: Access, session: WorkspaceSession) -> ChannelOut:
    """Connect an account: it is checked against LINE, and its webhook is set and tested.

    A webhook that does not work yet is not an error: `webhook_problem` tells what is wrong.
    """
    channel = await channels.add_channel(
        session,
        line_channel_id=data.line_channel_id,
        secret=data.secret,
        token=data.token,
        provider_of=data.provider_of,
    )
    audit(session, access, "channels.create", channel.id, name=channel.name)
    return _channel(channel)


@get("/channels/{channel_id:uuid}")
async def get_channel(channel_id: UUID, session: WorkspaceSession) -> ChannelOut:
    """One account."""
    return _channel(await session.one(Channel, channel_id))


@patch("/channels/{channel_id:uuid}", opt=OWNER)
async def change_channel(
    channel_id: UUID, data: ChannelChange, access: Access, session: WorkspaceSession
) -> ChannelOut:
    """Change the plan by which costs are counted, or take the account out of use."""
    channel = await session.one(Channel, channel_id)
    if data.plan is not None:
        channels.set_plan(channel, data.plan)
    if data.is_active is not None:
        channel.is_active = data.is_active
    await session.flush()
    audit(session, access, "channels.update", channel_id, **data.model_dump(exclude_none=True))
    return _channel(channel)


@put("/channels/{channel_id:uuid}/credentials", opt=OWNER)
async def replace_credentials(
    channel_id: UUID, data: ChannelCredentials, access: Access, session: WorkspaceSession
) -> ChannelOut:
    """Replace the secret, the token or both; they are checked against LINE."""
    channel = await session.one(Channel, channel_id)
    if data.secret is None and data.token is None:
        raise Invalid(fields={"token": _("Please enter a new secret, a new token, or both.")})
    await channels.replace_credentials(session, channel, data)
    audit(session, access, "channels.credentials", channel_id)
    return _channel(channel)


@post("/channels/{channel_id:uuid}/check", status_code=200)
async def check_channel(channel_id: UUID, access: Access, session: WorkspaceSession) -> ChannelOut:
    """Check account, quota and webhook again."""
    channel = await session.one(Channel, channel_id)
    await channels.check_channel(session, channel)
    audit(session, access, "channels.check", channel_id, problem=channel.webhook_problem)
    return _channel(channel)


@delete("/channels/{channel_id:uuid}", opt=OWNER)
async def delete_channel(channel_id: UUID, access: Access, session: WorkspaceSession) -> None:
    """Forget an account that is out of use (409 while it is active)."""
    channel = await session.one(Channel, channel_id)
    await channels.delete_channel(session, channel)
    audit(session, access, "channels.delete", channel_id, name=channel.name)


@get("/audit", opt=OWNER)
async def list_audit(
    session: WorkspaceSession,
    before: Annotated[UUID | None, Parameter(description="The `next` of the page before.")] = None,
    actor_id: UUID | None = None,
    room: Annotated[str, Parameter(description="Such as `contacts`.", max_length=40)] = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = record.PAGE,
) -> AuditList:
    """What was done in this workspace, newest first."""
    found, following = await record.entries(
        session, before=before, actor_id=actor_id, room=room, limit=limit
    )
    return AuditList(
        items=[AuditOut.model_validate(one) for one in found],
        next=None if following is None else str(following),
    )


def _staff(found: service.Member) -> StaffOut:
    return StaffOut.model_validate(
        {
            "id": found.staff.id,
            "email": found.staff.email,
            "name": found.staff.name,
            "role": found.role,
            "locale": found.staff.locale,
            "since": found.since,
            "seen_at": found.seen_at,
        }
    )


def _channel(channel: Channel) -> ChannelOut:
    return ChannelOut.of(channel, channels.webhook_url(channel))


handlers: list[Any] = [
    me,
    get_workspace,
    update_workspace,
    list_staff,
    add_staff,
    get_staff,
    change_role,
    remove_staff,
    list_tokens,
    make_token,
    get_token,
    revoke_token,
    list_channels,
    add_channel,
    get_channel,
    change_channel,
    replace_credentials,
    check_channel,
    delete_channel,
    list_audit,
]
