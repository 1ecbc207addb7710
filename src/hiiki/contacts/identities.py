"""Who is meant: people by what the shop's own systems know them by.

A shop's member list, its orders and its programs name people by a customer number, an e-mail, a
telephone number or a LINE user id. `resolve` finds the contact behind such keys, for thousands of
rows in a few statements, and makes one (without a friendship) for who is not known yet.

Only what the shop itself vouches for makes an identity: imports, the API, the ID link. What a
friend types into a survey may be anybody's address; it shows as a possible double at most.

Which contact it is, when keys point to several, the strongest decides (`KINDS`), and the others
are noted as possible doubles. A weaker key finds nobody whose stronger key is another one: two
customer numbers with one e-mail are two people who share it.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute

from hiiki.contacts.models import Contact, Double, ErasedKey, Friendship, Identity
from hiiki.contacts.turns import keep_people, make_people
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.kit.ids import contact_id as derive_contact_id
from hiiki.kit.phones import country_of, e164
from hiiki.settings import settings
from hiiki.workspace.models import Channel, Workspace

KINDS = ("customer", "line", "email", "phone")
"""The strongest first."""
KEY_LIMIT = 200
CERTAIN = frozenset({"line"})
"""A LINE account is one person's; a machine may merge whom the shop's own systems join by it."""
ROUNDS = 3
"""How often people may be merged away under who looks for them before that is a conflict."""

Key: TypeAlias = tuple[str, str]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")
_BY_HAND = {"scoped_by_hand": True}


@dataclass(frozen=True, slots=True)
class Keys:
    """By what one row names a person; empty is what it does not say. As typed, in any form."""

    customer: str = ""
    """The shop's own number of the customer."""
    email: str = ""
    phone: str = ""
    line_user_id: str = ""


def normal(keys: Keys, country: str = "JP") -> list[Key]:
    """Return the keys in the form in which they are compared, the strongest first.

    What is none (an e-mail without an @, a LINE user id of another shape than the Messaging API
    reference's `U[0-9a-f]{32}`) is left out.
    """
    found: list[Key] = []
    if customer := " ".join(_flat(keys.customer).split()):
        found.append(("customer", customer[:KEY_LIMIT]))
    line = _flat(keys.line_user_id).strip()
    if line and _LINE_USER_ID.fullmatch(line):
        found.append(("line", line))
    email = _flat(keys.email).strip().lower()
    if email and len(email) <= KEY_LIMIT and _EMAIL.fullmatch(email):
        found.append(("email", email))
    if keys.phone and (phone := e164(keys.phone, country)):
        found.append(("phone", phone))
    return found


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
            if not revive:
                erased = await _erased(session, (key for each in wanted for key in each))
                book.erased = set(erased.values())
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
    for key in wanted:
        if key not in book.known:
            book.note(key, contact_id)
    await _write(session, book)


async def detach(session: WorkspaceSession, contact_id: UUID, kind: str, key: str) -> bool:
    """Take a key off a contact; True when they had it. `key` in the form in which it is kept."""
    await make_people(session)
    done = await session.scalars(
        delete(Identity)
        .where(Identity.contact_id == contact_id, Identity.kind == kind, Identity.key == key)
        .returning(Identity.key)
    )
    return done.first() is not None


async def keys_of(session: WorkspaceSession, contact_id: UUID) -> list[Identity]:
    """Return a contact's keys, the strongest first."""
    found = await session.scalars(select(Identity).where(Identity.contact_id == contact_id))
    return sorted(found, key=lambda each: (KINDS.index(each.kind), each.key))


def _flat(typed: str) -> str:
    # Most is ASCII already. PostgreSQL takes no NUL.
    return (typed if typed.isascii() else unicodedata.normalize("NFKC", typed)).replace("\x00", "")


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


