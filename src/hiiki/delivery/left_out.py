"""Whom a send was meant for but did not go to, and why, page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession, scope
from hiiki.delivery.models import LEFT_OUT_REASONS, Send
from hiiki.delivery.sql import BY_HAND

PAGE = 50
_CSV_PAGE = 1_000
CSV_HEAD = ("contact_id", "name", "reason")


@dataclass(frozen=True, slots=True)
class LeftOutPerson:
    """Somebody whom a send was meant for."""

    contact_id: UUID
    name: str
    reason: str
    """blocked, opted_out, capped or quota."""


@dataclass(frozen=True, slots=True)
class LeftOutPage:
    """People who were left out; `next` is the cursor of the page after."""

    people: list[LeftOutPerson]
    next: str | None


_PEOPLE = text(
    """
select l.reason, l.page, r.n, r.contact_id
from delivery.left_out l cross join unnest(l.contact_ids) with ordinality as r(contact_id, n)
where l.workspace_id = :workspace and l.send_id = :send
  and (cast(:only as text) = '' or l.reason = :only)
  and (cast(:reason as text) = '' or (l.reason, l.page) >= (:reason, :page)
       and (l.reason, l.page, r.n) > (:reason, :page, :n))
order by l.reason, l.page, r.n
limit :limit"""
)


async def left_out(
    session: WorkspaceSession,
    send_id: UUID,
    *,
    reason: str = "",
    after: str = "",
    limit: int = PAGE,
) -> LeftOutPage:
    """Return who was left out of a send, all or for one reason; raises `NotFound`.

    An unknown `reason` or `after` is as good as none.
    """
    await session.one(Send, send_id)
    last, page, number = _place(after)
    rows = (
        await session.execute(
            _PEOPLE,
            {
                "workspace": session.workspace_id,
                "send": send_id,
                "only": reason if reason in LEFT_OUT_REASONS else "",
                "reason": last,
                "page": page,
                "n": number,
                "limit": limit + 1,
            },
            execution_options=BY_HAND,
        )
    ).all()
    shown = rows[:limit]
    names = {
        ident: real or name
        for ident, real, name in await session.execute(
            select(Contact.id, Contact.real_name, Contact.display_name).where(
                Contact.id.in_([row.contact_id for row in shown])
            )
        )
    }
    found = [
        LeftOutPerson(row.contact_id, names.get(row.contact_id, ""), row.reason) for row in shown
    ]
    end = shown[-1] if len(rows) > limit else None
    return LeftOutPage(found, f"{end.reason}~{end.page}~{end.n}" if end else None)


def _place(after: str) -> tuple[str, int, int]:
    reason, *numbers = after.split("~")
    # Nine digits at most: PostgreSQL's integers end soon after.
    is_fit = all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers)
    if reason in LEFT_OUT_REASONS and len(numbers) == 2 and is_fit:
        return reason, int(numbers[0]), int(numbers[1])
    return "", 0, 0


async def as_csv(workspace_id: UUID, send_id: UUID, reason: str = "") -> AsyncIterator[str]:
    """Yield the whole list as CSV, each page read in a transaction of its own."""
    yield "\ufeff" + _written([CSV_HEAD])
    after = ""
    while True:
        async with scope(workspace_id) as session:
            found = await left_out(session, send_id, reason=reason, after=after, limit=_CSV_PAGE)
        yield _written(
            [(str(one.contact_id), _plain(one.name), one.reason) for one in found.people]
        )
        if found.next is None:
            return
        after = found.next


def _plain(name: str) -> str:
    """Return a name that cannot become a spreadsheet's formula."""
    return "'" + name if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _written(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
