"""A persona from the form to the page, and to programs."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from conftest import Shop, scope
from console import Console, console
from hiiki.contacts.models import Contact, Tag
from hiiki.content.models import Media
from hiiki.kit.clock import now
from hiiki.kit.ids import code
from hiiki.personas import service
from hiiki.personas.models import Reading
from hiiki.personas.reading import STEPS, read
from hiiki.segments.models import Segment

from .test_figures import people, settle


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


async def read_all(shop: Shop) -> None:
    """Do what a worker does."""
    async with scope(shop.workspace_id) as session:
        waiting = list(await session.scalars(select(Reading.id).where(Reading.state == "waiting")))
    for ident in waiting:
        await read(shop.workspace_id, ident)


async def test_a_personas_life(shop: Shop, other_shop: Shop, app: Console) -> None:
    ids = await settle(shop, people(random.Random(5), 200))
    foreign = await settle(other_shop, people(random.Random(5), 3))
    owner, api = await app.person(shop), await app.program(shop)
    assert "まだペルソナがありません" in (await owner.get("/personas")).text
    async with scope(shop.workspace_id) as session:
        image = Media(
            key=code(), name="佐藤さん", content_type="image/png", width=1, height=1, size=1,
            body=b"x", preview=b"x",
        )  # fmt: skip
        session.add(image)
    form = {"name": "辛口の佐藤さん", "subject": ids["hot"], "media_id": str(image.id)}
    for wrong, said in (
        ({"subject": foreign["hot"]}, "削除されています"),
        ({"subject": "nonsense"}, "対象を選んでください"),
        ({"against": ids["hot"]}, "別のグループ"),
        ({"name": ""}, "入力してください"),
        ({"media_id": str(uuid.uuid4())}, "画像はすでに削除"),
    ):
        refused = await owner.form("/personas/new", {**form, **wrong})
        assert refused.status_code == 422
        assert said in refused.text, wrong
    made = await owner.form("/personas/new", form)
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    waiting = await owner.get(here)
    assert 'hx-trigger="every 1s"' in waiting.text
    assert "分析しています" in (await owner.get(f"{here}/progress")).text
    assert (await owner.form(f"{here}/read")).status_code == 409
    await read_all(shop)
    assert (await owner.get(f"{here}/progress")).headers["hx-refresh"] == "true"
    shown = await owner.get(here)
    assert shown.status_code == 200, shown.text
    assert "この人たちには、" in shown.text
    assert "都道府県「東京都」" in shown.text
    assert image.key in shown.text
    assert f"/media/{image.key}" in (await owner.get("/personas")).text
    english = await app.person(shop, locale="en")
    assert "Of these people, more than elsewhere" in (await english.get(here)).text

    # A second reading, after something has changed, says what.
    async with scope(shop.workspace_id) as session:
        for person in await session.scalars(select(Contact).where(Contact.prefecture == "大阪府")):
            person.prefecture = "沖縄県"
    assert (await owner.form(f"{here}/read")).status_code == 303
    await read_all(shop)
    assert "からの変化" in (await owner.get(here)).text
    persona = here.rpartition("/")[2]
    readings = (await api.get(f"/api/v1/personas/{persona}/readings")).json()
    assert [(one["state"], one["step"]) for one in readings] == [("done", STEPS)] * 2
    full = (await api.get(f"/api/v1/personas/{persona}/readings/{readings[0]['id']}")).json()
    tokyo = next(one for one in full["shares"] if one["label"] == "東京都")
    assert tokyo["is_certain"]
    assert tokyo["before"] == pytest.approx(tokyo["share"])
    assert tokyo["low"] < tokyo["share"] < tokyo["high"]
    assert (await owner.get(f"{here}?reading={readings[1]['id']}")).status_code == 200
    assert (await owner.get(f"{here}?reading={uuid.uuid4()}")).status_code == 404

    # The segment is held, and a renamed persona keeps its readings; one of others does not.
    segment = ids["hot"].partition(":")[2]
    assert (await owner.form(f"/segments/{segment}/delete")).status_code in (303, 409)
    async with scope(shop.workspace_id) as session:
        assert await session.get(Segment, uuid.UUID(segment)), "the persona needs its segment"
    for changes, left in (({"name": "佐藤さん"}, 2), ({"against": ids["vip"]}, 1)):
        changed = await owner.form(f"{here}/edit", {**form, **changes})
        assert changed.status_code == 303
        async with scope(shop.workspace_id) as session:
            assert await session.scalar(select(func.count()).select_from(Reading)) == left
    await read_all(shop)
    assert "比較対象：vip" in (await owner.get(here)).text
    assert (await owner.form(f"{here}/delete")).status_code == 303
    assert (await api.get("/api/v1/personas")).json() == {"items": [], "next": None}


async def test_a_reading_that_nobody_finishes_can_be_asked_for_anew(
    shop: Shop, app: Console
) -> None:
    ids = await settle(shop, people(random.Random(5), 5))
    owner, api = await app.person(shop), await app.program(shop)
    made = await api.post("/api/v1/personas", json={"name": "p", "subject": ids["hot"]})
    here = f"/personas/{made.json()['id']}"
    async with scope(shop.workspace_id) as session:
        reading = (await session.scalars(select(Reading))).one()
        reading.created_at = now() - service.PATIENCE
    shown = (await owner.get(here)).text
    assert "最新データで分析" in shown
    assert "every 1s" not in shown
    assert (await owner.form(f"{here}/read")).status_code == 303
    assert "every 1s" in (await owner.get(here)).text
    await read_all(shop)
    readings = (await api.get(f"/api/v1{here}/readings")).json()
    assert [one["state"] for one in readings] == ["done", "failed"]
    assert readings[1]["error"] == "分析が途中で止まりました。"


async def test_a_reading_that_cannot_be_says_why(shop: Shop, app: Console) -> None:
    ids = await settle(shop, people(random.Random(5), 5))
    owner, api = await app.person(shop), await app.program(shop)
    made = await api.post("/api/v1/personas", json={"name": "p", "subject": ids["hot"]})
    assert made.status_code == 201, made.text
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Tag, uuid.UUID(ids["tag hot"])))
    await read_all(shop)
    here = f"/api/v1/personas/{made.json()['id']}"
    [failed] = (await api.get(f"{here}/readings")).json()
    assert failed["state"] == "failed"
    assert failed["error"]
    assert "前回の分析に失敗しました" in (await owner.get(f"/personas/{made.json()['id']}")).text
