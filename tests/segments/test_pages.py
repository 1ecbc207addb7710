"""Segments in the console: list, builder, panel, members, ready-made ones."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from conftest import Shop
from console import Client, Console, console
from hiiki.contacts.models import Attribute, Contact, ContactAttribute, Friendship, Tag
from hiiki.db import scope
from hiiki.segments import ready_made, service
from hiiki.segments.models import Segment
from hiiki.segments.prefill import new_segment_url
from hiiki.segments.rules import read_rule
from hiiki.workspace.models import AuditEntry

from .making import channel, has, person, save, tag
from .test_rules import posted


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application on an empty database."""
    async with console() as made:
        yield made


@pytest.fixture
async def staff(app: Console, shop: Shop) -> Client:
    """An operator in the console."""
    return await app.person(shop, "operator")


def form(tree: dict[str, Any], **more: str) -> dict[str, Any]:
    """Return a tree of the builder as the browser posts it."""
    data: dict[str, Any] = {}
    for name, value in posted(tree):
        data.setdefault(name, []).append(value)
    return {**data, **more}


def errors_in(html: str) -> dict[str, str]:
    """Return what the panel tells the browser to mark."""
    found = re.search(r"data-errors='([^']*)'", html)
    assert found, html
    return json.loads(unescape(found[1]))


async def test_from_an_empty_list_to_a_segment_and_its_members(staff: Client, shop: Shop) -> None:
    assert "セグメントはまだありません" in (await staff.get("/segments")).text
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        account = await channel(session, "渋谷")
        for n in range(55):
            await person(session, f"friend {n}", mild, follows=account, minutes=n)
    new = await staff.get("/segments/new")
    assert new.status_code == 200
    tree = {"kind": "all", "rules": [{**has(mild), "tag_ids": [str(mild.id)]}]}
    made = await staff.form("/segments", form(tree, name="甘口が好き", description=""))
    assert made.status_code == 303, made.text
    shown = await staff.get(made.headers["location"])
    assert "タグ「甘口」がある人。" in shown.text
    assert shown.text.count("friend ") == 50
    more = re.search(r'href="([^"]*after=[^"]*)"', shown.text)
    assert more
    assert (await staff.get(unescape(more[1]))).text.count("friend ") == 5
    figures = await staff.get(made.headers["location"] + "/figures?wide=true")
    assert ">55<" in figures.text
    assert "甘口が好き" in (await staff.get("/segments?q=甘")).text
    edit = await staff.get(made.headers["location"] + "/edit")
    assert 'value="甘口が好き"' in edit.text
    async with scope(shop.workspace_id) as session:
        actions = list(await session.scalars(select(AuditEntry.action)))
        assert "segments.create" in actions


async def test_a_refused_form_comes_back_with_all_that_was_typed(staff: Client, shop: Shop) -> None:
    tree = {
        "kind": "not_any",
        "rules": [
            {"kind": "tag", "op": "has_all"},
            {
                "kind": "profile",
                "field": "birthday",
                "negate": "true",
                "test": {"op": "day_between", "first": "2026-05-01", "until": "2026-04-01"},
            },
        ],
    }
    refused = await staff.form("/segments", form(tree, name="", description="説明"))
    assert refused.status_code == 422
    assert 'value="説明"' in refused.text
    assert 'value="2026-05-01"' in refused.text
    assert '<option value="not_any" selected>' in refused.text
    assert '<option value="has_all" selected>' in refused.text
    assert "f-name-error" in refused.text
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count(Segment.id))) == 0


