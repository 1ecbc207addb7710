"""Who is meant: people by what the shop's own systems know them by.

A shop's member list, its orders and its programs name people by a customer number, an e-mail, a
telephone number or a LINE user id. `resolve` finds the contact behind such keys, for thousands of
rows in a few statements, and makes one (without a friendship) for who is not known yet.

Only what the shop itself vouches for makes an identity: imports, the API, the ID link. What a
friend types into a survey may be anybody's address; it shows as a possible double at most.

Which contact it is, when keys point to several, the strongest decides (`KINDS`), and the others
are noted as possible doubles. A weaker key finds nobody whose stronger key is another one: two
customer numbers with one e-mail are two people who share it. Nor does a key find who had it taken
off: who unlinked is not joined again by what they still share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.keys import KINDS, Key, Keys, normal
from hiiki.contacts.models import (
    Contact,
    Friendship,
    Identity,
    Merged,
    Parted,
)
from hiiki.contacts.noting import among, digests, erased_keys, write_news
from hiiki.contacts.placing import Book
from hiiki.contacts.turns import keep_people, make_people
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.kit.ids import contact_id as derive_contact_id
from hiiki.kit.phones import country_of
from hiiki.workspace.models import Channel, Workspace

PROBED = 10
"""Of thousands of rows, so many tell whether there are new people among them."""
ROUNDS = 3
"""How often people may be merged away under who looks for them before that is a conflict."""

__all__ = [
    "KINDS",
    "Keys",
    "among",
    "attach",
    "detach",
    "digests",
    "keys_of",
    "normal",
    "rejoin",
    "resolve",
]

_BY_HAND = {"scoped_by_hand": True}


async def resolve(
    session: WorkspaceSession,
    keys: Sequence[Keys],
    *,
    create: bool = True,
    revive: bool = True,
) -> list[UUID | None]:
    """Return whom each of `keys` means, in their order; None where that cannot be said.

    With `create`, people who are not known are made, and keys that are new of a known person
    are noted; then None is only for who has no usable key. Without `revive`, whoever was erased
    (`hiiki.contacts.erasure`) is not made anew either: that is for files, which may be old.

    Whom it returns is neither merged nor erased before this transaction ends. Call it early: it
    waits for other transactions that make people of this workspace.
    """
    return (await meant(session, keys, create=create, revive=revive)).people


@dataclass(slots=True)
class Meant:
    """Whom some rows mean, and what that changed."""

    people: list[UUID | None]
    made: Mapping[UUID, None]
    """Who was not known before."""
    noted: Mapping[Key, UUID] = field(default_factory=dict[Key, UUID])
    """Keys that were not known before, and whose they are."""
    filled: Mapping[UUID, Sequence[str]] = field(default_factory=dict[UUID, Sequence[str]])
    """Of whom was known, which of e-mail and phone were empty and are now a key's."""


async def meant(
    session: WorkspaceSession,
    keys: Sequence[Keys],
    *,
    create: bool = True,
    revive: bool = True,
    begin: Sequence[Mapping[str, Any]] = (),
) -> Meant:
    """Do as `resolve`, and say all of it.

    `begin` says for each row with which values of `PROFILE` a person begins whom it makes.
    """
    wanted = await _normal(session, keys)
    return await placed(session, wanted, create=create, revive=revive, begin=begin)


async def placed(
    session: WorkspaceSession,
    wanted: Sequence[Sequence[Key]],
    *,
    create: bool = True,
    revive: bool = True,
    begin: Sequence[Mapping[str, Any]] = (),
) -> Meant:
    """Do as `meant` for keys in the form in which they are compared (`keys.normal`)."""
    holds = create and await _brings_news(session, wanted)
    if holds:
        await make_people(session)
    for _round in range(ROUNDS):
        book = await _book(session, wanted, revive, complete=holds)
        found = [book.place(each, create=create) for each in wanted]
        if book.has_news and not holds:
            holds = True
            await make_people(session)
            # Others may have made them meanwhile.
            book = await _book(session, wanted, revive, complete=True)
            found = [book.place(each, create=create) for each in wanted]
        old = {ident for ident in found if ident is not None} - book.made.keys()
        await keep_people(session, {*old, *book.made})
        if await _all_there(session, old):
            filled = await write_news(session, book, _first(book.made, found, begin))
            return Meant(found, book.made, book.noted, filled)
    raise Conflict(_("These people are being changed by somebody else; please try again."))


async def foreseen(session: WorkspaceSession, wanted: Sequence[Sequence[Key]]) -> Meant:
    """Return whom `placed` would find and make without `revive`, and change nothing."""
    book = await _book(session, wanted, revive=False, complete=True)
    return Meant([book.place(each, create=True) for each in wanted], book.made)


async def _normal(session: WorkspaceSession, keys: Sequence[Keys]) -> list[list[Key]]:
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)
    return [normal(each, country) for each in keys]


async def _book(
    session: WorkspaceSession, wanted: Sequence[Sequence[Key]], revive: bool, *, complete: bool
) -> Book:
    book = await _read(session, wanted)
    if complete:
        await _read_gone(session, book, wanted)
        book.revives = revive
    return book


async def _brings_news(session: WorkspaceSession, wanted: Sequence[Sequence[Key]]) -> bool:
    """Tell by a few of thousands of rows that the whole need not be asked without the lock."""
    if len(wanted) <= PROBED:
        return False
    book = await _read(session, wanted[:PROBED])
    for each in wanted[:PROBED]:
        book.place(each, create=True)
    return book.has_news


