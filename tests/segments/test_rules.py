"""What a rule may be, and what is said of one that may not; the form and back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiiki.kit.errors import Invalid
from hiiki.kit.forms import nested
from hiiki.kit.i18n import _
from hiiki.segments.builder import blank, form_of, in_form, rule_of, tidy
from hiiki.segments.edits import edit
from hiiki.segments.offers import KIND_LABELS
from hiiki.segments.rules import MAX_CONDITIONS, MAX_DEPTH, AnyRule, dump_rule, read_rule

from .oracle import Oracle, Person
from .worlds import CHANNELS, LINKS, NOTHING, NOW, SEGMENTS, ZONE, people, read, rules

TAG = str(UUID(int=1))
HAS: dict[str, Any] = {"kind": "tag", "op": "has", "tag_ids": [TAG]}
EVERYONE: dict[str, Any] = {"kind": "everyone"}


def errors(data: Any) -> dict[str, str]:
    """Return what is said of a rule that is refused."""
    with pytest.raises(Invalid) as caught:
        read_rule(data)
    return {path: text.to("en") for path, text in caught.value.fields.items()}


def nest(depth: int) -> dict[str, Any]:
    """Return a condition inside `depth` groups."""
    rule = HAS
    for level in range(depth):
        rule = {"kind": "not", "rule": rule} if level % 2 else {"kind": "any", "rules": [rule]}
    return rule


def test_the_deepest_rule_that_is_taken_and_the_first_that_is_not() -> None:
    read_rule(nest(MAX_DEPTH))
    assert "deep inside one another" in errors(nest(MAX_DEPTH + 1))[""]
    assert str(MAX_DEPTH) in errors(nest(20))[""]


def test_a_rule_deeper_than_python_can_recurse_gets_the_same_answer() -> None:
    assert "deep inside one another" in errors(nest(100_000))[""]


def test_at_most_so_many_conditions_however_they_are_grouped() -> None:
    half = {"kind": "any", "rules": [EVERYONE] * (MAX_CONDITIONS // 2)}
    read_rule({"kind": "all", "rules": [half, half]})
    assert errors({"kind": "all", "rules": [half, half, EVERYONE]}) == {
        "": f"A segment can have at most {MAX_CONDITIONS} conditions."
    }


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"kind": "shoe_size"}, "rules.0"),
        ({"kind": "tag", "op": "had", "tag_ids": [TAG]}, "rules.0.op"),
        ({"kind": "tag", "op": "has", "tag_ids": []}, "rules.0.tag_ids"),
        ({"kind": "tag", "op": "has", "tag_ids": ["x"]}, "rules.0.tag_ids.0"),
        ({"kind": "tag", "tag_ids": [TAG], "colour": "red"}, "rules.0.colour"),
        ({"kind": "profile", "field": "shoe", "test": {"op": "known"}}, "rules.0.field"),
        ({"kind": "profile", "field": "email", "test": {"op": "resembles"}}, "rules.0.test"),
        (
            {"kind": "attribute", "attribute_id": TAG, "test": {"op": "number_is"}},
            "rules.0.test.number",
        ),
        (
            {
                "kind": "attribute",
                "attribute_id": TAG,
                "test": {"op": "number_between", "low": 2, "high": 1},
            },
            "rules.0.test.high",
        ),
        (
            {
                "kind": "attribute",
                "attribute_id": TAG,
                "test": {"op": "number_is", "number": "NaN"},
            },
            "rules.0.test.number",
        ),
        (
            {"kind": "event", "event": "x", "period": {"kind": "dates", "first": ""}},
            "rules.0.period.until",
        ),
        ({"kind": "event", "event": "x", "number": "0.5"}, "rules.0.number"),
        (
            {"kind": "event", "event": "x", "period": {"kind": "recent", "days": 0}},
            "rules.0.period.days",
        ),
        ({"kind": "answer", "question_id": TAG, "op": "choices"}, "rules.0.choice_ids"),
        ({"kind": "answer", "question_id": TAG, "op": "contains"}, "rules.0.text"),
        ({"kind": "all", "rules": []}, "rules.0.rules"),
        ({"kind": "not"}, "rules.0.rule"),
        (None, "rules.0"),
        ([], "rules.0"),
    ],
)
def test_each_objection_stands_at_its_field(rule: Any, path: str) -> None:
    found = errors({"kind": "all", "rules": [rule]})
    assert list(found) == [path]
    assert found[path]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_what_postgresql_cannot_store_is_refused(text: str) -> None:
    test = {"op": "text_is", "text": text}
    assert errors({"kind": "profile", "field": "email", "test": test}) == {
        "": "This contains characters that cannot be stored."
    }


# --- the form ---------------------------------------------------------------------------


def posted(tree: Any, name: str = "rule") -> list[tuple[str, str]]:
    """Return a tree as a browser posts it: pairs of names and texts, boxes only when ticked."""
    if isinstance(tree, dict):
        return [
            pair
            for key, value in tree.items()
            for pair in (
                [(f"{name}.{key}[]", str(each)) for each in value]
                if key in ("tag_ids", "choices", "choice_ids", "sources")
                else posted(value, f"{name}.{key}")
            )
        ]
    if isinstance(tree, list):
        return [pair for n, each in enumerate(tree) for pair in posted(each, f"{name}.{n}")]
    if tree is False:
        return []
    if tree is True:
        return [(name, "true")]
    return [(name, "" if tree is None else str(tree))]


HAVE_FORMS = tuple(KIND_LABELS)
"""The kinds of condition that the builder can draw."""


def meaning(rule: AnyRule, person: Person, segments: dict[UUID, AnyRule]) -> bool | None:
    return Oracle(NOW, ZONE, segments, CHANNELS, NOTHING, LINKS).truth(rule, person)


@settings(max_examples=300, deadline=None)
@given(
    rule=rules(kinds=HAVE_FORMS),
    person=people("someone"),
    first=rules(0, 1),
    second=rules(1, 1),
)
def test_a_rule_that_went_through_the_form_means_the_same(
    rule: dict[str, Any], person: Person, first: dict[str, Any], second: dict[str, Any]
) -> None:
    segments = dict(zip(SEGMENTS, [read(first), read(second)], strict=True))
    before = read(rule)
    raw, _paths = rule_of(tidy(nested(posted(form_of(before)))["rule"]))
    after = read_rule(raw)
    assert (meaning(after, person, segments) is True) == (meaning(before, person, segments) is True)
    assert read_rule(dump_rule(before)) == before


def test_an_error_in_a_negated_condition_is_led_back_to_its_field() -> None:
    tree = {
        "kind": "all",
        "rules": [
            HAS,
            {"kind": "any", "negate": "true", "rules": [{"kind": "segment", "negate": "true"}]},
        ],
    }
    raw, paths = rule_of(tree)
    assert raw["rules"][1]["rule"]["rules"][0] == {
        "kind": "not",
        "or_unknown": False,
        "rule": {"kind": "segment"},
    }
    said = in_form({"rules.1.rule.rules.0.rule.segment_id": _("Please fill this in.")}, paths)
    assert list(said) == ["rule.rules.1.rules.0.segment_id"]
    assert list(in_form({"": _("Please fill this in.")}, paths)) == ["rule"]


def test_full_width_digits_are_digits() -> None:
    tree = {
        "kind": "attribute",
        "attribute_id": TAG,
        "test": {"op": "number_is", "number": "１，０００"},
    }
    raw, _paths = rule_of(tree)
    assert read_rule(raw).test.number == Decimal(1000)  # type: ignore[union-attr]


def test_fields_of_another_comparison_do_no_harm() -> None:
    # Whoever changes the comparison leaves the fields of the former one in the form.
    test = {"op": "day_on", "day": "2026-11-21", "first": "", "until": "x", "number": ""}
    raw, _paths = rule_of({"kind": "profile", "field": "birthday", "test": test})
    assert read_rule(raw).test.day == date(2026, 11, 21)  # type: ignore[union-attr]


# --- edits ------------------------------------------------------------------------------


def kinds(tree: Any) -> Any:
    """Return the shape of a tree."""
    return [kinds(each) for each in tree["rules"]] if "rules" in tree else tree["kind"]


def test_edits_change_the_shape_and_tell_where_the_focus_goes() -> None:
    tree = blank()
    assert edit(tree, "add", "rule") == "rule.rules.1.kind"
    tree["rules"][1]["kind"] = "event"
    assert edit(tree, "add_group", "rule") == "rule.rules.2.rules.0.kind"
    assert tree["rules"][2]["kind"] == "any", "a group inside ALL is most often an ANY"
    assert kinds(tree) == ["tag", "event", ["tag"]]
    assert edit(tree, "up", "rule.rules.1") == "rule.rules.0:up"
    assert kinds(tree) == ["event", "tag", ["tag"]]
    assert edit(tree, "copy", "rule.rules.2") == "rule.rules.3:copy"
    tree["rules"][3]["rules"][0]["kind"] = "segment"
    assert kinds(tree) == ["event", "tag", ["tag"], ["segment"]], "a copy is a thing of its own"
    assert edit(tree, "remove", "rule.rules.2") == "rule:add"
    assert edit(tree, "down", "rule.rules.2") == "rule.rules.2:down", "the last stays the last"
    assert kinds(tree) == ["event", "tag", ["segment"]]


@pytest.mark.parametrize(
    ("do", "at"),
    [
        ("remove", "rule"),
        ("up", "rule.rules.9"),
        ("up", "rule.rules.x"),
        ("add", "rule.rules.0"),
        ("explode", "rule"),
        ("remove", ""),
        ("remove", "rule.name.0"),
    ],
)
def test_an_edit_that_is_not_possible_changes_nothing(do: str, at: str) -> None:
    tree = blank()
    edit(tree, do, at)
    assert tree == blank()


@given(
    st.recursive(
        st.none() | st.text() | st.booleans(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["kind", "rules", "test", "op", "negate"]), x)
        ),
    )
)
def test_whatever_is_posted_becomes_a_tree(data: Any) -> None:
    tree = tidy(data)
    assert tree["kind"] in ("all", "any")
    raw, paths = rule_of(tree)
    try:
        read_rule(raw)
    except Invalid as error:
        wrong = in_form(error.fields, paths)
        assert all(path.startswith("rule") for path in wrong)
