"""The passes over what is known of people: one for each kind of trait.

Each is a statement or a few over one table, grouped in the database; nobody is loaded. What
comes back is as small as the number of different answers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Subquery, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from hiiki.contacts.models import Contact, ContactTag, Friendship, Tag
from hiiki.kit.clock import now
from hiiki.kit.road import Option, road
from hiiki.personas.crowd import MOST_VALUES, Crowd, four, means, total
from hiiki.personas.findings import Four, Trait, Value
from hiiki.timeline.models import Event

DAYS = 90
"""How far back activity is looked at."""
OWN_DOING = ("message", "postback", "link_open", "survey_answer", "coupon_use", "purchase", "cart")
"""What people do themselves; its hours are theirs."""
HOURS = (6, 9, 12, 15, 18, 21)
"""When the parts of a day after the first begin."""
THINGS = (
    ("purchase_item", "product"),
    ("purchase", "store"),
    ("coupon_use", "coupon"),
    ("link_open", "link"),
)
"""Kinds of event whose subject tells something of a person, and the picker that names it."""
OLDEST = 80
"""The last band of ages begins here."""


def everybody(crowd: Crowd, *columns: ColumnElement[Any]) -> Subquery:
    """Return everybody of the workspace, with these columns of `Contact`."""
    return (
        select(Contact.id.label("contact_id"), *columns)
        .where(Contact.workspace_id == crowd.session.workspace_id)
        .subquery("person")
    )


async def people(crowd: Crowd) -> Four:
    """Count who is asked about."""
    [row] = await crowd.rows(everybody(crowd), [])
    return four(row, 0)


async def tags(crowd: Crowd) -> list[Trait]:
    """Tags; of everybody it is known whether they have one."""
    source = (
        select(ContactTag.contact_id, ContactTag.tag_id)
        .where(ContactTag.workspace_id == crowd.session.workspace_id)
        .subquery("tagged")
    )
    rows = await crowd.rows(source, [source.c.tag_id], most=MOST_VALUES)
    named = await crowd.session.execute(select(Tag.id, Tag.name))
    names = {row[0]: row[1] for row in named}
    values = [
        Value(value=str(row[0]), label=names.get(row[0], ""), counts=four(row, 1)) for row in rows
    ]
    return [Trait(key="tag", kind="several", known=await people(crowd), values=values)]


async def profile(crowd: Crowd) -> list[Trait]:
    """Prefecture, language, age and whether they have bought."""
    age = cast(func.date_part("year", func.age(literal(crowd.today), Contact.birthday)), Integer)
    source = everybody(
        crowd,
        func.nullif(Contact.prefecture, "").label("prefecture"),
        func.nullif(Contact.language, "").label("language"),
        case((age >= OLDEST, OLDEST), else_=age // 10 * 10).label("age_band"),
        age.label("age"),
        Contact.is_purchaser.label("purchaser"),
    )
    found: list[Trait] = []
    for name in ("prefecture", "language", "age_band", "purchaser"):
        column = source.c[name]
        rows = await crowd.rows(source, [column], where=[column.is_not(None)])
        values = [Value(value=_plain(row[0]), counts=four(row, 1)) for row in rows]
        found.append(one_of(f"profile:{name}", values))
    [row] = await crowd.rows(source, [], where=[source.c.age.between(0, 130)], numbers=source.c.age)
    found.append(Trait(key="profile:age", known=four(row, 0), means=means(row, 0), unit="years"))
    return found


def one_of(key: str, values: list[Value], label: str = "") -> Trait:
    """Return a trait of which each person has one value, the most frequent values first."""
    known = total([value.counts for value in values])
    ranked = sorted(values, key=lambda value: (-value.counts[0], value.value))[:MOST_VALUES]
    return Trait(key=key, label=label, known=known, values=ranked)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def friendship(crowd: Crowd) -> list[Trait]:
    """Where they came from, and whether they follow: of the account they joined last."""
    source = (
        select(
            Friendship.contact_id,
            func.nullif(Friendship.source, "").label("source"),
            Friendship.status.label("standing"),
        )
        .ext(distinct_on(Friendship.contact_id))
        .where(Friendship.workspace_id == crowd.session.workspace_id)
        .order_by(
            Friendship.contact_id,
            (Friendship.status == "following").desc(),
            Friendship.followed_at.desc().nulls_last(),
            Friendship.channel_id,
        )
        .subquery("friend")
    )
    found: list[Trait] = []
    for name in ("source", "standing"):
        column = source.c[name]
        rows = await crowd.rows(source, [column], where=[column.is_not(None)])
        values = [Value(value=str(row[0]), counts=four(row, 1)) for row in rows]
        found.append(one_of(f"friendship:{name}", values))
    return found


async def activity(crowd: Crowd) -> list[Trait]:
    """The part of the day and the day of the week in which each person is most often active."""
    local = func.timezone(crowd.zone.key, Event.at)
    hour = cast(func.date_part("hour", local), Integer)
    part = func.width_bucket(hour, list(HOURS))
    weekday = cast(func.date_part("isodow", local), Integer)
    kinds = [kind for kind in OWN_DOING if kind in road().events]
    source = (
        select(
            Event.contact_id,
            func.mode().within_group(part).label("hour"),
            func.mode().within_group(weekday).label("weekday"),
        )
        .where(
            Event.workspace_id == crowd.session.workspace_id,
            Event.kind.in_(kinds),
            Event.at >= now() - timedelta(days=DAYS),
        )
        .group_by(Event.contact_id)
        .subquery("active")
    )
    rows = await crowd.rows(source, [source.c.hour, source.c.weekday])
    found: list[Trait] = []
    for place, name in enumerate(("hour", "weekday")):
        counts: dict[str, list[Four]] = {}
        for row in rows:
            counts.setdefault(str(row[place]), []).append(four(row, 2))
        values = [Value(value=value, counts=total(some)) for value, some in counts.items()]
        found.append(one_of(f"activity:{name}", values))
    return found


async def things(crowd: Crowd) -> list[Trait]:
    """What they bought and used, by the subjects of events; who did not is known not to have."""
    kinds = {kind: picker for kind, picker in THINGS if kind in road().events}
    source = (
        select(Event.contact_id, Event.kind, Event.subject)
        .distinct()
        .where(
            Event.workspace_id == crowd.session.workspace_id,
            Event.kind.in_(kinds),
            Event.subject != "",
        )
        .subquery("done")
    )
    rows = await crowd.rows(source, [source.c.kind, source.c.subject])
    known = await people(crowd) if rows else (0, 0, 0, 0)
    found: list[Trait] = []
    for kind, picker in kinds.items():
        mine = [row for row in rows if row[0] == kind]
        if not mine:
            continue
        names = await labels(crowd, picker)
        values = [
            Value(value=row[1], label=names.get(row[1], ""), counts=four(row, 2)) for row in mine
        ]
        values.sort(key=lambda value: (-value.counts[0], value.value))
        found.append(
            Trait(key=f"done:{kind}", kind="several", known=known, values=values[:MOST_VALUES])
        )
    return found


async def labels(crowd: Crowd, picker: str) -> dict[str, str]:
    """Return value → words of what a picker offers."""
    known = road().pickers.get(picker)
    options: list[Option] = list(await known.options(crowd.session)) if known else []
    return {option.value: option.label for option in options}
