"""Small random worlds, and random rules about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hiiki.segments.rules import AnyRule, read_rule

from .oracle import Friend, Happening, Person

SPACE = UUID("5e9a3e6c-0000-4000-8000-000000000000")
ZONE = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
"""Half past midnight on the 22nd in Tokyo: the two days differ on purpose."""
TODAY = date(2026, 11, 22)


def ident(name: str) -> UUID:
    """Return an id that is the same in every run."""
    return uuid5(SPACE, name)


TAGS = [ident(f"tag{n}") for n in range(3)]
CHANNELS = [ident(f"channel{n}") for n in range(2)]
QUESTIONS = [ident(f"question{n}") for n in range(2)]
SEGMENTS = [ident(f"segment{n}") for n in range(2)]
KINDS = ("text", "number", "date", "choice", "choices")
ATTRIBUTES = {kind: ident(f"attribute-{kind}") for kind in KINDS}
CHOICES = ["甘口", "中辛", "辛口"]
WORDS = ["カレー", "カレー南蛮", "a_b", "A%B", "axb", "x\\y", "", "é"]
EVENTS = ["link_open", "coupon_use"]
SUBJECTS = ["spring", "autumn"]
COLUMN = {"date": "day"}

# Moments and days around the edges of what the rules can ask for.
moments = st.one_of(
    st.sampled_from(
        [
            NOW - timedelta(days=3),
            NOW - timedelta(days=3, microseconds=1),
            NOW - timedelta(days=3, microseconds=-1),
            datetime(2026, 11, 21, 14, 59, 59, tzinfo=UTC),
            datetime(2026, 11, 21, 15, 0, tzinfo=UTC),
            datetime(2026, 11, 19, 15, 0, tzinfo=UTC),
        ]
    ),
    st.integers(0, 20 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
)
days = st.one_of(
    st.sampled_from(
        [
            TODAY,
            TODAY - timedelta(days=1),
            date(2000, 2, 29),
            date(2006, 11, 22),
            date(2006, 11, 23),
        ]
    ),
    st.dates(date(1990, 1, 1), date(2026, 12, 31)),
)
numbers = st.sampled_from([Decimal(n) for n in ("-3", "0", "1", "2", "2.5", "10")])
words = st.sampled_from(WORDS)
some_words = st.sampled_from([word for word in WORDS if word] + ["_", "%", "\\", "カ", "X"])

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": words,
    "number": numbers,
    "date": days,
    "choice": st.sampled_from(CHOICES),
    "choices": st.lists(st.sampled_from(CHOICES), unique=True),
}


@st.composite
def events(draw: st.DrawFn) -> Happening:
    answers = draw(st.booleans())
    data: dict[str, Any] = {}
    if answers and draw(st.booleans()):
        data["choice_ids"] = draw(st.lists(st.sampled_from(["c1", "c2", "c3"]), unique=True))
    if answers and draw(st.booleans()):
        data["text"] = draw(words)
    return Happening(
        at=draw(moments),
        kind="survey_answer" if answers else draw(st.sampled_from(EVENTS)),
        subject=str(draw(st.sampled_from(QUESTIONS)))
        if answers
        else draw(st.sampled_from([*SUBJECTS, ""])),
        value=draw(st.none() | numbers),
        channel=draw(st.none() | st.sampled_from(CHANNELS)),
        data=data,
        id=draw(st.uuids(version=4)),
    )


@st.composite
def people(draw: st.DrawFn, name: str) -> Person:
    maybe = st.none() | words
    profile = {
        "display_name": draw(words),
        "real_name": draw(maybe),
        "prefecture": draw(st.none() | st.sampled_from(["東京都", "北海道", ""])),
        "email": draw(maybe),
        "phone": draw(maybe),
        "language": draw(maybe),
        "birthday": draw(st.none() | days),
        "is_purchaser": draw(st.booleans()),
    }
    values = {ATTRIBUTES[kind]: draw(VALUES[kind]) for kind in KINDS if draw(st.booleans())}
    friends = [
        Friend(channel, draw(st.sampled_from(["following", "blocked"])), draw(st.none() | moments))
        for channel in CHANNELS
        if draw(st.booleans())
    ]
    return Person(
        id=ident(name),
        profile=profile,
        tags=draw(st.sets(st.sampled_from(TAGS))),
        values=values,
        friendships=friends,
        events=draw(st.lists(events(), max_size=5)),
    )


@dataclass
class World:
    """Who is in the workspace, and what the other workspace says of the very same people.

    What is in `foreign` has the other workspace's id on every row, with this workspace's
    contacts, tags, attributes and channels in it: no rule may see any of it.
    """

    people: list[Person]
    foreign: list[Person]
    strangers: list[Person]
    """The other workspace's own contacts."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    n = draw(st.integers(1, 4))
    mine = [draw(people(f"person{each}")) for each in range(n)]
    foreign = [draw(people(person)) for person in draw(st.sampled_from([[], ["person0"]]))]
    strangers = [draw(people(f"stranger{each}")) for each in range(draw(st.integers(0, 2)))]
    return World(mine, foreign, strangers)


