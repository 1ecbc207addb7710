"""Writing what rows say that is new: people, their keys, and who may be double."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, String, Uuid, any_, cast, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from hiiki.contacts.keys import Key
from hiiki.contacts.models import Contact, Double, ErasedKey, Identity
from hiiki.contacts.placing import Book
from hiiki.db import WorkspaceSession
from hiiki.db.copying import copy_columns, unchecked, uuids, words
from hiiki.db.locking import lockable
from hiiki.kit.clock import now
from hiiki.settings import settings

PROFILE = ("real_name", "email", "phone", "prefecture", "birthday", "is_purchaser")
"""Columns of `contact` that can be changed of many."""
_BY_HAND = {"scoped_by_hand": True}
_NUMBER = attrgetter("int")
"""Orders ids as PostgreSQL does, and many times as fast as comparing them one by one."""


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return that a column is one of thousands of values, which travel as one array."""
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, Uuid | String):
        # Made here, an array costs a tenth of what the driver takes for it.
        made = uuids(values) if isinstance(kind, Uuid) else words(values)
        return column == any_(cast(literal(made, String), ARRAY(kind)))
    return column == any_(literal(list(values), ARRAY(kind)))


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
    at = now()
    if book.made:
        await _make(session, book, begin, at)
    if book.noted:
        await _note(session, book, at)
        if back := [key for key in book.noted if key in book.erased]:
            known_again = digests(session.workspace_id, back)
            await session.execute(delete(ErasedKey).where(among(ErasedKey.digest, known_again)))
    filled = await _fill(session, book)
    if book.doubles:
        await _write_doubles(session, book)
    return filled


async def _make(
    session: WorkspaceSession, book: Book, begin: Mapping[UUID, Mapping[str, Any]], at: datetime
) -> None:
    # In the order of their ids, as whoever locks many people does it.
    for made in (
        sorted(book.made.keys() - book.accounts, key=_NUMBER),
        sorted(book.accounts, key=_NUMBER),
    ):
        if not made:
            continue
        values = _beginnings(book, made, begin)
        if made[0] not in book.accounts:
            fixed = {"workspace_id": session.workspace_id, "created_at": at, "updated_at": at}
            columns = {"id": made, "display_name": "", **fixed, **values}
            async with unchecked(session):
                await copy_columns(session, Contact, len(made), columns)
            continue
        flags = values.pop("is_purchaser")
        texts = {name: words(its) for name, its in values.items()}
        texts["is_purchaser"] = words("t" if flag else "f" for flag in flags)
        texts["ids"] = uuids(made)
        fixed = {"workspace_id": session.workspace_id, "at": at}
        await session.execute(_MAKE, fixed | texts, execution_options=_BY_HAND)


async def _note(session: WorkspaceSession, book: Book, at: datetime) -> None:
    """Write keys. Who was just made has none yet; others may have been given some meanwhile."""
    made = sorted(
        [(who.int, who, key) for key, who in book.noted.items() if who in book.made],
        key=itemgetter(0),
    )
    if made:
        columns = {
            "contact_id": [who for _int, who, _key in made],
            "kind": [key[0] for _int, _who, key in made],
            "key": [key[1] for _int, _who, key in made],
        }
        fixed = {"workspace_id": session.workspace_id, "at": at}
        await copy_columns(session, Identity, len(made), columns | fixed)
    noted = {key: who for key, who in book.noted.items() if who not in book.made}
    if noted:
        values = {
            "workspace_id": session.workspace_id,
            "at": at,
            "ids": uuids(noted.values()),
            "kinds": words(kind for kind, _key in noted),
            "keys": words(key for _kind, key in noted),
        }
        await session.execute(_NOTE, values, execution_options=_BY_HAND)


def _beginnings(
    book: Book, made: Sequence[UUID], begin: Mapping[UUID, Mapping[str, Any]]
) -> dict[str, list[Any]]:
    """Return the columns of `PROFILE` of people who are made."""
    nothing: Mapping[str, Any] = {}
    people = [begin.get(who, nothing) for who in made]
    values = {name: [each.get(name) for each in people] for name in PROFILE}
    for kind in ("email", "phone"):
        if None in values[kind]:
            by_key = {who: key for (each, key), who in book.noted.items() if each == kind}
            values[kind] = [
                said or by_key.get(who) for who, said in zip(made, values[kind], strict=True)
            ]
    values["is_purchaser"] = [bool(flag) for flag in values["is_purchaser"]]
    return values


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
