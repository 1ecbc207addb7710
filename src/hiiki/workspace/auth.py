"""Logging in and out, and what a cookie or a token is worth.

A cookie's or a token's value is 32 random bytes; the database keeps only its SHA-256,
so that whoever reads the database cannot log in with what is found there.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update

from hiiki.db import WorkspaceSession, everywhere
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.workspace.access import Access
from hiiki.workspace.models import ApiToken, LoginSession, Membership, Staff, Workspace
from hiiki.workspace.throttle import admit, forgive

SESSION_LIFE = timedelta(days=14)
"""A log-in ends so long after it was last used."""
TOKEN_PREFIX = "hiiki_"  # noqa: S105 — it marks our tokens for people and secret scanners
_SEEN_EVERY = timedelta(minutes=1)
hasher = PasswordHasher()
"""argon2id at its library's recommended cost."""
_hashing = asyncio.Semaphore(4)
"""argon2 takes 64 MiB and a core at a time: a storm of log-ins must not take the machine."""


def digest(value: str) -> bytes:
    """Return what the database keeps of a cookie's or token's value."""
    return hashlib.sha256(value.encode()).digest()


def hash_of_nobody() -> str:
    """Return a hash that no password has, as costly to compare with as anybody's.

    It is put together and not computed, which would cost every process that starts as much.
    """
    salt, tag = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


async def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`."""
    async with _hashing:
        return await asyncio.to_thread(hasher.hash, password)


async def password_matches(password_hash: str, password: str) -> bool:
    """True when `password` is the one that was hashed."""

    def check() -> bool:
        try:
            return hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async with _hashing:
        return await asyncio.to_thread(check)


async def anybody() -> bool:
    """True once there is a person who can log in."""
    async with everywhere() as session:  # a log-in comes before any workspace
        return await session.scalar(select(Staff.id).limit(1)) is not None


async def log_in(email: str, password: str, *, address: str, user_agent: str) -> tuple[str, Staff]:
    """Return the value of a new session's cookie, and who has logged in.

    Raises `TooMany` when this e-mail or address has failed too often of late, and
    `Invalid` when e-mail and password do not belong together.
    """
    email = email.strip().lower()
    attempt = await admit(email, address)
    async with everywhere() as session:  # a log-in comes before any workspace
        staff = await session.scalar(select(Staff).where(Staff.email == email))
    # Somebody unknown takes as long to refuse as a wrong password.
    matches = await password_matches(staff.password_hash if staff else hash_of_nobody(), password)
    if staff is None or not matches:
        raise Invalid(_("The e-mail address or the password is not right."))
    await forgive(attempt)
    return await start_session(staff.id, user_agent=user_agent), staff


async def start_session(
    staff_id: UUID, *, workspace_id: UUID | None = None, user_agent: str = ""
) -> str:
    """Open a session and return its cookie's value; raises `Invalid` without a workspace."""
    async with everywhere() as session:  # a person may belong to several workspaces
        if workspace_id is None:
            workspace_id = await first_workspace(session, staff_id)
        if workspace_id is None:
            raise Invalid(
                _("You belong to no workspace at present. Please ask its owner to add you again.")
            )
        await session.execute(
            delete(LoginSession).where(
                LoginSession.staff_id == staff_id, LoginSession.expires_at < now()
            )
        )
        value = secrets.token_urlsafe(32)
        session.add(
            LoginSession(
                token_hash=digest(value),
                staff_id=staff_id,
                workspace_id=workspace_id,
                expires_at=now() + SESSION_LIFE,
                user_agent=user_agent[:300],
            )
        )
    return value


async def first_workspace(session: WorkspaceSession, staff_id: UUID) -> UUID | None:
    """Return the workspace in which this person has been longest."""
    return await session.scalar(
        select(Membership.workspace_id)
        .where(Membership.staff_id == staff_id)
        .order_by(Membership.created_at, Membership.workspace_id)
        .limit(1)
    )


async def log_out(cookie: str) -> None:
    """End the session of this cookie."""
    async with everywhere() as session:  # a session belongs to a person, not to a workspace
        await session.execute(delete(LoginSession).where(LoginSession.token_hash == digest(cookie)))


async def end_sessions(
    session: WorkspaceSession, staff_id: UUID, *, but: str | None = None
) -> None:
    """End all of a person's sessions, but for the one of the cookie `but`."""
    ending = delete(LoginSession).where(LoginSession.staff_id == staff_id)
    if but is not None:
        ending = ending.where(LoginSession.token_hash != digest(but))
    await session.execute(ending)


async def access_of_login(cookie: str) -> Access | None:
    """Return what the person with this cookie may do in the workspace they look at."""
    token_hash = digest(cookie)
    async with everywhere() as session:  # it is the cookie that tells the workspace
        row = (
            await session.execute(
                select(LoginSession, Staff)
                .join(Staff, Staff.id == LoginSession.staff_id)
                .where(LoginSession.token_hash == token_hash, LoginSession.expires_at > now())
            )
        ).first()
        if row is None:
            return None
        login, staff = row
        standing = await _standing(session, staff.id, login.workspace_id)
        if standing is None:
            # Removed from the workspace they were looking at: on to another of theirs.
            standing = await _standing(session, staff.id, await first_workspace(session, staff.id))
            if standing is None:
                return None
        workspace, role = standing
        if login.workspace_id != workspace.id or now() - login.seen_at > _SEEN_EVERY:
            await session.execute(
                update(LoginSession)
                .where(LoginSession.token_hash == token_hash)
                .values(seen_at=now(), expires_at=now() + SESSION_LIFE, workspace_id=workspace.id)
            )
        return Access(
            workspace_id=workspace.id,
            workspace_name=workspace.name,
            timezone=workspace.timezone,
            role=role,
            locale=staff.locale,
            actor_kind="staff",
            actor_id=staff.id,
            actor_name=staff.name,
            staff_id=staff.id,
        )


async def _standing(
    session: WorkspaceSession, staff_id: UUID, workspace_id: UUID | None
) -> tuple[Workspace, str] | None:
    if workspace_id is None:
        return None
    row = (
        await session.execute(
            select(Workspace, Membership.role)
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(Membership.staff_id == staff_id, Workspace.id == workspace_id)
        )
    ).first()
    return None if row is None else (row[0], row[1])


async def access_of_token(token: str) -> Access | None:
    """Return what a program with this token may do."""
    async with everywhere() as session:  # it is the token that tells the workspace
        row: Any = (
            await session.execute(
                select(ApiToken, Workspace)
                .join(Workspace, Workspace.id == ApiToken.workspace_id)
                .where(ApiToken.token_hash == digest(token), ApiToken.revoked_at.is_(None))
            )
        ).first()
        if row is None:
            return None
        found: ApiToken = row[0]
        workspace: Workspace = row[1]
        if found.last_used_at is None or now() - found.last_used_at > _SEEN_EVERY:
            await session.execute(
                update(ApiToken)
                .where(ApiToken.id == found.id)
                .values(last_used_at=now(), updated_at=ApiToken.updated_at)
            )
        return Access(
            workspace_id=workspace.id,
            workspace_name=workspace.name,
            timezone=workspace.timezone,
            role=found.role,
            locale=workspace.locale,
            actor_kind="token",
            actor_id=found.id,
            actor_name=found.name,
        )
