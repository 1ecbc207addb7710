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

import hmac
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.contacts.keys import KINDS, Key, Keys, normal
from hiiki.contacts.models import (
    Contact,
    Double,
    ErasedKey,
    Friendship,
    Identity,
    Merged,
    Parted,
)
from hiiki.contacts.placing import Book, first_id
from hiiki.contacts.turns import keep_people, make_people
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.kit.ids import contact_id as derive_contact_id
from hiiki.kit.phones import country_of
from hiiki.settings import settings
from hiiki.workspace.models import Channel, Workspace

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
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)
    wanted = [normal(each, country) for each in keys]
    for _round in range(ROUNDS):
        book = await _read(session, wanted)
        found = [book.place(each, create=create) for each in wanted]
        if book.has_news:
            await make_people(session)
            book = await _read(session, wanted)  # others may have made them meanwhile
            await _read_gone(session, book, wanted)
            book.revives = revive
            found = [book.place(each, create=create) for each in wanted]
        old = {ident for ident in found if ident is not None} - book.made.keys()
        await keep_people(session, {*old, *book.made})
        if await _all_there(session, old):
            await _write(session, book)
            return found
    raise Conflict(_("These people are being changed by somebody else; please try again."))


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
    book.erased = await _erased(session, wanted)
    for key in wanted:
        if key not in book.known:
            book.note(key, contact_id)
    await _write(session, book)
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


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return that a column is one of thousands of values, which travel as one array."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def digests(workspace_id: UUID, keys: Iterable[Key]) -> dict[bytes, Key]:
    """Return keys by what stays of them when a person is erased.

    Nobody reads it who has not the sealing key, and nobody with it who does not know the key.
    """
    secret = settings().sealing_key()
    return {
        hmac.digest(secret, f"erased:{workspace_id}:{kind}:{key}".encode(), "sha256"): (kind, key)
        for kind, key in keys
    }


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
    ids = [first_id(book.workspace_id, keys) for keys in wanted if keys]
    merged = await session.scalars(select(Merged.old_id).where(among(Merged.old_id, ids)))
    book.gone = {*await _there(session, ids), *merged}
    book.erased = await _erased(session, (key for each in wanted for key in each))


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


async def _erased(session: WorkspaceSession, keys: Iterable[Key]) -> dict[Key, Sequence[str]]:
    """Return which of these keys somebody had who was erased, and of what kinds theirs were."""
    if await session.scalar(select(ErasedKey.at).limit(1)) is None:
        return {}
    by_digest = digests(session.workspace_id, keys)
    rows = await session.execute(
        select(ErasedKey.digest, ErasedKey.kinds).where(among(ErasedKey.digest, by_digest))
    )
    return {by_digest[digest]: kinds for digest, kinds in rows.all()}


_MAKE = text(
    """
    insert into contacts.contact
        (workspace_id, id, display_name, email, phone, is_purchaser, created_at, updated_at)
    select :workspace_id, x.id, '', x.email, x.phone, false, :at, :at
    from unnest(cast(:ids as uuid[]), cast(:emails as text[]), cast(:phones as text[]))
        as x (id, email, phone)
    order by x.id
    on conflict do nothing
    """
)
_FILL = text(
    """
    update contacts.contact as c
    set email = coalesce(c.email, x.email), phone = coalesce(c.phone, x.phone)
    from unnest(cast(:ids as uuid[]), cast(:emails as text[]), cast(:phones as text[]))
        as x (id, email, phone)
    where c.id = x.id and c.workspace_id = :workspace_id
        and (c.email is null and x.email is not null or c.phone is null and x.phone is not null)
    """
)


_NOTE = text(
    """
    insert into contacts.identity (workspace_id, contact_id, kind, key, at)
    select :workspace_id, x.id, x.kind, x.key, :at
    from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:keys as text[]))
        as x (id, kind, key)
    on conflict do nothing
    """
)


async def _write(session: WorkspaceSession, book: Book) -> None:
    fixed = {"workspace_id": session.workspace_id, "at": now()}
    emails = {who: key for (kind, key), who in book.noted.items() if kind == "email"}
    phones = {who: key for (kind, key), who in book.noted.items() if kind == "phone"}

    def columns(people: list[UUID]) -> dict[str, Any]:
        return {
            "ids": people,
            "emails": [emails.get(who) for who in people],
            "phones": [phones.get(who) for who in people],
        }

    if book.made:
        made = fixed | columns(sorted(book.made))
        await session.execute(_MAKE, made, execution_options=_BY_HAND)
    if book.noted:
        rows = [(who, kind, key) for (kind, key), who in book.noted.items()]
        noted = {
            name: [row[at] for row in rows] for at, name in enumerate(("ids", "kinds", "keys"))
        }
        await session.execute(_NOTE, fixed | noted, execution_options=_BY_HAND)
        if back := [key for key in book.noted if key in book.erased]:
            known_again = digests(session.workspace_id, back)
            await session.execute(delete(ErasedKey).where(among(ErasedKey.digest, known_again)))
    if filled := sorted({*emails, *phones} - book.made.keys()):
        # Locked in the order in which webhooks' people are, or two may wait for each other.
        await session.execute(
            select(Contact.id)
            .where(among(Contact.id, filled))
            .order_by(Contact.id)
            .with_for_update(key_share=True)
        )
        await session.execute(_FILL, fixed | columns(filled), execution_options=_BY_HAND)
    if book.doubles:
        await _write_doubles(session, book)


async def _write_doubles(session: WorkspaceSession, book: Book) -> None:
    rows = [
        {
            "workspace_id": session.workspace_id,
            "contact_id": one,
            "other_id": other,
            "reasons": sorted(kinds),
            "is_certain": any(kinds.values()),
            "state": "open",
            "at": now(),
        }
        for (one, other), kinds in sorted(book.doubles.items())
    ]
    await session.execute(insert(Double).values(rows).on_conflict_do_nothing())
