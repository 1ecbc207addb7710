"""Tracked links: addresses that are opened through Hiiki.

A link is made for one owner (`broadcast:<id>`) and has a code of its own there, so that a
report can tell which message was opened. The code is derived, so making the same link
twice, even at the same time, gives the same one.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from hiiki.content import tickets
from hiiki.content.models import Link
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.settings import settings

CODE_LENGTH = 10


def code_of(workspace_id: UUID, owner: str, url: str, label: str) -> str:
    """Return the code of this link: the same for the same things, unguessable from outside."""
    told = "\n".join((str(workspace_id), owner, url, label)).encode()
    digest = hmac.digest(tickets.key("hiiki link codes"), told, "sha256")
    return base64.b32encode(digest).decode().lower()[:CODE_LENGTH]


async def ensure(
    session: WorkspaceSession, owner: str, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return (address, label) → code for this owner's links, making those that are missing."""
    here = session.workspace_id
    codes = {(url, label): code_of(here, owner, url, label) for url, label in wanted}
    if not codes:
        return {}
    there = set(await session.scalars(select(Link.code).where(Link.code.in_(codes.values()))))
    missing = [
        {
            "id": uuid7(),
            "created_at": now(),
            "updated_at": now(),
            "workspace_id": here,
            "code": code,
            "url": url,
            "label": label,
            "owner": owner,
        }
        for (url, label), code in codes.items()
        if code not in there
    ]
    if missing:
        await session.execute(
            insert(Link.__table__).values(missing).on_conflict_do_nothing(),  # pyright: ignore[reportArgumentType]
            execution_options={"scoped_by_hand": True},
        )
    return codes


def base_url() -> str:
    """Return the address under which customers reach this server, without a slash at its end."""
    return settings().public_url.rstrip("/")


def absolute(url: str) -> str:
    """Return a link's address with this server's own before a path of its own."""
    return base_url() + url if url.startswith("/") else url


def url_of(code: str, ticket: str = "") -> str:
    """Return the public address of a link, for one recipient when their ticket is given."""
    return f"{base_url()}/l/{code}/{ticket}" if ticket else f"{base_url()}/l/{code}"


TRACKED_LENGTH = len("/l/") + CODE_LENGTH + 1 + tickets.LENGTH
"""Characters of a personal link after `base_url()`."""
