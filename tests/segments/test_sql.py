"""What rules compile to, kept as text: a change of the compiler is to be seen and read.

`HIIKI_SNAPSHOTS=write pytest tests/segments/test_sql.py` writes them anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from hiiki.segments.compiler import compile_rule
from hiiki.segments.predicates import Frame
from hiiki.segments.rules import read_rule

from .worlds import ATTRIBUTES, CHANNELS, LISTS, NOW, QUESTIONS, SEGMENTS, TAGS, ZONE, ident

pytestmark = pytest.mark.usefixtures("fields_of_tests")

FOLDER = Path(__file__).parent / "sql"
WORKSPACE = ident("workspace")


def has(tag: int, op: str = "has") -> dict[str, Any]:
    return {"kind": "tag", "op": op, "tag_ids": [str(TAGS[tag])]}


AGE = {
    "kind": "attribute",
    "attribute_id": str(ATTRIBUTES["number"]),
    "test": {"op": "number_above", "number": 30},
}
RULES: dict[str, dict[str, Any]] = {
    "one_tag": has(0),
    "wedding_3_years_and_children_and_planned": {
        "kind": "all",
        "rules": [has(0), has(1), has(2)],
    },
    "or_inside_and": {"kind": "all", "rules": [{"kind": "any", "rules": [has(0), has(1)]}, has(2)]},
    "or_with_a_negation": {"kind": "any", "rules": [has(0, "has_not"), AGE]},
    "not_above_thirty": {"kind": "not", "rule": AGE},
    "not_above_thirty_or_unknown": {"kind": "not", "rule": AGE, "or_unknown": True},
    "birthday_in_february": {
        "kind": "profile",
        "field": "birthday",
        "test": {"op": "day_month", "month": 2},
    },
    "new_friends_of_a_channel": {
        "kind": "friendship",
        "channel_id": str(CHANNELS[0]),
        "followed": {"kind": "recent", "days": 7},
    },
    "latest_answer": {
        "kind": "answer",
        "question_id": str(QUESTIONS[0]),
        "op": "choices",
        "choice_ids": ["c1", "c2"],
    },
    "bought_five_times_and_more": {"kind": "event", "event": "purchase", "number": 5},
    "spent_at_most": {
        "kind": "event",
        "event": "purchase",
        "measure": "sum",
        "op": "at_most",
        "number": 1000,
    },
    "never_opened_a_link": {"kind": "event", "event": "link_open", "op": "exactly", "number": 0},
    "not_bought_for_ninety_days": {
        "kind": "first_or_last",
        "event": "purchase",
        "which": "last",
        "period": {"kind": "earlier", "days": 90},
    },
    "cart_left": {
        "kind": "sequence",
        "first": {"event": "cart"},
        "then": {"event": "purchase"},
        "happened": False,
        "days": 1,
    },
    "bought_and_bought_again": {
        "kind": "sequence",
        "first": {"event": "purchase"},
        "then": {"event": "purchase", "value": {"op": "number_at_least", "number": 5000}},
    },
    "opened_links_since_the_last_purchase": {
        "kind": "event",
        "event": "link_open",
        "number": 2,
        "period": {"kind": "after_event", "event": "purchase"},
    },
    "opened_a_link_of_a_broadcast": {
        "kind": "message",
        "did": "clicked",
        "about": "broadcast",
        "about_id": str(ident("broadcast0")),
    },
    "half_of_a_list": {
        "kind": "all",
        "rules": [
            {"kind": "random", "seed": "hold-out", "low": 10, "high": 60},
            {"kind": "list", "list_id": str(LISTS[0])},
        ],
    },
    "spent_more_than_nothing_or_less_than_five": {
        "kind": "any",
        "rules": [
            {
                "kind": "field",
                "field": "test.spent",
                "test": {"op": "number_above", "number": 0},
            },
            {
                "kind": "field",
                "field": "test.spent",
                "test": {"op": "number_below", "number": 5},
            },
        ],
    },
    "registered_on_a_day": {
        "kind": "field",
        "field": "test.at",
        "test": {"op": "day_on", "day": "2026-11-22"},
    },
    "friend_of_every_account": {"kind": "friendship", "on_every": True},
    "in_a_segment_twice": {
        "kind": "any",
        "rules": [
            {"kind": "segment", "segment_id": str(SEGMENTS[0])},
            {"kind": "not", "rule": {"kind": "segment", "segment_id": str(SEGMENTS[0])}},
        ],
    },
}


def frame(**more: Any) -> Frame:
    return Frame(WORKSPACE, NOW, ZONE, {SEGMENTS[0]: read_rule(has(0))}, **more)


def written(statement: Select[Any]) -> str:
    """Return a statement as lines, with its parameters behind it."""
    compiled = statement.compile(dialect=postgresql.dialect())
    words = re.sub(r"\s+", " ", str(compiled))
    words = re.sub(r" (FROM|WHERE|AND|UNION ALL|GROUP BY|HAVING|ORDER BY) ", r"\n\1 ", words)
    params = "\n".join(f"-- {name} = {value}" for name, value in sorted(compiled.params.items()))
    return f"{words}\n{params}\n"


@pytest.mark.parametrize("name", RULES)
def test_the_sql_of_a_rule(name: str) -> None:
    found = written(compile_rule(read_rule(RULES[name]), frame()))
    path = FOLDER / f"{name}.sql"
    if os.environ.get("HIIKI_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("name", RULES)
def test_every_select_from_a_table_has_its_wall_and_its_person(name: str) -> None:
    """In the statement for one contact, each table is asked for one workspace and one person."""
    sql = written(compile_rule(read_rule(RULES[name]), frame(contact_ids=[ident("someone")])))
    compiled = compile_rule(read_rule(RULES[name]), frame(contact_ids=[ident("someone")])).compile(
        dialect=postgresql.dialect()
    )
    tables = re.findall(r"(?:FROM|JOIN) ([a-z]+\.\w+)", sql)
    of_people = [table for table in tables if table not in ("content.link", "workspace.channel")]
    assert of_people
    assert len(re.findall(r"workspace_id = %\(", sql)) == len(tables)
    assert len(re.findall(r"(?:\.id|contact_id) = ANY \(%\(people\)s", sql)) == len(of_people)
    assert {v for k, v in compiled.params.items() if k.startswith("workspace_id")} == {WORKSPACE}
