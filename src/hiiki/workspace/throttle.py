"""Guessing passwords is slow here: failed log-ins are counted by e-mail and by address."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select

from hiiki.db import WorkspaceSession, everywhere
from hiiki.kit.clock import now
from hiiki.kit.errors import TooMany
from hiiki.kit.i18n import _
from hiiki.workspace.models import LoginAttempt

WINDOW = timedelta(minutes=15)
PER_EMAIL = 5
"""So many failures in the window for one e-mail, from wherever they come."""
PER_ADDRESS = 30
"""So many from one address, whomever they try."""


async def admit(email: str, address: str) -> Sequence[UUID]:
    """Let a log-in be tried and return its record; raises `TooMany`, which says how long to wait.

    The attempt is written down before the password is looked at, under a lock, so that
    many at once cannot slip past the limit.
    """
    async with everywhere() as session:  # a log-in comes before any workspace
        attempts: list[LoginAttempt] = []
        for key, limit in ((f"email:{email}", PER_EMAIL), (f"address:{address}", PER_ADDRESS)):
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))
            await _refuse_above(session, key, limit)
            attempts.append(LoginAttempt(key=key[:400]))
        session.add_all(attempts)
        await session.flush()
        return [attempt.id for attempt in attempts]


async def _refuse_above(session: WorkspaceSession, key: str, limit: int) -> None:
    # The limit-th newest failure: when it leaves the window, the next may be tried.
    decisive = await session.scalar(
        select(LoginAttempt.at)
        .where(LoginAttempt.key == key[:400], LoginAttempt.at > now() - WINDOW)
        .order_by(LoginAttempt.at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    if decisive is not None:
        minutes = math.ceil((decisive + WINDOW - now()).total_seconds() / 60)
        raise TooMany(
            _("Too many failed log-ins. Please wait %(minutes)s minutes.", minutes=max(minutes, 1))
        )


async def forgive(attempt: Sequence[UUID]) -> None:
    """Forget a log-in that succeeded, the failures of its e-mail before it, and old ones."""
    async with everywhere() as session:  # a log-in comes before any workspace
        key = await session.scalar(
            select(LoginAttempt.key).where(
                LoginAttempt.id.in_(attempt), LoginAttempt.key.startswith("email:")
            )
        )
        await session.execute(
            delete(LoginAttempt).where(
                LoginAttempt.id.in_(attempt)
                | (LoginAttempt.key == key)
                | (LoginAttempt.at < now() - timedelta(days=1))
            )
        )
