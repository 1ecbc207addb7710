"""The compiler against the oracle: random rules over random worlds, every contact asked."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from conftest import Shop
from hiiki.db import scope
from hiiki.segments.compiler import compile_rule
from hiiki.segments.predicates import Frame

from .oracle import Oracle
from .worlds import NOW, SEGMENTS, ZONE, World, lay_ground, read, rules, settle, worlds

_ground: set[Any] = set()


@settings(
    max_examples=250,
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
    oracle = Oracle(NOW, ZONE, segments)
    async with scope(shop.workspace_id) as session:
        for data in typed:
            rule = read(data)
            frame = Frame(shop.workspace_id, NOW, ZONE, segments)
            found = (await session.scalars(compile_rule(rule, frame))).all()
            expected = {each.id for each in world.people if oracle.contains(rule, each)}
            note(str(compile_rule(rule, frame)))
            assert set(found) == expected
            assert len(found) == len(expected), "nobody is in twice"
            for each in [*world.people, *world.strangers]:
                alone = Frame(shop.workspace_id, NOW, ZONE, segments, contact_id=each.id)
                member = await session.scalar(compile_rule(rule, alone))
                assert (member == each.id) == (each.id in expected)
