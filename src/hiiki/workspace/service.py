"""Workspaces, the people who work there, and the programs that have a token."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.workspace.auth import (
    TOKEN_PREFIX,
    digest,
    end_sessions,
    hash_password,
    password_matches,
)
from hiiki.workspace.models import ApiToken, LoginSession, Membership, Staff, Workspace
from hiiki.workspace.schemas import FirstOwner, NewStaff, NewToken, NewWorkspace

_FIRST = 0x48696B69
"""The advisory lock under which the first owner is made: there is only one first."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace."""

    staff: Staff
    role: str
    since: datetime
    seen_at: datetime | None
    """When they last used the console."""


async def create_workspace(
    session: WorkspaceSession, name: str, *, locale: str = "ja", timezone: str = "Asia/Tokyo"
) -> Workspace:
    """Make a workspace; raises `Invalid` for a name that will not do."""
    given = parse(NewWorkspace, {"workspace": name})
    workspace = Workspace(name=given.workspace, locale=locale, timezone=timezone)
    session.add(workspace)
    await session.flush()
    return workspace


async def create_first_owner(
    session: WorkspaceSession, given: FirstOwner, *, locale: str = "ja"
) -> tuple[Workspace, Staff]:
    """Make the first workspace and its owner; raises `Conflict` once anybody exists."""
    await session.execute(select(func.pg_advisory_xact_lock(_FIRST)))
    if await session.scalar(select(Staff.id).limit(1)) is not None:
        raise Conflict(_("This server has its owner already. Please log in."))
    workspace = await create_workspace(session, given.workspace, locale=locale)
    staff = await create_staff(
        session, workspace.id, given.email, given.name, given.password, "owner", locale=locale
    )
    return workspace, staff


async def create_staff(
    session: WorkspaceSession,
    workspace_id: UUID,
    email: str,
    name: str,
    password: str,
    role: str,
    *,
    locale: str = "ja",
) -> Staff:
    """Add a person to a workspace, making their account unless they have one.

    Who has an account keeps their own name and password: nobody else sets those. Raises
    `Invalid` for bad values and for somebody who is in the workspace already.
    """
    given = parse(
        NewStaff,
        {"email": email, "name": name, "password": password, "role": role, "locale": locale},
    )
    staff = await session.scalar(select(Staff).where(Staff.email == given.email))
    if staff is None:
        staff = Staff(
            email=given.email,
            name=given.name,
            password_hash=await hash_password(given.password),
            locale=given.locale,
        )
        session.add(staff)
        await session.flush()
    elif await session.get(Membership, (staff.id, workspace_id)) is not None:
        raise Invalid(fields={"email": _("This person is in the workspace already.")})
    await join(session, workspace_id, staff.id, given.role)
    return staff


async def join(session: WorkspaceSession, workspace_id: UUID, staff_id: UUID, role: str) -> None:
    """Put somebody who has an account into a workspace."""
    session.add(Membership(workspace_id=workspace_id, staff_id=staff_id, role=role))
    await session.flush()


async def members(session: WorkspaceSession) -> Sequence[Member]:
    """Return the people of this workspace, owners first."""
    seen = (
        select(func.max(LoginSession.seen_at))
        .where(LoginSession.staff_id == Staff.id)
        .correlate(Staff)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Staff, Membership, seen)
        .join(Membership, Membership.staff_id == Staff.id)
        .order_by(
            func.array_position(
                func.string_to_array("owner,operator,viewer", ","), Membership.role
            ),
            Staff.name,
        )
    )
    return [Member(staff, found.role, found.created_at, at) for staff, found, at in rows]


async def member(session: WorkspaceSession, staff_id: UUID) -> Member:
    """Return one person of this workspace; raises `NotFound`."""
    found = await session.scalar(select(Membership).where(Membership.staff_id == staff_id))
    if found is None:
        raise NotFound()
    staff = await session.one(Staff, staff_id)
    seen_at = await session.scalar(
        select(func.max(LoginSession.seen_at)).where(LoginSession.staff_id == staff_id)
    )
    return Member(staff, found.role, found.created_at, seen_at)


async def change_role(session: WorkspaceSession, staff_id: UUID, role: str) -> None:
    """Let a person do more, or less; raises `Conflict` for the last owner."""
    found = await _lock_member(session, staff_id)
    if found.role == "owner" and role != "owner":
        await _keep_an_owner(session)
    found.role = role
    await session.flush()


async def remove_member(session: WorkspaceSession, staff_id: UUID) -> None:
    """Take a person out of the workspace; raises `Conflict` for the last owner.

    Their account stays: it may belong to other workspaces, and what they wrote has their name.
    """
    found = await _lock_member(session, staff_id)
    if found.role == "owner":
        await _keep_an_owner(session)
    await session.delete(found)
    await session.flush()


async def _lock_member(session: WorkspaceSession, staff_id: UUID) -> Membership:
    # All owners are locked, in one order: two who demote each other must not both succeed.
    rows = await session.scalars(
        select(Membership)
        .where((Membership.role == "owner") | (Membership.staff_id == staff_id))
        .order_by(Membership.staff_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for row in rows:
        if row.staff_id == staff_id:
            return row
    raise NotFound()


async def _keep_an_owner(session: WorkspaceSession) -> None:
    owners = await session.scalar(
        select(func.count()).select_from(Membership).where(Membership.role == "owner")
    )
    if (owners or 0) < 2:
        raise Conflict(_("A workspace needs an owner. Please make somebody else an owner first."))


async def change_password(
    session: WorkspaceSession, staff: Staff, current: str, password: str, *, cookie: str
) -> None:
    """Change one's own password and end one's other sessions; raises `Invalid`."""
    if not await password_matches(staff.password_hash, current):
        raise Invalid(fields={"current": _("This is not your present password.")})
    staff.password_hash = await hash_password(password)
    await end_sessions(session, staff.id, but=cookie)
    await session.flush()


async def workspaces_of(
    session: WorkspaceSession, staff_id: UUID
) -> Sequence[tuple[UUID, str, str]]:
    """Return id, name and role of every workspace this person belongs to.

    `session` is one of `everywhere()`: the question is about all workspaces.
    """
    rows = await session.execute(
        select(Workspace.id, Workspace.name, Membership.role)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.staff_id == staff_id)
        .order_by(Membership.created_at, Workspace.id)
    )
    return [(ident, name, role) for ident, name, role in rows]


async def create_token(session: WorkspaceSession, name: str, role: str) -> str:
    """Make an API token and return its value, which is never to be had again."""
    return (await issue_token(session, parse(NewToken, {"name": name, "role": role})))[1]


async def issue_token(session: WorkspaceSession, given: NewToken) -> tuple[ApiToken, str]:
    """Make an API token and return it with its value."""
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(name=given.name, role=given.role, token_hash=digest(value))
    session.add(token)
    await session.flush()
    return token, value


async def tokens(session: WorkspaceSession) -> Sequence[ApiToken]:
    """Return this workspace's tokens: those in use first, then the revoked ones."""
    rows = await session.scalars(
        select(ApiToken).order_by(ApiToken.revoked_at.is_not(None), ApiToken.created_at.desc())
    )
    return rows.all()


async def revoke_token(session: WorkspaceSession, token_id: UUID) -> ApiToken:
    """End a token at once; raises `NotFound`."""
    token = await session.one(ApiToken, token_id)
    if token.revoked_at is None:
        token.revoked_at = now()
        await session.flush()
    return token