@dataclass(slots=True)
class _Book:
    """What is known of the keys of some rows, and what these rows say that is new."""

    workspace_id: UUID
    providers: list[str]
    known: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    kinds: dict[UUID, set[str]] = field(default_factory=dict[UUID, set[str]])
    """Of people whom only a weaker key may mean: of which kinds they have keys already."""
    erased: set[Key] = field(default_factory=set[Key])
    made: dict[UUID, None] = field(default_factory=dict[UUID, None])
    noted: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    doubles: dict[tuple[UUID, UUID], dict[str, bool]] = field(
        default_factory=dict[tuple[UUID, UUID], dict[str, bool]]
    )
    """What two people have in common, and whether that alone makes it certain that they are one."""

    @property
    def has_news(self) -> bool:
        """True when there is something to be written."""
        return bool(self.noted or self.doubles)

    def place(self, keys: Sequence[Key], *, create: bool) -> UUID | None:
        """Return whom these keys mean, and note what they say that is new."""
        found: UUID | None = None
        others: list[tuple[UUID, str, bool]] = []
        for at, (kind, key) in enumerate(keys):
            who = self.known.get((kind, key))
            if who is None or who == found:
                continue
            if found is None and not self._is_another(who, keys[:at]):
                found = who
            else:
                others.append((who, kind, found is not None and kind in CERTAIN))
        if not create:
            return found
        if found is None:
            if not keys or keys[0] in self.erased:
                return None
            found = self._new_id(keys)
            self.made[found] = None
        # Of what kinds their keys are, the next rows are to know: a family shares a telephone.
        mine = {kind for kind, key in keys if self.known.get((kind, key)) == found}
        self.kinds.setdefault(found, set()).update(mine)
        for who, kind, is_certain in others:
            if who != found:
                pair = min(found, who), max(found, who)
                self.doubles.setdefault(pair, {})[kind] = is_certain
        for key in keys:
            if key not in self.known and key not in self.erased:
                self.note(key, found)
        return found

    def note(self, key: Key, who: UUID) -> None:
        """Note that a key means this person."""
        self.known[key] = self.noted[key] = who
        self.kinds.setdefault(who, set()).add(key[0])

    def _is_another(self, who: UUID, stronger: Sequence[Key]) -> bool:
        has = self.kinds.get(who, set())
        return any(kind in has for kind, _key in stronger)

    def _new_id(self, keys: Sequence[Key]) -> UUID:
        # Who is named by their LINE account is met under the same id when they add the account.
        for kind, key in keys:
            if kind == "line" and (kind, key) not in self.known and self.providers:
                return derive_contact_id(self.workspace_id, self.providers[0], key)
        kind, key = keys[0]
        return uuid5(self.workspace_id, f"{kind}:{key}")


async def _read(session: WorkspaceSession, wanted: Sequence[Sequence[Key]]) -> _Book:
    channels = await session.execute(select(Channel.provider).order_by(Channel.created_at))
    book = _Book(session.workspace_id, list(dict.fromkeys(row[0] for row in channels)))
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
    await _read_kinds(session, book, wanted)
    return book


async def _read_kinds(
    session: WorkspaceSession, book: _Book, wanted: Sequence[Sequence[Key]]
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


async def _erased(session: WorkspaceSession, keys: Iterable[Key]) -> dict[bytes, Key]:
    """Return which of these keys somebody had who was erased."""
    if await session.scalar(select(ErasedKey.at).limit(1)) is None:
        return {}
    by_digest = digests(session.workspace_id, keys)
    rows = await session.scalars(select(ErasedKey.digest).where(among(ErasedKey.digest, by_digest)))
    return {each: by_digest[each] for each in rows}


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


async def _write(session: WorkspaceSession, book: _Book) -> None:
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
        if back := await _erased(session, book.noted):
            await session.execute(delete(ErasedKey).where(among(ErasedKey.digest, back)))
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


async def _write_doubles(session: WorkspaceSession, book: _Book) -> None:
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
