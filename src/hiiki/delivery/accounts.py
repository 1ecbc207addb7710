"""The accounts a worker speaks for: their tokens, opened once and looked at again soon."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError
from hiiki.line.client import LineClient
from hiiki.workspace.channels import client_of
from hiiki.workspace.models import Channel

FRESH = 0.5
"""Seconds for which a token is used without looking whether the owner has changed it."""


@dataclass(frozen=True, slots=True)
class Account:
    """A channel, as far as sending is concerned."""

    sealed_token: bytes
    client: LineClient | None
    """None when the token cannot be opened."""
    problem: str
    """Why not."""


class Accounts:
    """The channels that this process has sent for."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[float, Account]] = {}

    async def of(self, session: WorkspaceSession, ids: Collection[UUID]) -> dict[UUID, Account]:
        """Return the accounts with these ids; `session` sees all workspaces."""
        now = time.monotonic()
        stale = [i for i in ids if i not in self._known or now - self._known[i][0] > FRESH]
        if stale:
            for channel in await session.scalars(select(Channel).where(Channel.id.in_(stale))):
                known = self._known.get(channel.id)
                if known is not None and known[1].sealed_token == channel.sealed_token:
                    self._known[channel.id] = (now, known[1])
                else:
                    self._known[channel.id] = (now, _open(channel))
        return {ident: self._known[ident][1] for ident in ids}


def _open(channel: Channel) -> Account:
    try:
        return Account(channel.sealed_token, client_of(channel), "")
    except HiikiError as error:
        # In English, as LINE's own words: it is kept, and translated when somebody looks.
        return Account(channel.sealed_token, None, error.message.to("en"))
