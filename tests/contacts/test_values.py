"""What people type into the shop's own fields, and into a person's."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Shop, scope
from hiiki.contacts.models import ATTRIBUTE_KINDS, Attribute, ContactAttribute
from hiiki.contacts.people import safe_cell
from hiiki.contacts.prefectures import PREFECTURES, find_prefecture
from hiiki.contacts.schemas import AttributeIn, ContactPatch, TagIn
from hiiki.contacts.service import set_attribute
from hiiki.contacts.values import jsonable, parse_number, parse_value, shown, stored
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.ids import uuid7
from hiiki.workspace.models import Channel

from .people import make_channel, make_friend


def attribute(kind: str, choices: list[str] | None = None) -> Attribute:
    return Attribute(key="k", label="L", kind=kind, choices=choices or [], position=0)


HEAT = ["甘口", "中辛", "辛口", "10, 20, 30倍"]


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("text", " 卵アレルギー\x00 ", "卵アレルギー"),
        ("text", "=SUM(A1)", "=SUM(A1)"),
        ("number", "１２３", Decimal(123)),
        ("number", "1,234,567.5", Decimal("1234567.5")),
        ("number", "１，２３４円", Decimal(1234)),
        ("number", "−５", Decimal(-5)),
        ("number", "－５", Decimal(-5)),
        ("number", "¥980", Decimal(980)),
        ("number", ".5", Decimal("0.5")),
        ("number", 3.25, Decimal("3.25")),
        ("number", "0.1234567", Decimal("0.123457")),
        ("date", "2026-11-21", date(2026, 11, 21)),
        ("date", "２０２６年２月３日", date(2026, 2, 3)),
        ("date", "2026/2/3", date(2026, 2, 3)),
        ("date", "20260203", date(2026, 2, 3)),
        ("choice", "中辛", "中辛"),
        ("choices", "辛口、甘口", ["甘口", "辛口"]),
        ("choices", ["辛口", "辛口", ""], ["辛口"]),
        ("choices", "10, 20, 30倍", ["10, 20, 30倍"]),
        ("text", "", None),
        ("number", "  ", None),
        ("choices", [], None),
        ("date", None, None),
    ],
)
def test_typed_values(kind: str, typed: Any, value: Any) -> None:
    assert parse_value(attribute(kind, HEAT), typed) == value


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("number", "たくさん"),
        ("number", "1e5"),
        ("number", "nan"),
        ("number", float("inf")),
        ("number", True),
        ("number", "1" * 16),
        ("number", "1.2.3"),
        ("number", ["1"]),
        ("date", "2026-02-30"),
        ("date", "2026-13-01"),
        ("date", "あした"),
        ("date", 20260203),
        ("choice", "激辛"),
        ("choice", ["甘口"]),
        ("choices", "甘口、激辛"),
        ("choices", 5),
        ("text", "あ" * 5001),
    ],
)
def test_refused_values(kind: str, typed: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_value(attribute(kind, HEAT), typed)
    assert set(refused.value.fields) == {"value"}
    for locale in ("ja", "en"):
        assert refused.value.fields["value"].to(locale)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**14, min_value=0))
def test_any_number_survives_being_shown_and_typed_again(number: Decimal) -> None:
    assert parse_number(shown(number)) == number
    assert parse_number(f"{number:,}") == number


async def test_set_change_and_clear_each_kind(shop: Shop, channel: Channel) -> None:
    friend = await make_friend(shop, channel, "a")
    values: dict[str, list[Any]] = {
        "text": ["卵", "そば"],
        "number": ["1", "2.5"],
        "date": ["2026-11-21", "2020-01-01"],
        "choice": ["甘口", "辛口"],
        "choices": [["甘口", "辛口"], ["中辛"]],
    }
    async with scope(shop.workspace_id) as session:
        fields = {
            kind: Attribute(key=kind, label=kind, kind=kind, choices=HEAT)
            for kind in ATTRIBUTE_KINDS
        }
        session.add_all(fields.values())
        await session.flush()
        for kind, each in fields.items():
            for value in values[kind]:
                assert await set_attribute(session, friend.id, each, value)
                row = await session.one(ContactAttribute, (friend.id, each.id))
                await session.refresh(row)
                assert stored(row) == parse_value(each, value)
                filled = [
                    name
                    for name in ("text", "number", "day", "choice", "choices")
                    if getattr(row, name) is not None
                ]
                assert filled == [{"date": "day"}.get(kind, kind)]
                session.expunge(row)
            assert await set_attribute(session, friend.id, each, "")
            assert await session.get(ContactAttribute, (friend.id, each.id)) is None


async def test_nobodys_attribute_is_not_set(shop: Shop, other_shop: Shop, channel: Channel) -> None:
    theirs = await make_friend(other_shop, await make_channel(other_shop), "b")
    async with scope(shop.workspace_id) as session:
        each = Attribute(key="k", label="k", kind="text", choices=[])
        session.add(each)
        await session.flush()
        assert not await set_attribute(session, theirs.id, each, "x")
        assert not await set_attribute(session, theirs.id, each, "")
        assert not await set_attribute(session, uuid7(), each, "x")
    async with scope(other_shop.workspace_id) as session:
        assert await session.get(ContactAttribute, (theirs.id, each.id)) is None


def test_values_for_programs() -> None:
    assert [jsonable(each) for each in (Decimal(3), Decimal("2.5"), date(2026, 1, 2))] == [
        3,
        2.5,
        "2026-01-02",
    ]


# ---- a person's own fields ----


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("phone", "０９０－１２３４－５６７８", "09012345678"),
        ("phone", "+81 90 1234 5678", "+819012345678"),
        ("phone", "03ー1234ー5678", "0312345678"),
        ("email", " a.b+c@mail.example.co.jp ", "a.b+c@mail.example.co.jp"),
        ("prefecture", "東京", "東京都"),
        ("prefecture", "hokkaido", "北海道"),
        ("prefecture", "京都府", "京都府"),
        ("birthday", "1990年2月3日", date(1990, 2, 3)),
        ("birthday", "", None),
        ("real_name", "  田中\n 葵 ", "田中 葵"),
        ("real_name", None, ""),
        ("is_purchaser", "true", True),
    ],
)
def test_a_persons_fields(field: str, typed: Any, value: Any) -> None:
    patch = parse(ContactPatch, {field: typed})
    assert getattr(patch, field) == value
    assert patch.model_fields_set == {field}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("phone", "12-34"),
        ("phone", "電話なし"),
        ("phone", "0" * 16),
        ("email", "a@b"),
        ("email", "a b@example.com"),
        ("email", "a@example..com"),
        ("email", "x" * 250 + "@example.com"),
        ("prefecture", "江戸"),
        ("birthday", (now() + timedelta(days=2)).date().isoformat()),
        ("birthday", "1899-12-31"),
        ("birthday", "きのう"),
        ("real_name", "あ" * 101),
        ("is_purchaser", "maybe"),
    ],
)
def test_refused_fields(field: str, typed: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse(ContactPatch, {field: typed})
    assert set(refused.value.fields) == {field}


def test_all_47_prefectures_are_found_by_any_of_their_names() -> None:
    assert len(PREFECTURES) == 47
    for name in PREFECTURES:
        assert find_prefecture(name) == name
    assert find_prefecture("京都") == "京都府"
    assert find_prefecture("都") is None


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\x00 　"}, "name"),
        ({"name": "あ" * 51}, "name"),
        ({"name": "a", "colour": "javascript"}, "colour"),
        ({"name": "a", "description": "あ" * 201}, "description"),
    ],
)
def test_refused_tags(typed: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(TagIn, typed)
    assert set(refused.value.fields) == {field}
    assert parse(TagIn, {"name": "あ" * 50}).name == "あ" * 50


@pytest.mark.parametrize("key", ["", "1a", "A", "辛さ", "a-b", "a b", "a" * 41, "_a", "a.b", "a\n"])
def test_refused_keys(key: str) -> None:
    if key == "a\n":  # a line end at its end is only a slip of the hand
        assert parse(AttributeIn, {"key": key, "label": "L"}).key == "a"
        return
    with pytest.raises(Invalid) as refused:
        parse(AttributeIn, {"key": key, "label": "L"})
    assert set(refused.value.fields) == {"key"}


def test_choices_are_cleaned_and_unique() -> None:
    made = parse(
        AttributeIn,
        {"key": "k", "label": "L", "kind": "choice", "choices": [" 甘口 ", "", "中辛"]},
    )
    assert made.choices == ["甘口", "中辛"]
    for choices, path in (
        (["甘口", "甘口 "], "choices"),
        (["あ" * 101], "choices.0"),
        ([f"{n}" for n in range(201)], "choices"),
    ):
        with pytest.raises(Invalid) as refused:
            parse(AttributeIn, {"key": "k", "label": "L", "kind": "choice", "choices": choices})
        assert set(refused.value.fields) == {path}
    assert parse(AttributeIn, {"key": "k", "label": "L", "kind": "text", "choices": "x"})


@pytest.mark.parametrize(
    "cell", ["=1+1", "+81", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "　＝1", "\r=1"]
)
def test_no_cell_of_the_export_is_a_formula(cell: str) -> None:
    assert safe_cell(cell).startswith("'")
    assert safe_cell("田中=葵") == "田中=葵"