async def test_the_panel_counts_or_says_what_is_wrong_and_where(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        await person(session, "<b>friend</b>", mild)
    good = form({"kind": "all", "rules": [has(mild)]})
    panel = await staff.form("/segments/panel", good)
    assert panel.status_code == 200
    assert "<strong>1</strong>" in panel.text
    assert "タグ「甘口」がある人。" in panel.text
    assert "&lt;b&gt;friend" in panel.text
    assert errors_in(panel.text) == {}
    group = {"kind": "any", "negate": "true", "rules": [{"kind": "tag"}, {"kind": "segment"}]}
    bad = form({"kind": "all", "rules": [has(mild), group]})
    panel = await staff.form("/segments/panel", bad)
    assert panel.status_code == 200
    assert "<strong>" not in panel.text, "the rest is not counted as if it were the whole"
    assert set(errors_in(panel.text)) == {
        "rule.rules.1.rules.0.tag_ids",
        "rule.rules.1.rules.1.segment_id",
    }


async def test_edits_of_the_shape_are_drawn_and_saved_nowhere(staff: Client, shop: Shop) -> None:
    tree = {"kind": "all", "rules": [{"kind": "everyone"}]}
    more = await staff.form("/segments/builder", form(tree, do="add_group", at="rule"))
    assert more.status_code == 200
    assert 'name="rule.rules.1.rules.0.kind"' in more.text
    assert re.search(r'name="rule.rules.1.rules.0.kind"[^>]* autofocus', more.text)
    assert "hiiki:rule" in more.headers["hx-trigger-after-settle"]
    less = await staff.form("/segments/builder", form(tree, do="remove", at="rule.rules.0"))
    assert "グループが空です" in less.text
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(func.count(Segment.id))) == 0


@pytest.mark.parametrize(
    "node",
    [
        {"kind": kind}
        for kind in ("attribute", "profile", "friendship", "answer", "event", "segment", "everyone")
    ]
    + [
        {"kind": "profile", "field": field, "test": {"op": op}}
        for field, op in (
            ("birthday", "day_month"),
            ("birthday", "years_ago"),
            ("birthday", "no such op"),
            ("prefecture", "choice_any"),
            ("is_purchaser", "flag_no"),
            ("shoe size", "known"),
        )
    ]
    + [
        {"kind": "event", "event": "no such event", "period": "x", "number": {"a": "b"}},
        {"kind": "tag", "tag_ids": {"0": "a", "x": "b"}},
        {"kind": "zodiac"},
    ],
)
async def test_every_condition_can_be_drawn_whatever_was_posted(
    staff: Client, node: dict[str, Any]
) -> None:
    drawn = await staff.form("/segments/builder", form({"kind": "all", "rules": [node]}))
    assert drawn.status_code == 200, drawn.text
    assert 'data-node="rule.rules.0"' in drawn.text
    panel = await staff.form("/segments/panel", form({"kind": "all", "rules": [node]}))
    assert panel.status_code == 200, panel.text