# --- rules ------------------------------------------------------------------------------

TESTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "text": st.builds(
        lambda op, text: {"op": op, "text": text},
        st.sampled_from(["text_is", "text_contains", "text_starts"]),
        some_words,
    ),
    "number": st.one_of(
        st.builds(
            lambda op, number: {"op": op, "number": number},
            st.sampled_from(
                [
                    "number_is",
                    "number_above",
                    "number_at_least",
                    "number_below",
                    "number_at_most",
                ]
            ),
            numbers,
        ),
        st.tuples(numbers, numbers).map(
            lambda both: {"op": "number_between", "low": min(both), "high": max(both)}
        ),
    ),
    "date": st.one_of(
        st.builds(
            lambda op, day: {"op": op, "day": day},
            st.sampled_from(["day_on", "day_before", "day_after"]),
            days,
        ),
        st.tuples(days, days).map(
            lambda both: {"op": "day_between", "first": min(both), "until": max(both)}
        ),
        st.integers(0, 12).map(lambda month: {"op": "day_month", "month": month}),
        st.tuples(st.integers(0, 400), st.integers(0, 400)).map(
            lambda both: {"op": "days_ago", "low": min(both), "high": max(both)}
        ),
        st.tuples(st.integers(0, 40), st.integers(0, 40)).map(
            lambda both: {"op": "years_ago", "low": min(both), "high": max(both)}
        ),
        st.just({"op": "years_ago", "low": 20, "high": 20}),
    ),
    "choice": st.lists(st.sampled_from(CHOICES), min_size=1, unique=True).map(
        lambda choices: {"op": "choice_any", "choices": choices}
    ),
    "choices": st.builds(
        lambda op, choices: {"op": op, "choices": choices},
        st.sampled_from(["choices_any", "choices_all"]),
        st.lists(st.sampled_from(CHOICES), min_size=1, unique=True),
    ),
}
knowing = st.sampled_from([{"op": "known"}, {"op": "unknown"}])
periods = st.one_of(
    st.just({"kind": "ever"}),
    st.builds(
        lambda kind, days: {"kind": kind, "days": days},
        st.sampled_from(["recent", "earlier"]),
        st.sampled_from([1, 3, 10]),
    ),
    st.tuples(
        st.integers(0, 20), st.integers(0, 20), st.sampled_from(["both", "first", "until"])
    ).map(lambda found: _dates(*found)),
)


def _dates(one: int, other: int, which: str) -> dict[str, Any]:
    first, until = TODAY - timedelta(days=max(one, other)), TODAY - timedelta(days=min(one, other))
    found: dict[str, Any] = {"kind": "dates"}
    if which != "until":
        found["first"] = first
    if which != "first":
        found["until"] = until
    return found


