"""What happens when somebody opens a tracked link."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import structlog
from sqlalchemy import select

from hiiki.contacts.models import Contact, Friendship
from hiiki.content import tickets
from hiiki.content.models import Link
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.kit.road import road
from hiiki.timeline import Event

log = structlog.get_logger()

# LINE's own previewer calls itself "facebookexternalhit/1.1;line-poker/1.0".
_ROBOTS = re.compile(
    r"line-poker|facebookexternalhit|linespider|bot\b|crawl|spider|slurp|preview|whatsapp|"
    r"skypeuripreview|embedly|pinterest|lighthouse",
    re.IGNORECASE,
)


def is_visit(headers: Mapping[str, str]) -> bool:
    """True when a person asks, as far as can be told: no previewer, robot or prefetch."""
    purpose = " ".join(
        headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")
    ).lower()
    if "prefetch" in purpose or "preview" in purpose or "prerender" in purpose:
        return False
    return not _ROBOTS.search(headers.get("user-agent", ""))


async def find(code: str) -> Link | None:
    """Return the link with this code, whosever it is."""
    # Its code is all that an address carries: which workspace it belongs to is in the row.
    async with everywhere() as session:
        return await session.scalar(select(Link).where(Link.code == code))


async def opened(link: Link, ticket: str, *, counts: bool) -> str:
    """Return where `link` leads, having recorded that the ticket's owner opened it.

    A ticket that is nobody's, or a request that is not a visit, leads there all the same.
    """
    contact_id = tickets.contact_of(link.code, ticket) if ticket else None
    if contact_id is not None and counts:
        try:
            async with scope(link.workspace_id) as session:
                await _record(session, link, contact_id)
        except Exception:
            # Whatever is wrong on our side must not keep a customer from the shop's page.
            log.exception("link.not_recorded", link_id=str(link.id))
    if link.url.startswith("/"):  # a page of our own, which wants to know who comes
        return f"{link.url}/{link.code}/{ticket if contact_id else '-'}"
    return link.url


async def _record(session: WorkspaceSession, link: Link, contact_id: UUID) -> None:
    if await session.get(Contact, contact_id) is None:
        return
    await road().emit(
        session,
        contact_id,
        await channel_of(session, contact_id, link.owner),
        "link_open",
        subject=link.id,
        data={"owner": link.owner, "url": link.url, "label": link.label},
    )


async def channel_of(session: WorkspaceSession, contact_id: UUID, owner: str) -> UUID | None:
    """Return the account on which a contact got what `owner` sent, or was last seen."""
    sent = await session.scalar(
        select(Event.channel_id)
        .where(Event.contact_id == contact_id, Event.kind == "sent", Event.subject == owner)
        .order_by(Event.at.desc())
        .limit(1)
    )
    if sent is not None:
        return sent
    return await session.scalar(
        select(Friendship.channel_id)
        .where(Friendship.contact_id == contact_id)
        .order_by(Friendship.status.desc(), Friendship.last_seen_at.desc().nulls_last())
        .limit(1)
    )