def _first(
    made: Mapping[UUID, None],
    found: Sequence[UUID | None],
    begin: Sequence[Mapping[str, Any]],
) -> dict[UUID, Mapping[str, Any]]:
    """Return what the first row of each person that is made says they begin with."""
    first: dict[UUID, Mapping[str, Any]] = {}
    for ident, values in zip(found, begin, strict=bool(begin)):
        if ident is not None and ident in made and ident not in first:
            first[ident] = values
    return first


async def attach(session: WorkspaceSession, contact_id: UUID, keys: Keys) -> None:
    """Give a contact keys; raises `Conflict` when one of them is another contact's.

    Raises `NotFound` when the contact is not there.
    """
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)
    wanted = normal(keys, country)
    await make_people(session)
    await keep_people(session, [contact_id])
    await session.one(Contact, contact_id)
    book = await _read(session, [wanted])
    taken = [key for key in wanted if book.known.get(key, contact_id) != contact_id]
    if taken:
        raise Conflict(
            _("Another contact has this already: %(keys)s", keys=", ".join(k for _k, k in taken))
        )
    book.erased = await erased_keys(session, wanted)
    for key in wanted:
        if key not in book.known:
            book.note(key, contact_id)
    await write_news(session, book, {})
    await rejoin(session, contact_id)


async def detach(session: WorkspaceSession, contact_id: UUID, kind: str, key: str) -> bool:
    """Take a key off a contact for good; True when they had it. `key` as it is kept."""
    await make_people(session)
    done = await session.scalars(
        delete(Identity)
        .where(Identity.contact_id == contact_id, Identity.kind == kind, Identity.key == key)
        .returning(Identity.key)
    )
    if done.first() is None:
        return False
    row = {"contact_id": contact_id, "kind": kind, "key": key, "at": now()}
    await session.execute(
        insert(Parted).values(workspace_id=session.workspace_id, **row).on_conflict_do_nothing(),
        execution_options=_BY_HAND,
    )
    return True


async def rejoin(session: WorkspaceSession, contact_id: UUID) -> None:
    """Forget that keys were taken off a contact who has them again."""
    await session.execute(
        delete(Parted).where(
            Parted.contact_id == contact_id,
            select(Identity.key)
            .where(
                Identity.contact_id == contact_id,
                Identity.kind == Parted.kind,
                Identity.key == Parted.key,
            )
            .exists(),
        ),
        execution_options={"synchronize_session": False},
    )


async def keys_of(session: WorkspaceSession, contact_id: UUID) -> list[Identity]:
    """Return a contact's keys, the strongest first."""
    found = await session.scalars(select(Identity).where(Identity.contact_id == contact_id))
    return sorted(found, key=lambda each: (KINDS.index(each.kind), each.key))


async def _read(session: WorkspaceSession, wanted: Sequence[Sequence[Key]]) -> Book:
    channels = await session.execute(select(Channel.provider).order_by(Channel.created_at))
    book = Book(session.workspace_id, list(dict.fromkeys(row[0] for row in channels)))
    keys = {key for each in wanted for key in each}
    if not keys:
        return book
    rows = await session.execute(
        select(Identity.kind, Identity.key, Identity.contact_id).where(
            among(Identity.key, [key for _kind, key in keys])
        )
    )
    book.known.update(
        {(kind, key): ident for kind, key, ident in rows.all() if (kind, key) in keys}
    )
    accounts = {
        derive_contact_id(session.workspace_id, provider, key): ("line", key)
        for provider in book.providers
        for kind, key in keys
        if kind == "line"
    }
    for ident in await _there(session, accounts):
        book.known[accounts[ident]] = ident
    if await session.scalar(select(Parted.at).limit(1)) is not None:
        parted = await session.execute(
            select(Parted.contact_id, Parted.kind, Parted.key).where(
                among(Parted.key, [key for _kind, key in keys])
            )
        )
        book.parted.update((ident, (kind, key)) for ident, kind, key in parted.all())
    await _read_kinds(session, book, wanted)
    return book


async def _read_gone(
    session: WorkspaceSession, book: Book, wanted: Sequence[Sequence[Key]]
) -> None:
    """Read what matters for making people: ids that are somebody's, and keys of the erased."""
    ids = [book.first(keys) for keys in wanted if keys and keys[0] not in book.known]
    merged = await session.scalars(select(Merged.old_id).where(among(Merged.old_id, ids)))
    book.gone = {*await _there(session, ids), *merged}
    book.erased = await erased_keys(session, (key for each in wanted for key in each))


async def _read_kinds(
    session: WorkspaceSession, book: Book, wanted: Sequence[Sequence[Key]]
) -> None:
    """Read of which kinds people have keys, where a stronger key of a row means nobody yet."""
    doubtful = {
        book.known[key]
        for each in wanted
        if each and each[0] not in book.known
        for key in each[1:]
        if key in book.known
    }
    if not doubtful:
        return
    rows = await session.execute(
        select(Identity.contact_id, Identity.kind).where(among(Identity.contact_id, doubtful))
    )
    for ident, kind in rows.all():
        book.kinds.setdefault(ident, set()).add(kind)
    friends = await session.scalars(
        select(Friendship.contact_id).where(among(Friendship.contact_id, doubtful))
    )
    for ident in friends:
        book.kinds.setdefault(ident, set()).add("line")


async def _there(session: WorkspaceSession, contact_ids: Iterable[UUID]) -> set[UUID]:
    wanted = list(contact_ids)
    if not wanted:
        return set()
    return set(await session.scalars(select(Contact.id).where(among(Contact.id, wanted))))


async def _all_there(session: WorkspaceSession, contact_ids: set[UUID]) -> bool:
    return await _there(session, contact_ids) == contact_ids
