"""The compiler against the oracle: random rules over random worlds, every contact asked."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import select

from conftest import Shop
from hiiki.contacts.models import Friendship
from hiiki.db import scope
from hiiki.segments import service
from hiiki.segments.compiler import asked_of, compile_rule
from hiiki.segments.people import columns_of
from hiiki.segments.predicates import Frame

from .database import lay_ground, settle
from .oracle import Friend, Happening, Oracle, Person
from .worlds import (
    CHANNELS,
    LINKS,
    NOTHING,
    NOW,
    QUESTIONS,
    SEGMENTS,
    ZONE,
    World,
    ident,
    read,
    rules,
    worlds,
)

pytestmark = pytest.mark.usefixtures("fields_of_tests")
_ground: set[Any] = set()
BY_HAND = {"scoped_by_hand": True}


class Shown:
    """A statement that is put into words only if somebody reads them."""

    def __init__(self, statement: object) -> None:
        self.statement = statement

    def __repr__(self) -> str:
        return str(self.statement)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    world=worlds(),
    typed=st.lists(rules(), min_size=1, max_size=3),
    # The second segment may refer to the first.
    first=rules(segments=0, depth=2),
    second=rules(segments=1, depth=2),
)
async def test_the_statement_says_what_the_oracle_says(
    shop: Shop,
    other_shop: Shop,
    world: World,
    typed: list[dict[str, Any]],
    first: dict[str, Any],
    second: dict[str, Any],
) -> None:
    if shop.workspace_id not in _ground:
        await lay_ground(shop.workspace_id)
        _ground.add(shop.workspace_id)
    await settle(world, shop.workspace_id, other_shop.workspace_id)
    segments = dict(zip(SEGMENTS, [read(first), read(second)], strict=True))
    oracle = Oracle(NOW, ZONE, segments, CHANNELS, NOTHING, LINKS)
    async with scope(shop.workspace_id) as session:
        frame = Frame(shop.workspace_id, NOW, ZONE, segments)
        for data in typed:
            rule = read(data)
            statement = compile_rule(rule, frame)
            note(Shown(statement))
            found = (await session.scalars(statement)).all()
            assert set(found) == {each.id for each in world.people if oracle.contains(rule, each)}
            assert len(found) == len(set(found)), "nobody is in twice"
        rule = read(typed[0])
        for each in [*world.people, *world.strangers]:
            alone = replace(frame, contact_ids=[each.id])
            member = await session.scalar(compile_rule(rule, alone))
            is_in = each in world.people and oracle.contains(rule, each)
            assert (member == each.id) == is_in
        # Who of them is reached: asked of the friends of one account, and counted with all.
        members = {each.id for each in world.people if oracle.contains(rule, each)}
        for channel_id in (CHANNELS[0], None):
            friends = {
                each.id
                for each in world.people
                for friend in each.friendships
                if friend.status == "following" and channel_id in (friend.channel, None)
            }
            counted = await session.execute(
                service.counting(rule, frame, channel_id), execution_options=BY_HAND
            )
            assert tuple(counted.one()) == (len(members), len(members & friends))
        row = columns_of(Friendship)
        asked = select(row.contact_id).where(
            row.workspace_id == shop.workspace_id, *asked_of(rule, frame, row.contact_id)
        )
        found = (await session.scalars(asked, execution_options=BY_HAND)).all()
        befriended = {each.id for each in world.people if each.friendships}
        assert set(found) == members & befriended


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    world=worlds(),
    typed=st.lists(
        rules(segments=0, depth=2, kinds=("field", "attribute", "friendship")),
        min_size=8,
        max_size=8,
    ),
)
async def test_what_is_asked_of_one_row_at_once(
    shop: Shop, other_shop: Shop, world: World, typed: list[dict[str, Any]]
) -> None:
    """Conditions about one row are put together, inside and outside, in AND and in OR."""
    if shop.workspace_id not in _ground:
        await lay_ground(shop.workspace_id)
        _ground.add(shop.workspace_id)
    await settle(world, shop.workspace_id, other_shop.workspace_id)
    frame = Frame(shop.workspace_id, NOW, ZONE, {})
    oracle = Oracle(NOW, ZONE, {}, CHANNELS, NOTHING, LINKS)
    async with scope(shop.workspace_id) as session:
        for data in typed:
            rule = read(data)
            statement = compile_rule(rule, frame)
            note(Shown(statement))
            found = (await session.scalars(statement)).all()
            assert set(found) == {each.id for each in world.people if oracle.contains(rule, each)}


async def test_stretches_of_time_to_the_microsecond_and_days_of_the_shop(
    shop: Shop, other_shop: Shop
) -> None:
    """The edges, which random worlds hit too seldom: three days ago, and midnight in Tokyo."""
    await lay_ground(shop.workspace_id)
    tick = timedelta(microseconds=1)
    midnight = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
    edges = [NOW - timedelta(days=3) + n * tick for n in (-1, 0, 1)]
    edges += [midnight - tick, midnight, midnight + timedelta(days=1)]
    people = [
        Person(
            ident(f"edge{n}"),
            {"display_name": ""},
            friendships=[Friend(CHANNELS[0], "following", at)],
            events=[Happening(at, "link_open", "", None, None, {}, ident(f"event{n}"))],
        )
        for n, at in enumerate(edges)
    ]
    await settle(World(people, [], []), shop.workspace_id, other_shop.workspace_id)
    periods = {
        (2, 3, 4, 5): {"kind": "recent", "days": 3},
        (0, 1): {"kind": "earlier", "days": 3},
        (4,): {"kind": "dates", "first": "2026-11-22", "until": "2026-11-22"},
        (4, 5): {"kind": "dates", "first": "2026-11-22"},
        (0, 1, 2, 3): {"kind": "dates", "until": "2026-11-21"},
    }
    async with scope(shop.workspace_id) as session:
        for expected, period in periods.items():
            for data in (
                {"kind": "event", "event": "link_open", "period": period},
                {"kind": "friendship", "followed": period},
            ):
                rule = read(data)
                found = await session.scalars(
                    compile_rule(rule, Frame(shop.workspace_id, NOW, ZONE, {}))
                )
                assert set(found) == {people[n].id for n in expected}, data
                oracle = Oracle(NOW, ZONE, {})
                assert {p.id for p in people if oracle.contains(rule, p)} == {
                    people[n].id for n in expected
                }


async def test_of_two_answers_at_one_moment_the_later_recorded_counts(
    shop: Shop, other_shop: Shop
) -> None:
    await lay_ground(shop.workspace_id)
    question = str(QUESTIONS[0])
    answers = [
        Happening(NOW, "survey_answer", question, None, None, {"choice_ids": [choice]}, UUID(int=n))
        for n, choice in ((2, "c2"), (3, "c3"), (1, "c1"))
    ]
    person = Person(ident("person"), {"display_name": ""}, events=answers)
    await settle(World([person], [], []), shop.workspace_id, other_shop.workspace_id)
    async with scope(shop.workspace_id) as session:
        for choice, any_time in itertools.product(("c1", "c2", "c3"), (False, True)):
            rule = read(
                {
                    "kind": "answer",
                    "question_id": question,
                    "choice_ids": [choice],
                    "any_time": any_time,
                }
            )
            found = await session.scalars(
                compile_rule(rule, Frame(shop.workspace_id, NOW, ZONE, {}))
            )
            assert bool(found.all()) == (choice == "c3" or any_time)
