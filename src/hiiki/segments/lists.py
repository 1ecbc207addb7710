"""Lists of people: pasted or uploaded once, by what the shop's own systems call them.

A list stays as it was made, until it is replaced; it is a condition of segments like any other.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete as delete_from
from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.identities import Keys, among, resolve
from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Option, Usage, road
from hiiki.segments.models import ListGap, ListMember, PeopleList

MOST = 100_000
"""Lines of one list that are taken at once."""
AT_ONCE = 5_000
KEY_LIMIT = 200
BY_HAND = {"scoped_by_hand": True}
KINDS = ("auto", "customer", "email", "phone", "line")
"""What the lines can be said to be."""

_LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")
_CONTACT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Found:
    """Whom the lines of a list mean."""

    contact_ids: Sequence[UUID]
    """Each once."""
    missing: Sequence[str]
    """Lines that mean nobody who is known here."""


def read_lines(text: str) -> list[str]:
    """Return what stands first in each line; raises `Invalid` for too many or none at all.

    Commas and tabs divide a line, so a column that was copied together with others, or a CSV file,
    is read by its first.
    """
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",")
    try:
        lines = [row[0].strip()[:KEY_LIMIT] for row in rows if row and row[0].strip()]
    except csv.Error as error:
        wrong = _("This cannot be read. Please put one on each line.")
        raise Invalid(fields={"keys": wrong}) from error
    if not lines:
        raise Invalid(fields={"keys": _("Please paste at least one line, or choose a file.")})
    if len(lines) > MOST:
        many = _("A list takes %(limit)s lines at most; this has %(n)s.", limit=MOST, n=len(lines))
        raise Invalid(fields={"keys": many})
    return list(dict.fromkeys(lines))


def decoded(body: bytes) -> str:
    """Return an uploaded file as text: UTF-8 as it should be, or what Excel writes in Japan."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    unreadable = _("This file cannot be read. Please save it as text or CSV in UTF-8.")
    raise Invalid(fields={"file": unreadable})


async def find(session: WorkspaceSession, lines: Sequence[str], kind: str = "auto") -> Found:
    """Return whom lines mean; nobody is made anew.

    `kind` is one of `KINDS`. By `auto` a line says itself what it is: a LINE user id, an e-mail
    address, the id that Hiiki gave a contact; else it is a customer number, and if there is no
    such customer, a telephone number.
    """
    whose: dict[str, UUID] = {}
    for start in range(0, len(lines), AT_ONCE):
        some = lines[start : start + AT_ONCE]
        if kind == "auto":
            whose |= await _by_own_id(session, some)
        asked = [line for line in some if line not in whose]
        whose |= await _ask(session, asked, [_keys(line, kind) for line in asked])
        if kind == "auto":
            asked = [line for line in asked if line not in whose and "@" not in line]
            whose |= await _ask(session, asked, [Keys(phone=line) for line in asked])
    return Found(
        list(dict.fromkeys(whose[line] for line in lines if line in whose)),
        [line for line in lines if line not in whose],
    )


def _keys(line: str, kind: str) -> Keys:
    if kind == "auto":
        kind = "line" if _LINE_USER_ID.fullmatch(line) else "email" if "@" in line else "customer"
    return Keys(**{"line_user_id" if kind == "line" else kind: line})


async def _ask(
    session: WorkspaceSession, lines: Sequence[str], keys: Sequence[Keys]
) -> dict[str, UUID]:
    if not lines:
        return {}
    found = await resolve(session, keys, create=False)
    return {line: ident for line, ident in zip(lines, found, strict=True) if ident is not None}


async def _by_own_id(session: WorkspaceSession, lines: Sequence[str]) -> dict[str, UUID]:
    ids = {UUID(line): line for line in lines if _CONTACT_ID.fullmatch(line)}
    if not ids:
        return {}
    found = await session.scalars(select(Contact.id).where(Contact.id.in_(ids)))
    return {ids[ident]: ident for ident in found}


# --- keeping them -----------------------------------------------------------------------


async def save(
    session: WorkspaceSession, known: PeopleList | None, *, name: str, found: Found | None
) -> PeopleList:
    """Make a list, or change one; `found` replaces who is on it. Raises `Invalid` at `name`."""
    same = select(PeopleList.id).where(PeopleList.name == name)
    if known is not None:
        same = same.where(PeopleList.id != known.id)
    if await session.scalar(same) is not None:
        raise Invalid(fields={"name": _("There is already a list with this name.")})
    if known is None:
        known = PeopleList()
        session.add(known)
    known.name = name
    await session.flush()
    if found is not None:
        await fill(session, known, found.contact_ids)
        await _keep_missing(session, known, found.missing)
    return known


async def fill(session: WorkspaceSession, known: PeopleList, contact_ids: Sequence[UUID]) -> None:
    """Put these people on a list in place of those who were on it."""
    await _empty(session, known.id)
    adding = insert(ListMember).from_select(
        ["contact_id", "list_id", "workspace_id"],
        select(Contact.id, literal(known.id), Contact.workspace_id).where(
            Contact.workspace_id == session.workspace_id, among(Contact.id, contact_ids)
        ),
    )
    await session.execute(adding.on_conflict_do_nothing(), execution_options=BY_HAND)
    known.members = int(
        await session.scalar(
            select(func.count()).select_from(ListMember).where(ListMember.list_id == known.id)
        )
        or 0
    )
    await session.flush()


async def _empty(session: WorkspaceSession, list_id: UUID) -> None:
    await session.execute(delete_from(ListMember).where(ListMember.list_id == list_id))


async def _keep_missing(
    session: WorkspaceSession, known: PeopleList, missing: Sequence[str]
) -> None:
    await session.execute(delete_from(ListGap).where(ListGap.list_id == known.id))
    if missing:
        session.add(ListGap(list_id=known.id, lines="\n".join(missing), n=len(missing)))
        await session.flush()


async def usages_of(session: WorkspaceSession, list_id: UUID) -> Sequence[Usage]:
    """Return every place that asks about this list."""
    return await road().usages(session, "list", list_id)


async def delete(session: WorkspaceSession, known: PeopleList) -> None:
    """Delete a list that nothing asks about; raises `Conflict` with what does."""
    found = await usages_of(session, known.id)
    if found:
        places = ", ".join(usage.label for usage in found)
        raise Conflict(_("This list is in use and cannot be deleted: %(places)s", places=places))
    await _empty(session, known.id)
    await session.execute(delete_from(ListGap).where(ListGap.list_id == known.id))
    await session.delete(known)


async def all_lists(session: WorkspaceSession) -> Sequence[PeopleList]:
    """Return the lists by name."""
    return (await session.scalars(select(PeopleList).order_by(PeopleList.name))).all()


async def missing_of(session: WorkspaceSession, list_id: UUID) -> int:
    """Return how many lines meant nobody when the list was last filled."""
    return int(await session.scalar(select(ListGap.n).where(ListGap.list_id == list_id)) or 0)


async def members_of(
    session: WorkspaceSession, list_id: UUID, limit: int = 50
) -> Sequence[Contact]:
    """Return some of the people on a list, those whom the workspace met last first."""
    found = await session.scalars(
        select(Contact)
        .join(ListMember, ListMember.contact_id == Contact.id)
        .where(ListMember.list_id == list_id)
        .order_by(Contact.created_at.desc(), Contact.id.desc())
        .limit(limit)
    )
    return found.all()


async def options(session: WorkspaceSession) -> list[Option]:
    """Return all lists, as the picker `list` offers them."""
    return [Option(str(each.id), each.name) for each in await all_lists(session)]
