"""Every condition has its form: what is drawn, posted again unchanged, is the same rule."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest

from conftest import Shop
from console import Client, console
from hiiki.contacts.models import Attribute, Friendship
from hiiki.db import scope
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import nested
from hiiki.kit.i18n import _
from hiiki.kit.road import Field, road
from hiiki.segments.builder import form_of, rule_of, tidy
from hiiki.segments.conditions import CONDITIONS
from hiiki.segments.labels import KIND_LABELS
from hiiki.segments.models import PeopleList, Segment
from hiiki.segments.rules import AllOf, read_rule

from .making import channel, person, tag
from .test_pages import form


class Drawn(HTMLParser):
    """A form as a browser would post it: pairs of names and values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self.select = ""
        self.options: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "select":
            self.select, self.options = given["name"] or "", []
        elif tag == "option":
            self.options.append((given["value"] or "", "selected" in given))
        elif tag == "input" and given.get("name"):
            is_box = given.get("type") == "checkbox"
            if not is_box or "checked" in given:
                self.pairs.append((given["name"] or "", given.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self.options:
            chosen = next((value for value, is_on in self.options if is_on), self.options[0][0])
            self.pairs.append((self.select, chosen))


@pytest.fixture
async def staff(shop: Shop) -> AsyncIterator[Client]:
    async with console() as app:
        yield await app.person(shop, "operator")


def event(**more: Any) -> dict[str, Any]:
    return {"event": "follow", "subject": "", "channel_id": None, "value": None, **more}


def every_kind(ids: dict[str, str]) -> list[dict[str, Any]]:
    """Return conditions of all kinds, with each of their fields used once at least."""
    recent = {"kind": "recent", "days": 7}
    since = {"kind": "after_event", "event": "follow", "subject": ""}
    worth = {"op": "number_between", "low": 5, "high": 9}
    tests: list[dict[str, Any]] = [
        {"op": "day_month", "month": 0},
        {"op": "day_of_year", "month": 2, "day": 29},
        {"op": "anniversary", "low": 0, "high": 7},
        {"op": "days_ahead", "low": 1, "high": 3},
        {"op": "day_on", "day": date(2026, 5, 1)},
        {"op": "unknown"},
    ]
    friend = {"kind": "friendship", "status": "following"}
    message = {"kind": "message", "period": since}
    return [
        {"kind": "tag", "op": "has_all", "tag_ids": [ids["tag"]]},
        *({"kind": "profile", "field": "birthday", "test": test} for test in tests),
        {
            "kind": "attribute",
            "attribute_id": ids["attribute"],
            "test": {"op": "choices_none", "choices": ["b"]},
            "or_unknown": True,
        },
        *(
            {"kind": "field", "field": "test.spent", "test": test}
            for test in ({"op": "number_at_least", "number": 5000}, worth, {"op": "known"})
        ),
        {"kind": "field", "field": "test.cell", "test": {"op": "choice_any", "choices": ["x"]}},
        {**friend, "on_every": True, "followed": recent},
        {**friend, "channel_id": ids["channel"], "sources": ["insta"]},
        {**friend, "status": "never"},
        {"kind": "answer", "question_id": str(uuid4()), "op": "contains", "text": "辛い"},
        {
            "kind": "event",
            **event(value=worth, channel_id=ids["channel"]),
            "measure": "average",
            "op": "between",
            "number": 3,
            "high": 4,
            "period": {**since, "kind": "before_event"},
        },
        {"kind": "first_or_last", **event(), "which": "first", "period": recent},
        *(
            {
                "kind": "sequence",
                "first": event(),
                "period": {"kind": "dates", "first": date(2026, 5, 1), "until": None},
                "happened": happened,
                "then": event(value={"op": "number_is", "number": 3}),
                "days": days,
            }
            for happened, days in ((True, None), (False, 14))
        ),
        *({**message, "did": did} for did in ("received", "clicked", "coupon_got", "coupon_used")),
        {**message, "did": "clicked", "about": "link", "about_id": str(uuid4())},
        {"kind": "segment", "segment_id": ids["segment"]},
        {"kind": "list", "list_id": ids["list"]},
        {"kind": "random", "seed": "秋", "low": 10, "high": "12.5"},
        {"kind": "everyone"},
    ]


async def test_what_is_drawn_means_what_was_drawn(
    staff: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(KIND_LABELS) == set(CONDITIONS)
    spent = Field("test.spent", _("Sum"), "money", Friendship.last_seen_at)
    cells = (("x", _("In it")), ("y", _("Left")))
    cell = Field("test.cell", _("Kind"), "choice", Friendship.source, choices=cells)
    monkeypatch.setattr(road(), "fields", {each.name: each for each in (spent, cell)})
    async with scope(shop.workspace_id) as session:
        account = await channel(session, "渋谷")
        await channel(session, "新宿")
        friend = await person(session, "friend", follows=account)
        (await session.get_one(Friendship, (friend, account.id))).source = "insta"
        taste = Attribute(key="taste", label="好み", kind="choices", choices=["a", "b"])
        known = PeopleList(name="名簿")
        other = Segment(name="ほか", rule={"kind": "everyone"})
        session.add_all([taste, known, other])
        await session.flush()
        things = {"attribute": taste, "channel": account, "segment": other, "list": known}
        ids = {name: str(thing.id) for name, thing in things.items()}
        ids["tag"] = str((await tag(session, "甘口")).id)
    rules = every_kind(ids)
    assert {rule["kind"] for rule in rules} == set(CONDITIONS)
    tree = {"kind": "all", "rules": [*rules, *({"kind": "not", "rule": r} for r in rules[:7])]}
    before = read_rule(tree)
    drawn = await staff.form("/segments/builder", form(form_of(before)))
    assert drawn.status_code == 200
    data = nested(Drawn(drawn.text).pairs)
    try:
        after = read_rule(rule_of(tidy(data["rule"]))[0])
    except Invalid as error:
        pytest.fail(str({path: str(said) for path, said in error.fields.items()}))
    assert isinstance(after, AllOf)
    assert isinstance(before, AllOf)
    for got, given in zip(after.rules, before.rules, strict=True):
        assert got == given
    # Nothing that a person can choose from is without a word.
    assert not re.search(r"<option[^>]*></option>", drawn.text)


async def test_a_new_condition_of_each_kind_can_be_drawn_and_asked(staff: Client) -> None:
    for kind in CONDITIONS:
        blank = form({"kind": "all", "rules": [{"kind": kind}]})
        drawn = await staff.form("/segments/builder", blank)
        assert drawn.status_code == 200, drawn.text
        again = nested(Drawn(drawn.text).pairs)
        assert again["rule"]["rules"][0]["kind"] == kind
        panel = await staff.form("/segments/panel", form(tidy(again["rule"])))
        assert panel.status_code == 200, panel.text
