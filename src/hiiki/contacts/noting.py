"""Writing what rows say that is new: people, their keys, and who may be double."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.contacts.keys import Key
from hiiki.contacts.models import Contact, Double, ErasedKey
from hiiki.contacts.placing import Book
from hiiki.db import WorkspaceSession
from hiiki.db.copying import uuids, words
from hiiki.db.locking import lockable
from hiiki.kit.clock import now
from hiiki.settings import settings

PROFILE = ("real_name", "email", "phone", "prefecture", "birthday", "is_purchaser")
"""Columns of `contact` that can be changed of many."""
_BY_HAND = {"scoped_by_hand": True}


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


async def erased_keys(session: WorkspaceSession, keys: Iterable[Key]) -> dict[Key, Sequence[str]]:
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
        (workspace_id, id, display_name, real_name, email, phone, prefecture, birthday,
         is_purchaser, created_at, updated_at)
    select :workspace_id, x.id, '', x.real_name, x.email, x.phone, x.prefecture, x.birthday,
        coalesce(x.is_purchaser, false), :at, :at
    from unnest(
        cast(:ids as uuid[]), cast(:real_name as text[]), cast(:email as text[]),
        cast(:phone as text[]), cast(:prefecture as text[]), cast(:birthday as date[]),
        cast(:is_purchaser as bool[])
    ) as x (id, real_name, email, phone, prefecture, birthday, is_purchaser)
    order by x.id
    on conflict do nothing
    """
)
_FILL = text(
    """
    update contacts.contact as c
    set email = coalesce(c.email, x.email), phone = coalesce(c.phone, x.phone)
    from unnest(cast(:ids as uuid[]), cast(:email as text[]), cast(:phone as text[]))
        as x (id, email, phone)
    where c.id = x.id and c.workspace_id = :workspace_id
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


async def write_news(
    session: WorkspaceSession, book: Book, begin: Mapping[UUID, Mapping[str, Any]]
) -> dict[UUID, list[str]]:
    """Write what is new; returns of whom which of e-mail and phone were empty and are filled."""
    fixed = {"workspace_id": session.workspace_id, "at": now()}
    if book.made:
        made = sorted(book.made)
        values = {"ids": uuids(made), **_beginnings(book, made, begin)}
        await session.execute(_MAKE, fixed | values, execution_options=_BY_HAND)
    if book.noted:
        noted = {
            "ids": uuids(book.noted.values()),
            "kinds": words(kind for kind, _key in book.noted),
            "keys": words(key for _kind, key in book.noted),
        }
        await session.execute(_NOTE, fixed | noted, execution_options=_BY_HAND)
        if back := [key for key in book.noted if key in book.erased]:
            known_again = digests(session.workspace_id, back)
            await session.execute(delete(ErasedKey).where(among(ErasedKey.digest, known_again)))
    filled = await _fill(session, book)
    if book.doubles:
        await _write_doubles(session, book)
    return filled


def _beginnings(
    book: Book, made: Sequence[UUID], begin: Mapping[UUID, Mapping[str, Any]]
) -> dict[str, str]:
    nothing: Mapping[str, Any] = {}
    people = [begin.get(who, nothing) for who in made]
    values = {name: [each.get(name) for each in people] for name in PROFILE}
    for kind in ("email", "phone"):
        by_key = {who: key for (each, key), who in book.noted.items() if each == kind}
        values[kind] = [
            said or by_key.get(who) for who, said in zip(made, values[kind], strict=True)
        ]
    flags = values.pop("is_purchaser")
    return {
        **{name: words(its) for name, its in values.items()},
        "is_purchaser": words(None if flag is None else "t" if flag else "f" for flag in flags),
    }


async def _fill(session: WorkspaceSession, book: Book) -> dict[UUID, list[str]]:
    """Give people who were known, and have no e-mail or no phone, what their new keys say."""
    new: dict[UUID, dict[str, str]] = {}
    for (kind, key), who in book.noted.items():
        if kind in ("email", "phone") and who not in book.made:
            new.setdefault(who, {})[kind] = key
    if not new:
        return {}
    # Locked in the order in which webhooks' people are, or two may wait for each other.
    rows: list[Row[UUID, str | None, str | None]] = []
    for part in await lockable(session, new):
        found = await session.execute(
            select(Contact.id, Contact.email, Contact.phone)
            .where(among(Contact.id, part))
            .order_by(Contact.id)
            .with_for_update(key_share=True)
        )
        rows += found.all()
    filled = {
        ident: [
            kind
            for kind, stands in (("email", email), ("phone", phone))
            if stands is None and kind in new[ident]
        ]
        for ident, email, phone in rows
    }
    filled = {ident: kinds for ident, kinds in filled.items() if kinds}
    if filled:
        values = {
            kind: words(
                new[ident].get(kind) if kind in kinds else None for ident, kinds in filled.items()
            )
            for kind in ("email", "phone")
        }
        await session.execute(
            _FILL,
            {"workspace_id": session.workspace_id, "ids": uuids(filled), **values},
            execution_options=_BY_HAND,
        )
    return filled


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
