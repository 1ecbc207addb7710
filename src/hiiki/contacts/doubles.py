"""Possible doubles: two contacts who may be one person, found, compared, merged or told apart.

Some are noted as they come in (`hiiki.contacts.identities`); the others are found by one statement
over all people: the same e-mail or telephone (also where a friend typed it into a survey), or the
same name and birthday. What more than a few people share (a shop's own number) says nothing.
Two LINE friends are never listed, for they cannot be merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text, tuple_

from hiiki.contacts.attributes import all_attributes, values_of
from hiiki.contacts.identities import keys_of
from hiiki.contacts.merging import FILLED, merge
from hiiki.contacts.models import Attribute, Contact, Double, Friendship
from hiiki.contacts.search import Friend, with_details
from hiiki.contacts.values import Parsed
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.phones import country_of, e164
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Workspace

PAGE = 30
SHARED_BY = 10
"""What so many people have in common is no sign that they are one."""
AT_ONCE = 25
"""Pairs that one request merges."""

REASONS: Mapping[str, Text] = {
    "customer": _("same customer number"),
    "line": _("same LINE account"),
    "email": _("same e-mail"),
    "phone": _("same phone"),
    "name": _("same name and birthday"),
    "typed": _("what they wrote in a survey"),
}

# Where tables are spread, two people may not be joined: what is to be known of both stands in a
# part of its own.
# What is written in digits is compared without what stands between them, and with the country's
# code; what is written by hand in an attribute may be an address or a number, or anything else.
_FIND = text(
    """
    with keyed as (
        select 'email' as reason, lower(normalize(email, NFKC)) as key, id as contact_id
        from contacts.contact where workspace_id = :workspace_id and email <> ''
        union all
        select 'phone', case when phone like '0%' then :code || substr(phone, 2) else phone end, id
        from contacts.contact where workspace_id = :workspace_id and phone <> ''
        union all
        select 'name',
            lower(regexp_replace(normalize(real_name, NFKC), '\\s', '', 'g')) || birthday::text, id
        from contacts.contact
        where workspace_id = :workspace_id and real_name <> '' and birthday is not null
        union all
        select kind, key, contact_id from contacts.identity
        where workspace_id = :workspace_id and kind in ('email', 'phone')
        union all
        select 'typed', lower(normalize(text, NFKC)), contact_id from contacts.contact_attribute
        where workspace_id = :workspace_id and length(text) < 200 and text like '%_@_%._%'
        union all
        select 'typed',
            regexp_replace(regexp_replace(normalize(text, NFKC), '[^0-9+]', '', 'g'), '^0', :code),
            contact_id
        from contacts.contact_attribute
        where workspace_id = :workspace_id and length(text) between 9 and 20
            and normalize(text, NFKC) ~ '^[+0][0-9() -]+$'
    ), shared as (
        select key, array_agg(distinct contact_id order by contact_id) as ids
        from keyed group by key having count(distinct contact_id) between 2 and :shared_by
    ), pairs as (
        select s.key, s.ids[1] as one, other
        from shared s, unnest(s.ids[2:]) as other
    ), reasoned as (
        select p.one, p.other, array_agg(distinct k.reason order by k.reason) as reasons
        from pairs p join keyed k on k.key = p.key and k.contact_id in (p.one, p.other)
        group by p.one, p.other
    ), known as materialized (
        select c.id, c.birthday,
            lower(regexp_replace(normalize(c.real_name, NFKC), '\\s', '', 'g')) as name,
            exists (select from contacts.friendship f where f.contact_id = c.id) as is_friend
        from contacts.contact c
        where c.workspace_id = :workspace_id
            and c.id in (select one from reasoned union all select other from reasoned)
    ), judged as (
        select r.one, r.other, r.reasons,
            not 'typed' = any(r.reasons) and r.reasons && array['email', 'phone']
            and a.name = b.name and (a.birthday = b.birthday) is not false as is_certain
        from reasoned r join known a on a.id = r.one join known b on b.id = r.other
        where not (a.is_friend and b.is_friend)
    )
    insert into contacts.possible_double as d
        (workspace_id, contact_id, other_id, reasons, is_certain, state, at)
    select :workspace_id, one, other, reasons, coalesce(is_certain, false), 'open', :at
    from judged order by one, other
    on conflict (contact_id, other_id) do update
    set reasons = excluded.reasons, is_certain = d.is_certain or excluded.is_certain
    where d.state = 'open'
        and (d.reasons, d.is_certain) <> (excluded.reasons, d.is_certain or excluded.is_certain)
    """
)
# What they had in common may have been corrected since; what the shop's systems say stays.
_SETTLE = text(
    """
    with pairs as materialized (
        select contact_id as one, other_id as other from contacts.possible_double
        where workspace_id = :workspace_id and state = 'open'
    ), known as materialized (
        select c.id,
            exists (select from contacts.friendship f where f.contact_id = c.id) as is_friend
        from contacts.contact c
        where c.workspace_id = :workspace_id
            and c.id in (select one from pairs union all select other from pairs)
    )
    delete from contacts.possible_double d
    using pairs p left join known a on a.id = p.one left join known b on b.id = p.other
    where d.workspace_id = :workspace_id and d.state = 'open'
        and d.contact_id = p.one and d.other_id = p.other
        and (b.id is null or a.is_friend and b.is_friend)
    """
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of the list: two contacts and what they have in common."""

    one: Friend
    other: Friend
    reasons: list[str]
    is_certain: bool