@st.composite
def attribute_conditions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    return {
        "kind": "attribute",
        "attribute_id": ATTRIBUTES[kind],
        "test": draw(TESTS[kind] | knowing),
        "or_unknown": draw(st.booleans()),
    }


@st.composite
def profile_conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(
        st.sampled_from(
            [
                "display_name",
                "real_name",
                "prefecture",
                "birthday",
                "email",
                "phone",
                "language",
                "is_purchaser",
            ]
        )
    )
    if field == "is_purchaser":
        test = draw(st.sampled_from([{"op": "flag_yes"}, {"op": "flag_no"}]))
    elif field == "birthday":
        test = draw(TESTS["date"] | knowing)
    elif field == "prefecture":
        choices = st.lists(st.sampled_from(["東京都", "北海道"]), min_size=1, unique=True)
        test = draw(knowing | choices.map(lambda found: {"op": "choice_any", "choices": found}))
    else:
        test = draw(TESTS["text"] | knowing)
    return {"kind": "profile", "field": field, "test": test, "or_unknown": draw(st.booleans())}


tag_conditions = st.builds(
    lambda op, tag_ids: {"kind": "tag", "op": op, "tag_ids": tag_ids},
    st.sampled_from(["has", "has_all", "has_not"]),
    st.lists(st.sampled_from([*TAGS, ident("no such tag")]), min_size=1, unique=True),
)
friendship_conditions = st.builds(
    lambda status, channel, followed: {
        "kind": "friendship",
        "status": status,
        "channel_id": channel,
        "followed": followed,
    },
    st.sampled_from(["following", "blocked", "either"]),
    st.none() | st.sampled_from(CHANNELS),
    periods,
)
answer_conditions = st.builds(
    lambda question, op, choices, text, any_time: {
        "kind": "answer",
        "question_id": question,
        "op": op,
        "choice_ids": choices if op == "choices" else [],
        "text": text if op == "contains" else "",
        "any_time": any_time,
    },
    st.sampled_from(QUESTIONS),
    st.sampled_from(["answered", "choices", "contains"]),
    st.lists(st.sampled_from(["c1", "c2", "c3"]), min_size=1, unique=True),
    some_words,
    st.booleans(),
)


@st.composite
def event_conditions(draw: st.DrawFn) -> dict[str, Any]:
    measure = draw(st.sampled_from(["count", "count", "sum", "max"]))
    number = draw(st.integers(0, 4).map(Decimal) if measure == "count" else numbers)
    return {
        "kind": "event",
        "event": draw(st.sampled_from(EVENTS)),
        "subject": draw(st.sampled_from(["", *SUBJECTS])),
        "channel_id": draw(st.none() | st.sampled_from(CHANNELS)),
        "period": draw(periods),
        "measure": measure,
        "op": draw(st.sampled_from(["at_least", "at_most", "exactly"])),
        "number": number,
    }


def rules(segments: int = len(SEGMENTS), depth: int = 5) -> st.SearchStrategy[dict[str, Any]]:
    """Return rules that may refer to the first `segments` segments."""
    leaves: list[st.SearchStrategy[dict[str, Any]]] = [
        tag_conditions,
        attribute_conditions(),
        profile_conditions(),
        friendship_conditions,
        answer_conditions,
        event_conditions(),
        st.just({"kind": "everyone"}),
    ]
    if segments:
        leaves.append(
            st.sampled_from(SEGMENTS[:segments]).map(
                lambda segment: {"kind": "segment", "segment_id": segment}
            )
        )
    found = st.one_of(leaves)
    for _ in range(depth):
        found = st.one_of(st.one_of(leaves), _groups(found))
    return _groups(found) | found


def _groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(
            lambda kind, found: {"kind": kind, "rules": found},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(
            lambda found, or_unknown: {"kind": "not", "rule": found, "or_unknown": or_unknown},
            inner,
            st.booleans(),
        ),
    )


def read(data: dict[str, Any]) -> AnyRule:
    """Return a drawn rule as the application reads it."""
    return read_rule(data)
