"""Two contacts become one: what is known of both is then known of who stays.

Whatever table has a `contact_id` is part of it without anybody listing it here, as in erasure.
Tables may be spread over servers by `contact_id`, so no row's ever changes: rows are deleted and
inserted anew. Where only one of two can be (a value of an attribute, an open survey), the one of
who stays is left; tags unite, and so do the arrays that a table names (`info={"united": …}`). What
follows from several rows (a total) the room that keeps it works out anew (`Room.merge`).

Who has a LINE friendship stays, for that id is derived from LINE's. Two LINE accounts are two
contacts for as long as they are: they cannot be merged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.erasure import BY_HAND, tables_about_contacts
from hiiki.contacts.identities import among, rejoin
from hiiki.contacts.models import Contact, ContactAttribute, Double, Friendship, Merged
from hiiki.contacts.turns import hold_turns, take_people
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound
from hiiki.kit.i18n import _
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import AuditEntry

FILLED = (
    "real_name",
    "picture_url",
    "language",
    "email",
    "phone",
    "prefecture",
    "birthday",
)
"""What a contact takes over where nothing is known of them. Not the name that LINE tells."""


async def merge(
    session: WorkspaceSession,
    keep: UUID,
    gone: UUID,
    *,
    access: Access | None = None,
    take: Sequence[str] = (),
    take_values: Sequence[UUID] = (),
) -> UUID:
    """Make everything of the contact `gone` the contact `keep`'s; returns who stayed.

    That is the other way round when only `gone` is a LINE friend. `take` names columns of
    `FILLED` in which the value of who goes is to hold, and `take_values` attributes. `access` is
    who asked for it; None is Hiiki itself. Nothing happens to either person meanwhile.

    Raises `Conflict` for two LINE friends, or for one and the same contact; `NotFound` when one
    of them is not there.
    """
    if keep == gone:
        raise Conflict(_("These are one contact already."))
    for ident in sorted((keep, gone)):
        await hold_turns(session, ident)
    await take_people(session, (keep, gone))
    friends = await _friends(session, (keep, gone))
    if len(friends) == 2:
        raise Conflict(
            _(
                "Both are LINE friends, with two LINE accounts. They cannot be merged: what is"
                " sent to one would not reach the other."
            )
        )
    if friends == {gone}:
        keep, gone = gone, keep
    await session.flush()
    kept, going = await _locked(session, keep), await _locked(session, gone)
    name = going.real_name or going.display_name
    _unite(kept, going, take)
    await session.flush()
    if take_values:
        await session.execute(
            delete(ContactAttribute).where(
                ContactAttribute.contact_id == keep, ContactAttribute.attribute_id.in_(take_values)
            )
        )
    await _move(session, keep, gone)
    await road().merge(session, keep, gone)
    await rejoin(session, keep)
    await _pass_on_pairs(session, keep, gone)
    await session.delete(going)
    # They may have been apart in between, and the same once before.
    again = insert(Merged).values(
        workspace_id=session.workspace_id, contact_id=keep, old_id=gone, at=now()
    )
    await session.execute(
        again.on_conflict_do_update(
            index_elements=["contact_id", "old_id"], set_={"at": again.excluded.at}
        ),
        execution_options=BY_HAND,
    )
    _note(session, access, keep, gone)
    await session.flush()
    await road().emit(session, keep, None, "merged", data={"from": str(gone), "title": name})
    return keep


async def where_is(session: WorkspaceSession, contact_id: UUID) -> UUID | None:
    """Return into whom a contact who is no longer there was merged; None for nobody."""
    found = await session.scalars(
        select(Merged.contact_id).where(Merged.old_id == contact_id).order_by(Merged.at.desc())
    )
    return found.first()


async def where_are(session: WorkspaceSession, contact_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return of those of many contacts who were merged into others, into whom."""
    found = await session.execute(
        select(Merged.old_id, Merged.contact_id)
        .where(among(Merged.old_id, contact_ids))
        .order_by(Merged.at)
    )
    return dict(found.tuples().all())


async def contact_of(session: WorkspaceSession, contact_id: UUID) -> Contact:
    """Return a contact by their id, or by one that they had before they were merged.

    Raises `NotFound` as `session.one` does.
    """
    found = await session.get(Contact, contact_id)
    if found is None and (now_at := await where_is(session, contact_id)) is not None:
        found = await session.get(Contact, now_at)
    if found is None:
        raise NotFound()
    return found


