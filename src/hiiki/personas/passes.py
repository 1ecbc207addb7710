"""The passes over what is known of people: one for each kind of trait.

Each is a statement or a few over one table, grouped in the database; nobody is loaded. What
comes back is as small as the number of different answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Subquery, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from hiiki.contacts.models import Contact, ContactTag, Friendship, Tag
from hiiki.kit.clock import now
from hiiki.kit.road import Option, road
from hiiki.personas.crowd import MOST_VALUES, Crowd, four, moments_of, total
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
OLDEST_EVER = 130
"""Who would be older has mistyped the year."""


def everybody(crowd: Crowd, *columns: ColumnElement[Any]) -> Subquery:
    """Return everybody of the workspace, with these columns of `Contact`."""
    return (
        select(Contact.id.label("contact_id"), *columns)
        .where(Contact.workspace_id == crowd.session.workspace_id)
        .subquery("person")
    )


async def people(crowd: Crowd) -> Four:
    """Count who is asked about."""

    async def ask() -> Four:
        [row] = await crowd.rows(everybody(crowd), [])
        return four(row, 0)

    return await crowd.session.once("personas.people", ask)


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
    source = everybody(
        crowd,
        func.nullif(Contact.prefecture, "").label("prefecture"),
        func.nullif(Contact.language, "").label("language"),
        Contact.is_purchaser.label("purchaser"),
        cast(
            func.date_part("year", func.age(literal(crowd.today), Contact.birthday)), Integer
        ).label("age"),
    )
    names = ("prefecture", "language", "purchaser")
    rows = await crowd.rows(source, [source.c[name] for name in names])
    found = [
        one_of(f"profile:{name}", values_at(rows, place, len(names)))
        for place, name in enumerate(names)
    ]
    ages = await crowd.rows(source, [source.c.age], where=[source.c.age.is_not(None)])
    bands: dict[str, list[Four]] = {}
    for row in ages:
        bands.setdefault(str(min(row[0] // 10 * 10, OLDEST)), []).append(four(row, 1))
    values = [Value(value=value, counts=total(some)) for value, some in bands.items()]
    found.append(one_of("profile:age_band", values))
    likely = [(row[0], four(row, 1)) for row in ages if 0 <= row[0] <= OLDEST_EVER]
    found.append(
        Trait(
            key="profile:age",
            known=total([counts for _age, counts in likely]),
            means=moments_of(likely),
            unit="years",
        )
    )
    return found


def values_at(rows: Sequence[Any], place: int, keys: int) -> list[Value]:
    """Return what stands at one of the keys of counted rows, each with its counts added up; of
    whom it is not known (NULL) is left out."""
    counts: dict[str, list[Four]] = {}
    for row in rows:
        if row[place] is not None:
            counts.setdefault(_plain(row[place]), []).append(four(row, keys))
    return [Value(value=value, counts=total(some)) for value, some in counts.items()]


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
    names = ("source", "standing")
    rows = await crowd.rows(source, [source.c[name] for name in names])
    return [
        one_of(f"friendship:{name}", values_at(rows, place, len(names)))
        for place, name in enumerate(names)
    ]


async def activity(crowd: Crowd) -> list[Trait]:
    """The part of the day and the day of the week in which each person is most often active."""
    local = func.timezone(crowd.zone.key, Event.at)
    hour = cast(func.date_part("hour", local), Integer)
    part = func.width_bucket(hour, list(HOURS))
    weekday = cast(func.date_part("isodow", local), Integer)
    kinds = [kind for kind in OWN_DOING if kind in road().events]
    # Grouped first, or the hour of each event would be found for each of the hours anew.
    events = (
        select(
            Event.contact_id,
            part.label("hour"),
            weekday.label("weekday"),
            cast(func.count(), Integer).label("n"),
        )
        .where(
            Event.workspace_id == crowd.session.workspace_id,
            Event.kind.in_(kinds),
            Event.at >= now() - timedelta(days=DAYS),
        )
        .group_by(Event.contact_id, part, weekday)
        .subquery("event")
    )
    source = (
        select(
            events.c.contact_id,
            _most_often(events.c.hour, events.c.n, range(len(HOURS) + 1)).label("hour"),
            _most_often(events.c.weekday, events.c.n, range(1, 8)).label("weekday"),
        )
        .group_by(events.c.contact_id)
        .subquery("active")
    )
    rows = await crowd.rows(source, [source.c.hour, source.c.weekday])
    return [
        one_of(f"activity:{name}", values_at(rows, place, 2))
        for place, name in enumerate(("hour", "weekday"))
    ]


def _most_often(
    column: ColumnElement[Any], n: ColumnElement[Any], of: Sequence[int]
) -> ColumnElement[int]:
    """Return which of these values a column has most often, the least of several such; each row
    stands for `n`.

    As `mode()` does, which sorts the rows: with a million people that is most of the work.
    """
    counts = [func.sum(n).filter(column == value) for value in of]
    most = func.greatest(*counts)
    return case(*((count == most, value) for count, value in zip(counts, of, strict=True)))


async def things(crowd: Crowd) -> list[Trait]:
    """What they bought and used, by the subjects of events; who did not is known not to have."""
    kinds = {kind: picker for kind, picker in THINGS if kind in road().events}
    found: list[Trait] = []
    for kind, picker in kinds.items():
        # Kind by kind, as the index has people in order then.
        source = (
            select(Event.contact_id, Event.subject)
            .distinct()
            .where(
                Event.workspace_id == crowd.session.workspace_id,
                Event.kind == kind,
                Event.subject != "",
            )
            .subquery("done")
        )
        rows = await crowd.rows(source, [source.c.subject], most=MOST_VALUES)
        if rows:
            names = await labels(crowd, picker)
            values = [
                Value(value=row[0], label=names.get(row[0], ""), counts=four(row, 1))
                for row in rows
            ]
            found.append(
                Trait(key=f"done:{kind}", kind="several", known=await people(crowd), values=values)
            )
    return found


async def labels(crowd: Crowd, picker: str) -> dict[str, str]:
    """Return value → words of what a picker offers."""
    known = road().pickers.get(picker)
    options: list[Option] = list(await known.options(crowd.session)) if known else []
    return {option.value: option.label for option in options}