async def test_a_segment_in_use_says_where_and_stays(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        inner = await save(session, "inner", {"kind": "everyone"})
        outer = await save(session, "outer", {"kind": "segment", "segment_id": str(inner.id)})
    assert f'href="/segments/{outer.id}"' in (await staff.get(f"/segments/{inner.id}")).text
    assert (await staff.form(f"/segments/{inner.id}/delete")).status_code == 409
    assert (await staff.form(f"/segments/{outer.id}/delete")).status_code == 303
    assert (await staff.form(f"/segments/{inner.id}/delete")).status_code == 303
    assert (await staff.get(f"/segments/{inner.id}")).status_code == 404


async def test_a_copy_has_a_name_of_its_own(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        segment = await save(session, "甘口", {"kind": "everyone"})
    for _ in range(2):
        copied = await staff.form(f"/segments/{segment.id}/duplicate")
        assert copied.status_code == 303
    async with scope(shop.workspace_id) as session:
        names = set(await session.scalars(select(Segment.name)))
        assert names == {"甘口", "甘口 (2)", "甘口 (3)"}


async def test_a_ready_made_segment_makes_the_tags_it_lacks(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        await tag(session, "婚約中")
    assert "不足の1件を作成して使う" in (await staff.get("/segments/ready-made")).text
    used = await staff.form("/segments/ready-made", {"key": "wedding_first"})
    assert used.status_code == 303
    async with scope(shop.workspace_id) as session:
        tags = {row.name: row.id for row in await session.scalars(select(Tag))}
    assert set(tags) == {"婚約中", "式を検討中"}
    new = await staff.get(used.headers["location"])
    assert 'value="婚約中で式を検討中"' in new.text
    for ident in tags.values():
        assert f'value="{ident}" checked' in new.text
    assert (await staff.form("/segments/ready-made", {"key": "nonsense"})).status_code == 404


async def test_every_ready_made_segment_is_a_rule_that_can_be_saved(
    staff: Client, shop: Shop
) -> None:
    before = (await staff.get("/segments/ready-made")).text
    assert "タグ「甘口」がある" in before, "what is not made yet is said all the same"
    async with scope(shop.workspace_id) as session:
        offered = ready_made.offered()
        assert len({each.key for each in offered}) == len(offered)
        for each in offered:
            await ready_made.make_missing(session, each)
            ids = await ready_made.ids_for(session, [each])
            assert None not in ids.values()
            rule = read_rule(each.build(ids))
            await service.check(session, rule)
            assert await service.count(session, rule) == service.Count(0, 0)
            _rule, said = await ready_made.preview(session, each, ids)
            assert said.to("ja") != said.to("en")
        groups = {each.group.english for each in offered}
    assert {"Wedding hall", "Restaurant", "Not sent to whom it does not suit"} <= groups
    for each in offered[:2]:
        counted = await staff.get(f"/segments/ready-made/count?key={each.key}")
        assert "<strong>0</strong>" in counted.text
    assert (await staff.get("/segments/ready-made/count?key=x")).status_code == 404


async def test_a_ready_made_segment_makes_the_attribute_it_lacks(staff: Client, shop: Shop) -> None:
    used = await staff.form("/segments/ready-made", {"key": "ladies"})
    assert used.status_code == 303
    async with scope(shop.workspace_id) as session:
        [gender] = await session.scalars(select(Attribute))
        woman, man = await person(session, "woman"), await person(session, "man")
        account = await channel(session, "渋谷")
        for ident, value in ((woman, "女性"), (man, "男性")):
            session.add(ContactAttribute(contact_id=ident, attribute_id=gender.id, choice=value))
        for ident in (woman, man, await person(session, "unsaid")):
            session.add(
                Friendship(
                    contact_id=ident, channel_id=account.id, line_user_id="", status="following"
                )
            )
    assert gender.choices == ["女性", "男性", "その他"]
    counted = await staff.get("/segments/ready-made/count?key=ladies")
    assert "<strong>2</strong>" in counted.text, "who has not said is not left out"


async def test_a_segment_whose_tag_is_gone_can_be_seen_and_mended(
    staff: Client, shop: Shop
) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        segment = await save(session, "甘口", has(mild))
        await session.delete(mild)
    shown = await staff.get(f"/segments/{segment.id}")
    assert shown.status_code == 200
    assert "このタグは存在しません" in shown.text
    assert "/broadcasts/new" not in shown.text
    assert "（削除済み）" in (await staff.get(f"/segments/{segment.id}/edit")).text
    assert "要確認" in (await staff.get(f"/segments/{segment.id}/figures")).text


async def test_a_viewer_sees_but_does_not_build(app: Console, shop: Shop) -> None:
    viewer = await app.person(shop, "viewer")
    async with scope(shop.workspace_id) as session:
        segment = await save(session, "甘口", {"kind": "everyone"})
        session.add(Contact(id=segment.id, display_name="somebody"))
    shown = await viewer.get(f"/segments/{segment.id}")
    assert "somebody" in shown.text
    assert "/edit" not in shown.text
    for path in (
        "/segments/new",
        f"/segments/{segment.id}/edit",
    ):
        assert (await viewer.get(path)).status_code == 403
    assert (await viewer.form("/segments/panel")).status_code == 403


async def test_a_form_too_deep_to_read_is_a_clients_mistake(staff: Client, shop: Shop) -> None:
    name = "rule" + ".rules.0" * 5_000 + ".kind"
    for path in ("/segments/builder", "/segments/panel", "/segments"):
        assert 400 <= (await staff.form(path, {name: "tag"})).status_code < 500
    name = "rule" + ".rules.0" * 40
    deep = {f"{name}.kind": "tag"} | {f"rule{'.rules.0' * n}.kind": "any" for n in range(40)}
    panel = await staff.form("/segments/panel", deep)
    assert "15段まで" in panel.text


async def test_other_pages_lead_into_the_builder_with_a_rule_of_theirs(
    staff: Client, shop: Shop
) -> None:
    rule = {"kind": "event", "event": "message", "op": "at_least", "number": 5}
    shown = await staff.get(new_segment_url(rule, "常連 & 話し好き"))
    assert shown.status_code == 200
    assert 'value="常連 &amp; 話し好き"' in shown.text
    assert re.search(r'name="rule\.rules\.0\.number"[^>]*value="5"', shown.text)
    for broken in ("{", "[]", '{"kind": "nothing of ours"}', "[" * 5_000):
        assert (await staff.get("/segments/new", params={"rule": broken})).status_code == 200


async def test_the_panel_says_what_a_message_to_these_costs_and_saves(
    staff: Client, shop: Shop
) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        first = await channel(session, "渋谷")
        first.plan = "communication"
        for n in range(4):
            await person(session, f"friend {n}", *([mild] if n else []), follows=first)
        await person(session, "gone", mild, blocked=first)
    tree = form({"kind": "all", "rules": [has(mild)]})
    panel = (await staff.form("/segments/panel", tree)).text
    assert "友だち全員（4人）の75%" in panel
    assert re.search(r"この人たちへの配信</dt><dd>3通", panel)
    assert re.search(r"全員への配信と比べた節約</dt><dd>1通", panel)
    assert 'lang="en">People who have the tag “甘口”' in panel
    # With a second account, it has to be said from which one goes out.
    async with scope(shop.workspace_id) as session:
        second = await channel(session, "新宿")
        await person(session, "other", mild, follows=second)
    panel = (await staff.form("/segments/panel", tree)).text
    assert "この人たちへの配信" not in panel
    assert "友だち全員（5人）の80%" in panel
    panel = (await staff.form("/segments/panel", tree | {"channel_id": str(second.id)})).text
    assert re.search(r"この人たちへの配信</dt><dd>1通", panel)
    strange = await staff.form("/segments/panel", tree | {"channel_id": str(uuid4())})
    assert strange.status_code == 404


async def test_why_somebody_is_in_it_part_by_part(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild, hot = await tag(session, "甘口"), await tag(session, "辛口")
        somebody = await person(session, "somebody", mild)
    age = {"kind": "profile", "field": "birthday", "test": {"op": "years_ago", "low": 1, "high": 9}}
    tree = form({"kind": "any", "rules": [has(mild), {**has(hot), "negate": "true"}, age]})
    answer = await staff.form("/segments/why", tree | {"contact_id": str(somebody)})
    assert answer.status_code == 200, answer.text
    said = re.findall(r'visually-hidden">([^<]+)</span> <span>([^<]+)<', answer.text)
    assert [holds for holds, _said in said] == [
        "当てはまる：",
        "当てはまる：",
        "当てはまる：",
        "当てはまらない：",
        "不明：",
    ]
    assert said[3][1] == "タグ「辛口」がある人。"
    strange = await staff.form("/segments/why", tree | {"contact_id": str(uuid4())})
    assert strange.status_code == 404


async def test_saved_as_a_new_one_the_old_one_stays(staff: Client, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        old = await save(session, "好み", {"kind": "everyone"})
    tree = form({"kind": "all", "rules": [has(mild)]}, name="好み", description="", as_new="1")
    saved = await staff.form(f"/segments/{old.id}", tree)
    assert saved.status_code == 303
    assert str(old.id) not in saved.headers["location"]
    async with scope(shop.workspace_id) as session:
        rules = {row.name: row.rule for row in await session.scalars(select(Segment))}
    assert rules["好み"] == {"kind": "everyone"}
    assert rules["好み (2)"]["kind"] == "all"