@dataclass(frozen=True, slots=True)
class PairPage:
    """A page of pairs, and the address of the next one."""

    pairs: list[Pair]
    next: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two contacts, with all that is compared."""

    friend: Friend
    values: Mapping[UUID, Parsed]
    keys: Sequence[str]


async def look(session: WorkspaceSession) -> int:
    """Find doubles among all people of the workspace; returns how many are open then."""
    workspace = await session.known(Workspace, session.workspace_id)
    given = {
        "workspace_id": session.workspace_id,
        "at": now(),
        "shared_by": SHARED_BY,
        # The country's code, by what becomes of a number that is written without one.
        "code": e164("0312345678", country_of(workspace.timezone))[:-9],
    }
    for statement in (_FIND, _SETTLE):
        await session.execute(statement, given, execution_options={"scoped_by_hand": True})
    return (await counts(session))[0]


async def counts(session: WorkspaceSession) -> tuple[int, int]:
    """Return how many pairs are open, and how many of those are certain."""
    row = await session.execute(
        select(func.count(), func.count().filter(Double.is_certain)).where(Double.state == "open")
    )
    return row.one()._tuple()  # pyright: ignore[reportPrivateUsage]


async def of_contact(session: WorkspaceSession, contact_id: UUID) -> list[UUID]:
    """Return who may be the same person as a contact."""
    rows = await session.execute(
        select(Double.contact_id, Double.other_id).where(
            Double.state == "open",
            or_(Double.contact_id == contact_id, Double.other_id == contact_id),
        )
    )
    return [other if one == contact_id else one for one, other in rows]


async def page_of_pairs(
    session: WorkspaceSession, after: str = "", *, certain: bool | None = None, limit: int = PAGE
) -> PairPage:
    """Return the open pairs behind the mark `after`, the certain ones first."""
    place = tuple_(Double.is_certain, Double.contact_id, Double.other_id)
    query = select(Double).where(Double.state == "open")
    if certain is not None:
        query = query.where(Double.is_certain == certain)
    if mark := _read_mark(after):
        # Certain ones come first, so the order is downwards in all three.
        query = query.where(place < tuple_(*mark))
    rows = list(
        await session.scalars(
            query.order_by(
                Double.is_certain.desc(), Double.contact_id.desc(), Double.other_id.desc()
            ).limit(limit + 1)
        )
    )
    shown = rows[:limit]
    ids = {ident for row in shown for ident in (row.contact_id, row.other_id)}
    contacts = await session.scalars(select(Contact).where(Contact.id.in_(ids)))
    friends = {each.contact.id: each for each in await with_details(session, list(contacts))}
    last = shown[-1] if len(rows) > limit else None
    return PairPage(
        [
            Pair(friends[row.contact_id], friends[row.other_id], row.reasons, row.is_certain)
            for row in shown
            if row.contact_id in friends and row.other_id in friends
        ],
        next=f"{int(last.is_certain)}.{last.contact_id}.{last.other_id}" if last else None,
    )


def _read_mark(typed: str) -> tuple[bool, UUID, UUID] | None:
    parts = typed.split(".")
    if len(parts) != 3:
        return None
    try:
        return parts[0] == "1", UUID(parts[1]), UUID(parts[2])
    except ValueError:
        return None


async def side(session: WorkspaceSession, contact_id: UUID) -> Side:
    """Return one of two contacts as they are compared; raises `NotFound`."""
    [friend] = await with_details(session, [await session.one(Contact, contact_id)])
    keys = [each.key for each in await keys_of(session, contact_id) if each.kind == "customer"]
    return Side(friend, await values_of(session, contact_id), keys)


async def known_attributes(session: WorkspaceSession, sides: Sequence[Side]) -> list[Attribute]:
    """Return the attributes of which at least one of them has a value."""
    known = {ident for each in sides for ident in each.values}
    return [each for each in await all_attributes(session) if each.id in known]


async def join(
    session: WorkspaceSession,
    access: Access,
    one: UUID,
    other: UUID,
    chosen: Mapping[str, UUID] | None = None,
) -> UUID:
    """Merge two contacts as staff chose; returns who stayed.

    `chosen` says, where both have something, whose value is to hold: by the name of a column of
    `merging.FILLED` or the id of an attribute. Who stays is `one`, unless only `other` is a LINE
    friend. Raises what `merge` raises.
    """
    one, other = await stays_first(session, one, other)
    taken = {name for name, whose in (chosen or {}).items() if whose == other}
    values = await values_of(session, other)
    return await merge(
        session,
        one,
        other,
        access=access,
        take=[name for name in FILLED if name in taken],
        take_values=[ident for ident in values if str(ident) in taken],
    )


async def stays_first(session: WorkspaceSession, one: UUID, other: UUID) -> tuple[UUID, UUID]:
    """Return two contacts, the one first who stays when they are merged."""
    friends = set(
        await session.scalars(
            select(Friendship.contact_id).where(Friendship.contact_id.in_((one, other)))
        )
    )
    return (other, one) if friends == {other} else (one, other)


async def merge_certain(
    session: WorkspaceSession, access: Access, limit: int = AT_ONCE
) -> tuple[int, int]:
    """Merge some of the pairs of which a machine is certain; returns how many, and how many are
    left. A pair that cannot be merged is no longer called certain."""
    done = 0
    rows = await session.scalars(
        select(Double)
        .where(Double.state == "open", Double.is_certain)
        .order_by(Double.contact_id, Double.other_id)
        .limit(limit)
    )
    for row in list(rows):
        pair = await _older_first(session, row.contact_id, row.other_id)
        if pair is None:  # one of them is no longer there
            await session.delete(row)
            continue
        try:
            await merge(session, *pair, access=access)
            done += 1
        except (Conflict, NotFound):
            row.is_certain = False
    await session.flush()
    return done, (await counts(session))[1]


async def tell_apart(session: WorkspaceSession, access: Access, one: UUID, other: UUID) -> None:
    """Remember that two contacts are two people, whatever they have in common."""
    for ident in (one, other):
        await session.one(Contact, ident)
    pair = min(one, other), max(one, other)
    row = await session.get(Double, pair)
    if row is None:
        row = Double(contact_id=pair[0], other_id=pair[1], reasons=[])
        session.add(row)
    row.state = "different"
    audit(session, access, "contacts.tell_apart", one, other=str(other))
    await session.flush()


async def _older_first(
    session: WorkspaceSession, one: UUID, other: UUID
) -> tuple[UUID, UUID] | None:
    rows = await session.execute(
        select(Contact.created_at, Contact.id)
        .where(Contact.id.in_((one, other)))
        .order_by(Contact.created_at, Contact.id)
    )
    found: list[tuple[datetime, UUID]] = [(at, ident) for at, ident in rows]
    return (found[0][1], found[1][1]) if len(found) == 2 else None


def reason_words(reasons: Sequence[str]) -> list[Text | Any]:
    """Return what two contacts have in common, in words."""
    return [REASONS.get(each, each) for each in reasons]
