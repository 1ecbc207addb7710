"""What a segment says of itself, and its pages of segments and of people."""

from __future__ import annotations

import pytest

from conftest import Shop
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.kit.errors import Invalid
from hiiki.rooms import registry
from hiiki.segments import service
from hiiki.segments.explain import sentence
from hiiki.segments.listing import SegmentPage, page_of_segments
from hiiki.segments.names import Names
from hiiki.segments.rules import read_rule

from .making import both, either, has, person, save, tag

assert registry


async def test_a_segment_explains_itself_in_both_languages(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        names = ("結婚3年以上", "子どもあり", "式の予定あり", "式は済んだ")
        married, children, planned, done = [await tag(session, name) for name in names]
        rule = both(
            has(married, children, op="has_all"), either(has(planned), has(done, op="has_not"))
        )
        said = await service.explain(session, read_rule(rule))
        assert said.to("ja") == (
            "タグ「結婚3年以上」「子どもあり」がすべてある、"
            "かつ（タグ「式の予定あり」がある、またはタグ「式は済んだ」がない）人。"
        )
        assert said.to("en") == (
            "People who have all the tags “結婚3年以上”, “子どもあり” and "
            "(who have the tag “式の予定あり” or who do not have the tag “式は済んだ”)."
        )


async def test_what_is_not_known_and_which_event_is_meant_is_said(shop: Shop) -> None:
    older = {
        "kind": "profile",
        "field": "birthday",
        "test": {"op": "years_ago", "low": 30, "high": 99},
    }
    bought = {"kind": "event", "event": "message"}
    follows = {"kind": "sequence", "first": {"event": "message"}, "then": {"event": "postback"}}
    wanted = (
        (
            {"kind": "not", "rule": older},
            "に当てはまらない（不明な人を除く）人。",
            "unknown left out",
        ),
        ({"kind": "not", "rule": older, "or_unknown": True}, "不明な人を含む", "unknown included"),
        ({"kind": "not", "rule": bought}, "に当てはまらない人。", ")."),
        ({**follows, "happened": False}, "最後の", "since the last of these"),
        ({**follows, "happened": False, "days": 3}, "最後の", "after the last of these"),
    )
    async with scope(shop.workspace_id) as session:
        for rule, japanese, english in wanted:
            said = await service.explain(session, read_rule(rule))
            assert japanese in said.to("ja")
            assert english in said.to("en")


async def test_segments_are_listed_by_name_or_the_newest_first_there_and_back(shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        for name in "cadbe":
            await save(session, name, {"kind": "everyone"})
        for newest_first, wanted in ((False, "abcde"), (True, "ebdac")):
            pages: list[SegmentPage] = []
            after: str | None = ""
            while after is not None:
                pages.append(
                    await page_of_segments(session, after=after, limit=2, newest_first=newest_first)
                )
                after = pages[-1].next
            assert "".join(one.name for page in pages for one in page.segments) == wanted
            back = await page_of_segments(
                session, before=pages[2].previous or "", limit=2, newest_first=newest_first
            )
            assert [one.name for one in back.segments] == list(wanted[2:4])
            assert (back.next, back.previous) == (pages[1].next, pages[1].previous)


@pytest.mark.parametrize("windows", [(1, 1), (1, 5), (3, 5), (1_000, 10_000)])
async def test_pages_of_members_hold_everybody_once(
    shop: Shop, windows: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many people are looked through first, pages are the same."""
    for name, size in zip(("_LOOKED_UP", "_WALKED"), windows, strict=True):
        monkeypatch.setattr(service, name, size)
    async with scope(shop.workspace_id) as session:
        mild = await tag(session, "甘口")
        for n in range(9):  # the newest and some in the middle are none of them
            has_it = (mild,) if n not in (0, 1, 4, 5) else ()
            await person(session, f"{n}", *has_it, minutes=n // 2)
        rule = read_rule(has(mild))
        seen: list[Contact] = []
        after = None
        while found := await service.page_of_members(session, rule, after=after, limit=2):
            assert len(found) <= 2
            seen += found
            after = service.cursor(found[-1])
        assert {each.display_name for each in seen} == {"2", "3", "6", "7", "8"}
        assert seen == sorted(seen, key=lambda each: (each.created_at, each.id), reverse=True)
        assert len(seen) == 5
        with pytest.raises(Invalid):
            await service.page_of_members(session, rule, after="nonsense")


def test_prefectures_have_their_names_in_both_languages() -> None:
    rule = {
        "kind": "profile",
        "field": "prefecture",
        "test": {"op": "choice_any", "choices": ["東京都"]},
    }
    told = sentence(read_rule(rule), Names())
    assert "Tokyo" in told.to("en")
    assert "東京都" in told.to("ja")