async def _friends(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> set[UUID]:
    return set(
        await session.scalars(
            select(Friendship.contact_id).where(Friendship.contact_id.in_(contact_ids))
        )
    )


async def _locked(session: WorkspaceSession, contact_id: UUID) -> Contact:
    # Whoever is inserting a row that refers to them is waited for, and would otherwise have it
    # deleted with them. One at a time: rows of several shards cannot be locked by one statement.
    found = await session.scalar(
        select(Contact)
        .where(Contact.id == contact_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound()
    return found


def _unite(kept: Contact, going: Contact, take: Sequence[str]) -> None:
    for name in FILLED:
        mine, theirs = getattr(kept, name), getattr(going, name)
        if theirs not in (None, "") and (name in take or mine in (None, "")):
            setattr(kept, name, theirs)
    kept.is_purchaser = kept.is_purchaser or going.is_purchaser
    kept.created_at = min(kept.created_at, going.created_at)


async def _move(session: WorkspaceSession, keep: UUID, gone: UUID) -> None:
    tables = [table for table in tables_about_contacts() if table is not Double.__table__]
    rows = {table.fullname: await _taken(session, table, gone) for table in tables}
    for table in reversed(tables):
        if found := rows[table.fullname]:
            await _given(session, table, found, keep)


async def _taken(session: WorkspaceSession, table: Table, gone: UUID) -> list[str]:
    """Delete a contact's rows of a table, and return them as JSON."""
    # PostgreSQL reads back any type that it has written as JSON itself.
    done = await session.execute(
        text(
            f'with gone as (delete from "{table.schema}"."{table.name}" as x'  # noqa: S608 — names of our own
            " where x.contact_id = :gone and x.workspace_id = :workspace_id returning x.*)"
            " select cast(row_to_json(gone) as text) from gone"
        ),
        {"gone": gone, "workspace_id": session.workspace_id},
        execution_options=BY_HAND,
    )
    return [str(row[0]) for row in done.all()]


async def _given(session: WorkspaceSession, table: Table, rows: list[str], keep: UUID) -> None:
    names = [column.name for column in table.columns if column.computed is None]
    values = ", ".join("cast(:keep as uuid)" if n == "contact_id" else f'x."{n}"' for n in names)
    columns = ", ".join(f'"{name}"' for name in names)
    whole = f'"{table.schema}"."{table.name}"'
    await session.execute(
        text(
            f"insert into {whole} as kept ({columns}) select {values}"  # noqa: S608 — names of our own
            f" from json_populate_recordset(cast(null as {whole}), cast(:rows as json)) as x"
            f" on conflict {_ending(table)}"
        ),
        {"keep": keep, "rows": f"[{','.join(rows)}]"},
        execution_options=BY_HAND,
    )


def _ending(table: Table) -> str:
    united: Sequence[str] = table.info.get("united", ())
    if not united:
        return "do nothing"
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    sets = ", ".join(f'"{name}" = kept."{name}" || excluded."{name}"' for name in united)
    return f"({key}) do update set {sets}"


async def _pass_on_pairs(session: WorkspaceSession, keep: UUID, gone: UUID) -> None:
    """Take away who may be double of who goes; that somebody is another person holds for both."""
    done = await session.execute(
        delete(Double)
        .where(or_(Double.contact_id == gone, Double.other_id == gone))
        .returning(Double.contact_id, Double.other_id, Double.reasons, Double.state),
        execution_options={"synchronize_session": False},
    )
    rows = [
        {
            "workspace_id": session.workspace_id,
            "contact_id": min(keep, who),
            "other_id": max(keep, who),
            "reasons": reasons,
            "is_certain": False,
            "state": "different",
            "at": now(),
        }
        for one, other, reasons, state in done.all()
        if state == "different" and (who := other if one == gone else one) != keep
    ]
    if rows:
        told = insert(Double).values(rows)
        await session.execute(
            told.on_conflict_do_update(
                index_elements=["contact_id", "other_id"],
                set_={"state": "different", "is_certain": False},
            ),
            execution_options=BY_HAND,
        )


def _note(session: WorkspaceSession, access: Access | None, keep: UUID, gone: UUID) -> None:
    # Without a name: what is audited stays when the person is erased.
    about: Mapping[str, Any] = {"gone": str(gone)}
    if access is not None:
        audit(session, access, "contacts.merge", keep, **about)
        return
    session.add(
        AuditEntry(
            actor_kind="system",
            actor_name="Hiiki",
            action="contacts.merge",
            subject=str(keep),
            data=dict(about),
        )
    )
