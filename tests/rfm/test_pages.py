"""The pages and the API of ranks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import select

from conftest import Shop, scope
from console import Client, Console, console
from hiiki.rfm import jobs, ranking
from hiiki.rfm.areas import AREAS, area_of
from hiiki.rfm.models import Scheme
from hiiki.rfm.service import Group, matrix
from hiiki.segments.models import Segment
from hiiki.segments.rules import read_rule
from hiiki.segments.service import count as count_rule
from hiiki.workspace.models import AuditEntry

from .test_ranking import NOON, Bought, Clock, a_world, clock, fill, rank, ranks_of

__all__ = ["clock"]

OWN = {
    "method": "own",
    "days": "",
    "counts": "ever",
    **{f"recency.{place}": str(n) for place, n in enumerate((200, 90, 30, 7))},
    **{f"frequency.{place}": str(n) for place, n in enumerate((2, 3, 4, 6))},
    **{f"monetary.{place}": str(n) for place, n in enumerate((500, 2000, 5000, 20000))},
}


@pytest.fixture
async def app(shop: Shop) -> AsyncIterator[Console]:
    async with console() as running:
        yield running


@pytest.fixture
async def staff(app: Console, shop: Shop) -> Client:
    return await app.person(shop, "operator")


async def test_the_pages_say_what_to_do_first(staff: Client, shop: Shop) -> None:
    first = await staff.get("/rfm")
    assert "まだ集計していません" in first.text
    await rank(shop)
    assert 'href="/imports"' in (await staff.get("/rfm")).text
    for path in ("/rfm/movement", "/rfm/people?area=best", "/rfm/scheme"):
        assert (await staff.get(path)).status_code == 200, path


async def test_b5_from_the_matrix_to_people_a_segment_and_a_broadcast(
    staff: Client, shop: Shop, clock: Clock
) -> None:
    orders = a_world(3)
    await fill(shop, orders, bystanders=4)
    await rank(shop)
    ranks = await ranks_of(shop)
    shown = await staff.get("/rfm")
    (r, f, _m), somebody = next((rank, who) for who, rank in ranks.items())
    assert f'/rfm/people?recency={r}&amp;frequency={f}"' in shown.text
    people = await staff.get(f"/rfm/people?recency={r}&frequency={f}")
    assert f"/friends/{somebody}" in people.text
    # The segment of an area holds the same people as the area.
    area = area_of(r, f)
    inside = {who for who, rank in ranks.items() if area_of(*rank[:2]) == area}
    await staff.form("/rfm/broadcast", {"area": area})
    sent = await staff.form("/rfm/broadcast", {"area": area})  # the segment is there already
    assert sent.status_code == 303, sent.text
    address = urlsplit(sent.headers["location"])
    assert address.path == "/broadcasts/new"
    async with scope(shop.workspace_id) as session:
        [segment] = await session.scalars(select(Segment))
        assert parse_qs(address.query)["segment_id"] == [str(segment.id)]
        counted = await count_rule(session, read_rule(segment.rule))
        assert counted.members == len(inside)
        # Of those who never bought, too.
        asked = service_rule(await ranking.scheme_of(session))
        assert (await count_rule(session, read_rule(asked))).members == 4
    assert (await staff.form("/rfm/broadcast", {"moved_from": "best"})).status_code == 422


async def test_who_never_bought_is_whom_the_matrix_counts(
    staff: Client, shop: Shop, clock: Clock
) -> None:
    """With days that count for ranks alone, a customer of long ago has bought all the same."""
    long_ago = Bought(uuid4(), NOON - timedelta(days=200), 500)
    await fill(shop, [long_ago, Bought(uuid4(), NOON, 500)], bystanders=4)
    for counts, never in (("ever", 4), ("window", 5)):
        async with scope(shop.workspace_id) as session:
            scheme = await ranking.scheme_of(session)
            scheme.days, scheme.counts = 30, counts
        await rank(shop)
        async with scope(shop.workspace_id) as session:
            rule = service_rule(await ranking.scheme_of(session))
            assert (await count_rule(session, read_rule(rule))).members == never
            assert matrix(await ranking.scheme_of(session)).never == never


def service_rule(scheme: Scheme) -> dict[str, object]:
    found = Group(never=True).rule(scheme)
    assert found is not None
    return found


async def test_bounds_are_previewed_refused_and_saved(
    staff: Client, shop: Shop, clock: Clock
) -> None:
    await fill(shop, a_world(4))
    await rank(shop)
    preview = await staff.form("/rfm/scheme/preview", OWN)
    assert "顧客 40人" in preview.text
    assert "200日以内" in preview.text
    wrong = await staff.form(
        "/rfm/scheme", {**OWN, "frequency.1": "2", "days": "0", "names.best": "あ" * 21}
    )
    assert wrong.status_code == 422
    assert "ランクが上がるごとに、大きな値にしてください。" in wrong.text
    assert 'id="f-days-error"' in wrong.text
    assert 'id="f-names-best-error"' in wrong.text
    saved = await staff.form("/rfm/scheme", {**OWN, "names.best": " 上得意 "})
    assert saved.status_code == 303, saved.text
    async with scope(shop.workspace_id) as session:
        scheme = await ranking.scheme_of(session)
        assert (scheme.method, scheme.recency, scheme.names) == (
            "own",
            [200, 90, 30, 7],
            {"best": "上得意"},
        )
        assert jobs.is_under_way(scheme)
        assert await session.scalar(select(AuditEntry.action)) == "rfm.update"
    await jobs.form_ranks(str(shop.workspace_id))
    assert "上得意" in (await staff.get("/rfm")).text
    viewer = await staff.get("/rfm/scheme")
    assert 'value="上得意"' in viewer.text


async def test_a_viewer_looks_and_changes_nothing(app: Console, shop: Shop) -> None:
    viewer = await app.person(shop, "viewer")
    assert "/rfm/scheme" not in (await viewer.get("/rfm")).text
    assert (await viewer.get("/rfm/scheme")).status_code == 403
    assert (await viewer.form("/rfm/refresh")).status_code == 403


async def test_movement_has_its_table(staff: Client, shop: Shop, clock: Clock) -> None:
    orders = a_world(6)
    await fill(shop, orders)
    await rank(shop)
    await fill_one(shop, orders)
    await rank(shop)
    shown = await staff.get("/rfm/movement")
    assert "moved_from=&amp;moved_to=new" in shown.text
    listed = await staff.get("/rfm/people?moved_from=&moved_to=new")
    assert listed.text.count('class="hk-name"') == 1


async def fill_one(shop: Shop, orders: list[Bought]) -> None:
    await fill(shop, [Bought(uuid4(), NOON, 700)])


async def test_the_api_does_all_of_it(app: Console, shop: Shop, clock: Clock) -> None:
    orders = a_world(8)
    await fill(shop, orders, bystanders=1)
    await rank(shop)
    program = await app.program(shop)
    found = (await program.get("/api/v1/rfm")).json()
    assert (found["customers"], found["never_bought"]) == (40, 1)
    assert len(found["cells"]) == 25
    assert [area["key"] for area in found["areas"]] == [area.key for area in AREAS]
    seen: list[str] = []
    after = ""
    while after is not None:
        page = (
            await program.get("/api/v1/rfm/people", params={"limit": 15, "after": after})
        ).json()
        seen += [one["contact_id"] for one in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen)) == 40
    changed = await program.put(
        "/api/v1/rfm/scheme",
        json={
            "method": "own",
            "days": 90,
            "counts": "window",
            "recency": [80, 60, 30, 7],
            "frequency": [2, 3, 4, 5],
            "monetary": [1, 2, 3, "4.5"],
        },
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["is_under_way"]
    assert (await program.post("/api/v1/rfm/refresh")).status_code == 202
    movement = (await program.get("/api/v1/rfm/movement")).json()
    assert sum(move["people"] for move in movement["moves"]) == 40
    for path in ("people?area=nowhere", "people?recency=9", "people?after=x"):
        assert (await program.get(f"/api/v1/rfm/{path}")).status_code == 422, path
