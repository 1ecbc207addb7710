"""What the tests of segments share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conftest import Shop
from hiiki.actions import service as rules
from hiiki.actions.schemas import RuleIn
from hiiki.db import scope
from hiiki.kit.clock import now
from hiiki.rooms import registry
from hiiki.segments import telling
from hiiki.segments.history import Taken, take, watch_of

from .database import bring_fields
from .making import channel, has, person, save, tag


@pytest.fixture(scope="module")
def fields_of_tests() -> Iterator[None]:
    """The road has the fields of the tests, and has them no longer for the tests of others."""
    before = dict(registry.fields)
    bring_fields()
    yield
    registry.fields.clear()
    registry.fields.update(before)


@pytest.fixture
async def mild(shop: Shop) -> dict[str, Any]:
    """Three people, two of whom like it mild; the segment of those, counted once."""
    async with scope(shop.workspace_id) as session:
        word = await tag(session, "甘口")
        account = await channel(session, "渋谷")
        people = [
            await person(session, "a", word, follows=account),
            await person(session, "b", word, blocked=account),
            await person(session, "c", follows=account),
        ]
        segment = await save(session, "甘口", has(word))
        assert await take(session, segment.id) == Taken(2, 1, 0, 0, True)
    return {"tag": word.id, "people": people, "segment": segment, "account": account.id}


@pytest.fixture
async def telling_mild(shop: Shop, mild: dict[str, Any]) -> dict[str, Any]:
    """The same, with its switch on, and a rule that puts a tag on whoever enters."""
    async with scope(shop.workspace_id) as session:
        (await watch_of(session, mild["segment"].id)).tells_since = now()
        assert await take(session, mild["segment"].id) == Taken(2, 1, 0, 0, False)
        mild["met"] = (await tag(session, "迎えた")).id
        given = {
            "name": "入ったら",
            "event_kind": telling.ENTER,
            "event_subject": str(mild["segment"].id),
            "actions": [{"kind": "tag_add", "tag_id": str(mild["met"])}],
        }
        await rules.create_rule(session, RuleIn.model_validate(given))
    return mild
