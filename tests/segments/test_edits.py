"""Edits of the builder's tree: nothing is lost, and what one step does the other takes back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiiki.segments.edits import edit

from .test_rules import kinds


def trees() -> st.SearchStrategy[Any]:
    """Trees whose conditions can be told apart."""
    leaf = st.builds(lambda: {"kind": "tag"})
    group = st.recursive(
        st.builds(lambda rules: {"kind": "all", "rules": rules}, st.lists(leaf, max_size=3)),
        lambda inner: st.builds(
            lambda kind, rules: {"kind": kind, "rules": rules},
            st.sampled_from(["all", "any"]),
            st.lists(leaf | inner, max_size=3),
        ),
        max_leaves=6,
    )
    return group.map(_named)


def _named(tree: Any) -> Any:
    for n, (_path, node) in enumerate(places(tree)):
        node["name"] = n
    return tree


def places(node: Any, path: str = "rule") -> list[tuple[str, Any]]:
    """Return all nodes with their paths."""
    found = [(path, node)]
    for n, part in enumerate(node.get("rules", [])):
        found += places(part, f"{path}.rules.{n}")
    return found


def conditions(tree: Any) -> list[int]:
    return sorted(node["name"] for _path, node in places(tree) if "rules" not in node)


@given(trees(), st.data())
def test_no_condition_gets_lost_or_doubled(tree: Any, data: st.DataObject) -> None:
    before = conditions(tree)
    for _ in range(4):
        paths = [path for path, _node in places(tree)]
        at, to = data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(paths))
        do = data.draw(st.sampled_from(["up", "down", "move", "wrap", "unwrap"]))
        focus = edit(tree, do, at, to, data.draw(st.integers(0, 4)))
        assert conditions(tree) == before
        place = focus.partition(":")[0].removesuffix(".kind")
        assert not focus or place in [path for path, _node in places(tree)]


@given(trees(), st.data())
def test_one_step_back_leads_where_one_was(tree: Any, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([path for path, _node in places(tree)]))
    do, back = data.draw(st.sampled_from([("up", "down"), ("down", "up")]))
    before = deepcopy(tree)
    focus = edit(tree, do, at)
    if tree != before:
        edit(tree, back, focus.partition(":")[0])
    assert tree == before


def test_by_steps_one_gets_everywhere() -> None:
    tree: Any = {
        "kind": "all",
        "rules": [
            {"kind": "event"},
            {"kind": "any", "rules": [{"kind": "tag"}, {"kind": "all", "rules": []}]},
        ],
    }
    at, seen = "rule.rules.0", [kinds(tree)]
    for _ in range(9):
        at = edit(tree, "down", at).partition(":")[0]
        seen.append(kinds(tree))
    assert seen == [
        ["event", ["tag", []]],
        [["event", "tag", []]],
        [["tag", "event", []]],
        [["tag", ["event"]]],
        [["tag", [], "event"]],
        [["tag", []], "event"],
        *[[["tag", []], "event"]] * 4,
    ]


@pytest.mark.parametrize(
    ("at", "to", "place", "wanted"),
    [
        ("rule.rules.0", "rule.rules.1", 1, [["tag", "event"], "answer"]),
        ("rule.rules.1.rules.0", "rule", 0, ["tag", "event", [], "answer"]),
        ("rule.rules.2", "rule", 0, ["answer", "event", ["tag"]]),
        ("rule.rules.1", "rule.rules.1", 0, ["event", ["tag"], "answer"]),
        ("rule.rules.0", "rule.rules.2", 0, ["event", ["tag"], "answer"]),
        ("rule.rules.0", "rule", 99, [["tag"], "answer", "event"]),
    ],
)
def test_what_is_dragged_lands_where_it_is_dropped(
    at: str, to: str, place: int, wanted: list[Any]
) -> None:
    tree: Any = {
        "kind": "all",
        "rules": [
            {"kind": "event"},
            {"kind": "any", "rules": [{"kind": "tag"}]},
            {"kind": "answer"},
        ],
    }
    edit(tree, "move", at, to, place)
    assert kinds(tree) == wanted


def test_groups_are_made_of_and_dissolved_into_what_is_in_them() -> None:
    tree: Any = {"kind": "all", "rules": [{"kind": "event"}, {"kind": "tag"}]}
    assert edit(tree, "wrap", "rule.rules.1") == "rule.rules.1.kind"
    assert tree["rules"][1] == {"kind": "any", "rules": [{"kind": "tag"}]}
    edit(tree, "add", "rule.rules.1")
    assert edit(tree, "unwrap", "rule.rules.1") == "rule.rules.1:up"
    assert kinds(tree) == ["event", "tag", "tag"]
    edit(tree, "unwrap", "rule.rules.0")
    assert kinds(tree) == ["event", "tag", "tag"], "a condition is no group"
