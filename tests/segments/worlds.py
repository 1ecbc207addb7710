"""Small random worlds, and random rules about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hiiki.segments.conditions import CONDITIONS, MESSAGE_DEEDS
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
LISTS = [ident(f"list{n}") for n in range(2)]
BROADCASTS = [ident(f"broadcast{n}") for n in range(2)]
LINKS = {ident(f"link{n}"): f"broadcast:{BROADCASTS[n % 2]}" for n in range(3)}
COUPON = ident("coupon")
EVENTS = ["link_open", "coupon_use", "sent"]
SUBJECTS = [str(COUPON), *map(str, LINKS), *(f"broadcast:{each}" for each in BROADCASTS)]
SOURCES = ["poster", "fair"]
CELLS = ["loyal", "new"]
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
            TODAY + timedelta(days=1),
            date(2000, 2, 29),
            date(2006, 11, 22),
            date(2006, 11, 23),
            date(1999, 1, 3),
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


FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "test.spent": st.none() | numbers,
    "test.score": st.none() | numbers,
    "test.on": st.none() | days,
    "test.at": st.none() | moments,
    "test.cell": st.none() | st.sampled_from(CELLS),
    "test.alive": st.none() | st.booleans(),
}
FIELD_KINDS = {
    "test.spent": "money",
    "test.score": "number",
    "test.on": "day",
    "test.at": "moment",
    "test.cell": "choice",
    "test.alive": "flag",
}
NOTHING: dict[str, Any] = {"test.spent": Decimal(0), "test.alive": False}


@st.composite
def events(draw: st.DrawFn) -> Happening:
    answers = draw(st.booleans())
    data: dict[str, Any] = {}
    if answers and draw(st.booleans()):
        data["choice_ids"] = draw(st.lists(st.sampled_from(["c1", "c2", "c3"]), unique=True))
    if answers and draw(st.booleans()):
        data["text"] = draw(words)
    if not answers and draw(st.booleans()):
        data["grant"] = f"broadcast:{draw(st.sampled_from(BROADCASTS))}"
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
        Friend(
            channel,
            draw(st.sampled_from(["following", "blocked"])),
            draw(st.none() | moments),
            draw(st.none() | st.sampled_from(SOURCES)),
        )
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
        fields=draw(st.none() | st.fixed_dictionaries(FIELD_VALUES)),
        lists=draw(st.sets(st.sampled_from(LISTS))),
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
        st.sampled_from(["text_is", "text_contains", "text_starts", "text_ends"]),
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
        st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(
            lambda day: {"op": "day_of_year", "month": day.month, "day": day.day}
        ),
        st.tuples(st.integers(0, 365), st.integers(0, 365)).map(
            lambda both: {"op": "anniversary", "low": min(both), "high": max(both)}
        ),
        st.tuples(
            st.sampled_from(["days_ago", "days_ahead"]), st.integers(0, 400), st.integers(0, 400)
        ).map(lambda found: {"op": found[0], "low": min(found[1:]), "high": max(found[1:])}),
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
        st.sampled_from(["choices_any", "choices_all", "choices_none"]),
        st.lists(st.sampled_from(CHOICES), min_size=1, unique=True),
    ),
}
TESTS |= {
    "money": TESTS["number"],
    "day": TESTS["date"],
    "moment": TESTS["date"],
    "flag": st.sampled_from([{"op": "flag_yes"}, {"op": "flag_no"}]),
}
knowing = st.sampled_from([{"op": "known"}, {"op": "unknown"}])
plain_periods = st.one_of(
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


periods = plain_periods | st.builds(
    lambda kind, event, subject: {"kind": kind, "event": event, "subject": subject},
    st.sampled_from(["after_event", "before_event"]),
    st.sampled_from(EVENTS),
    st.sampled_from(["", "", *SUBJECTS]),
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


@st.composite
def field_conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(list(FIELD_KINDS)))
    kind = FIELD_KINDS[field]
    cells = st.lists(st.sampled_from(CELLS), min_size=1, unique=True)
    cell = cells.map(lambda found: {"op": "choice_any", "choices": found})
    test = cell if kind == "choice" else TESTS[kind]
    return {
        "kind": "field",
        "field": field,
        "test": draw(test | knowing),
        "or_unknown": draw(st.booleans()),
    }


tag_conditions = st.builds(
    lambda op, tag_ids: {"kind": "tag", "op": op, "tag_ids": tag_ids},
    st.sampled_from(["has", "has_all", "has_not"]),
    st.lists(st.sampled_from([*TAGS, ident("no such tag")]), min_size=1, unique=True),
)


@st.composite
def friendship_conditions(draw: st.DrawFn) -> dict[str, Any]:
    status = draw(st.sampled_from(["following", "blocked", "either", "never"]))
    found: dict[str, Any] = {
        "kind": "friendship",
        "status": status,
        "channel_id": draw(st.none() | st.sampled_from(CHANNELS)),
    }
    if status != "never":
        found["followed"] = draw(plain_periods)
        found["sources"] = draw(st.just([]) | st.lists(st.sampled_from(SOURCES), unique=True))
        found["on_every"] = found["channel_id"] is None and draw(st.booleans())
    return found


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
def deeds(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "event": draw(st.sampled_from(EVENTS)),
        "subject": draw(st.sampled_from(["", "", *SUBJECTS])),
        "channel_id": draw(st.none() | st.sampled_from(CHANNELS)),
        "value": draw(st.none() | st.none() | TESTS["number"]),
    }


@st.composite
def event_conditions(draw: st.DrawFn) -> dict[str, Any]:
    measure = draw(st.sampled_from(["count", "count", "sum", "max", "min", "average"]))
    amounts = st.integers(0, 4).map(Decimal) if measure == "count" else numbers
    low, high = sorted([draw(amounts), draw(amounts)])
    op = draw(st.sampled_from(["at_least", "at_most", "exactly", "between"]))
    return {
        "kind": "event",
        **draw(deeds()),
        "period": draw(periods),
        "measure": measure,
        "op": op,
        "number": low,
        "high": high if op == "between" else None,
    }


first_or_last_conditions = st.builds(
    lambda deed, which, period: {"kind": "first_or_last", **deed, "which": which, "period": period},
    deeds(),
    st.sampled_from(["first", "last"]),
    periods,
)
sequence_conditions = st.builds(
    lambda first, then, happened, days, period: {
        "kind": "sequence",
        "first": first,
        "then": then,
        "happened": happened,
        "days": days,
        "period": period,
    },
    deeds(),
    deeds(),
    st.booleans(),
    st.none() | st.sampled_from([1, 3, 10]),
    plain_periods,
)
_abouts = {
    "any": [None],
    "broadcast": BROADCASTS,
    "link": list(LINKS),
    "coupon": [COUPON],
}
_deeds = [(did, about) for did, (_, abouts) in MESSAGE_DEEDS.items() for about in ("any", *abouts)]


@st.composite
def message_conditions(draw: st.DrawFn) -> dict[str, Any]:
    did, about = draw(st.sampled_from(_deeds))
    return {
        "kind": "message",
        "did": did,
        "about": about,
        "about_id": draw(st.sampled_from(_abouts[about])),
        "period": draw(periods),
    }


random_conditions = st.builds(
    lambda seed, both: {"kind": "random", "seed": seed, "low": min(both), "high": max(both)},
    st.sampled_from(["", "春の実験"]),
    st.lists(
        st.sampled_from([Decimal(n) for n in ("0", "10", "33.33", "50", "99.99", "100")]),
        min_size=2,
        max_size=2,
        unique=True,
    ),
)
LEAVES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "tag": tag_conditions,
    "attribute": attribute_conditions(),
    "profile": profile_conditions(),
    "field": field_conditions(),
    "friendship": friendship_conditions(),
    "answer": answer_conditions,
    "event": event_conditions(),
    "first_or_last": first_or_last_conditions,
    "sequence": sequence_conditions,
    "message": message_conditions(),
    "list": st.sampled_from(LISTS).map(lambda found: {"kind": "list", "list_id": found}),
    "random": random_conditions,
    "everyone": st.just({"kind": "everyone"}),
}
assert set(LEAVES) | {"segment"} == set(CONDITIONS), "every kind of condition is drawn"


def rules(
    segments: int = len(SEGMENTS), depth: int = 5, kinds: Iterable[str] = LEAVES
) -> st.SearchStrategy[dict[str, Any]]:
    """Return rules that may refer to the first `segments` segments."""
    leaves = [LEAVES[kind] for kind in kinds if kind in LEAVES]
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
