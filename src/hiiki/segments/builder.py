"""The builder's form and the rule: one into the other, and the edits that change its shape.

The form is a tree of nodes. A node is a group (`all`, `any`) with its `rules`, or a
condition; unlike in the rule, `not` is no node of its own but a mark on one (`negate`). So
errors, which name places in the rule, are led back to places in the form.
"""

from __future__ import annotations

import unicodedata
from typing import Any, cast, get_args

from hiiki.kit.i18n import Text
from hiiki.segments.comparisons import TESTS
from hiiki.segments.conditions import CONDITIONS
from hiiki.segments.rules import AllOf, AnyOf, AnyRule, Not

Node = dict[str, Any]

ROOT = "rule"
"""The first part of every field's name in the form."""
GROUPS = ("all", "any")
EVERY = "every"
"""Chosen in place of an account: every account, and not any."""

_FIELDS_OF_OP = {
    op: tuple(name for name in model.model_fields if name != "op")
    for model in TESTS
    for op in get_args(model.model_fields["op"].annotation)
}
_FIELDS_OF_PERIOD = {
    "recent": ("days",),
    "earlier": ("days",),
    "dates": ("first", "until"),
    "after_event": ("event", "subject"),
    "before_event": ("event", "subject"),
}
_FIELDS_OF_KIND = {
    "tag": ("op", "tag_ids"),
    "attribute": ("attribute_id",),
    "profile": ("field",),
    "friendship": ("status", "channel_id"),
    "answer": ("question_id", "op"),
    "field": ("field",),
    "event": ("measure", "op", "number", "high"),
    "first_or_last": ("which",),
    "sequence": ("happened", "days"),
    "message": ("did", "about", "about_id"),
    "segment": ("segment_id",),
    "list": ("list_id",),
    "random": ("low", "high", "seed"),
    "everyone": (),
}
_DEED = ("event", "subject", "channel_id")
_PERIODS_OF_KIND = {
    "friendship": "followed",
    "event": "period",
    "first_or_last": "period",
    "sequence": "period",
    "message": "period",
}
_NUMBERS = {"number", "low", "high", "days", "month"}


# --- rule to form -----------------------------------------------------------------------


def form_of(rule: AnyRule) -> Node:
    """Return a rule as the builder's tree; its root is always a group."""
    node = _node(rule)
    if node["kind"] not in GROUPS:
        node = {"kind": "all", "rules": [node]}
    return node


def blank() -> Node:
    """Return the tree that a new segment begins with: one condition, still to be filled in."""
    return {"kind": "all", "rules": [new_condition()]}


def new_condition() -> Node:
    """Return a condition that is still to be filled in."""
    return {"kind": "tag", "op": "has", "tag_ids": []}


def _node(rule: AnyRule) -> Node:
    if isinstance(rule, AllOf | AnyOf):
        return {"kind": rule.kind, "rules": [_node(part) for part in rule.rules]}
    if isinstance(rule, Not):
        inner = _node(rule.rule)
        if is_on(inner.get("negate")):
            inner = {"kind": "all", "rules": [inner]}
        # "Not (true or unknown)" is "known to be false", whatever the negation says of it.
        or_unknown = rule.or_unknown and not is_on(inner.get("or_unknown"))
        return {**inner, "negate": True, "or_unknown": or_unknown}
    node = rule.model_dump(mode="json")
    if node.pop("on_every", False):
        node["channel_id"] = EVERY
    if "happened" in node:
        node["happened"] = str(node["happened"]).lower()  # a choice of two, and no box
    return node


# --- form to rule -----------------------------------------------------------------------


def is_on(value: Any) -> bool:
    """Tell whether a checkbox, a select of yes and no, or a flag is on."""
    return value in (True, "true", "on", "1")


def rule_of(node: Any, form_path: str = ROOT, rule_path: str = "") -> tuple[Any, dict[str, str]]:
    """Return the form's tree as JSON of a rule, and the form's path for each path of the rule."""
    if not isinstance(node, dict):
        return node, {rule_path: form_path}
    fields = cast("Node", node)
    negated = is_on(fields.get("negate"))
    inner_path = _join(rule_path, "rule") if negated else rule_path
    paths = {rule_path: form_path, inner_path: form_path}
    kind = fields.get("kind")
    if kind in GROUPS:
        parts: list[Any] = []
        for index, part in enumerate(children(fields)):
            found, below = rule_of(
                part, f"{form_path}.rules.{index}", _join(inner_path, f"rules.{index}")
            )
            parts.append(found)
            paths |= below
        rule: Any = {"kind": kind, "rules": parts}
    else:
        rule = _condition(fields, kind, negated)
    if negated:
        rule = {"kind": "not", "rule": rule, "or_unknown": is_on(fields.get("or_unknown"))}
    return rule, paths


def children(node: Node) -> list[Any]:
    """Return what stands in a group, as the very list that is drawn."""
    rules = node.get("rules")
    return cast("list[Any]", rules) if isinstance(rules, list) else []


def _condition(fields: Node, kind: Any, negated: bool) -> Node:
    found = _only(fields, _FIELDS_OF_KIND.get(str(kind), ()))
    found["kind"] = kind
    match kind:
        case "attribute" | "profile" | "field":
            found["test"] = _test(fields.get("test"))
            found["or_unknown"] = is_on(fields.get("or_unknown")) and not negated
        case "tag":
            _lists(found, "tag_ids")
        case "friendship":
            found |= _befriended(fields)
        case "answer":
            of_op = {"choices": ("choice_ids",), "contains": ("text",)}
            found |= _only(fields, of_op.get(str(fields.get("op")), ()))
            found["any_time"] = is_on(fields.get("any_time"))
        case "event" | "first_or_last":
            found |= _deed(fields)
        case "sequence":
            found |= {name: _deed(_inner(fields, name)) for name in ("first", "then")}
        case _:
            pass
    period = _PERIODS_OF_KIND.get(str(kind), "")
    if period in fields and fields.get("status") != "never":
        given = _inner(fields, period)
        wanted = ("kind", *_FIELDS_OF_PERIOD.get(str(given.get("kind")), ()))
        found[period] = _only(given, wanted)
    return found


def _inner(fields: Node, name: str) -> Node:
    found = fields.get(name)
    return cast("Node", found) if isinstance(found, dict) else {}


def _test(given: Any) -> Node:
    test = cast("Node", given) if isinstance(given, dict) else {}
    op = str(test.get("op", ""))
    found = _only(test, ("op", *_FIELDS_OF_OP.get(op, ())))
    if op.startswith("choice"):
        _lists(found, "choices")
    return found


def _befriended(fields: Node) -> Node:
    # What cannot be asked of who was never a friend is not drawn for them either.
    if fields.get("status") == "never":
        return {"on_every": False, "sources": []}
    found = {"on_every": fields.get("channel_id") == EVERY, "sources": fields.get("sources", [])}
    return found | ({"channel_id": ""} if found["on_every"] else {})


def _deed(fields: Node) -> Node:
    """Return which events are meant; the test of their values only where there is one."""
    found = _only(fields, _DEED)
    value = _test(fields.get("value"))
    return found | ({"value": value} if value.get("op") else {})


def _lists(found: Node, *names: str) -> None:
    # A browser sends nothing for boxes of which none is ticked.
    for name in names:
        found.setdefault(name, [])


def _only(fields: Node, wanted: tuple[str, ...]) -> Node:
    return {name: _typed(name, fields[name]) for name in wanted if name in fields}


def _typed(name: str, value: Any) -> Any:
    # Japanese keyboards easily type １２３ for 123.
    if name in _NUMBERS and isinstance(value, str):
        return unicodedata.normalize("NFKC", value).replace(",", "").strip()
    if name == "day" and isinstance(value, str):
        return unicodedata.normalize("NFKC", value).strip()
    return value.strip() if name == "text" and isinstance(value, str) else value


def in_form(errors: dict[str, Text], paths: dict[str, str]) -> dict[str, Text]:
    """Return errors at paths of the rule as errors at the form's fields."""
    found: dict[str, Text] = {}
    for path, text in errors.items():
        places = [place for place in paths if _is_within(path, place)]
        place = max(places, key=len, default="")
        rest = path.removeprefix(place).strip(".")
        found.setdefault(_join(paths.get(place, ROOT), rest), text)
    return found


def _is_within(path: str, place: str) -> bool:
    return place == "" or path == place or path.startswith(f"{place}.")


def _join(path: str, rest: str) -> str:
    return f"{path}.{rest}" if path and rest else path or rest


# --- what was posted ---------------------------------------------------------------------


def node_at(tree: Node, path: str) -> Node:
    """Return the innermost node that a field's path leads through."""
    found = tree
    steps = path.split(".")[1:]
    for name, number in zip(steps[::2], steps[1::2], strict=False):
        below = children(found)
        if name != "rules" or not number.isdigit() or int(number) >= len(below):
            break
        found = below[int(number)]
    return found


def tidy(node: Any) -> Node:
    """Return posted data as a tree that can be drawn, whatever was posted."""
    if not isinstance(node, dict):
        return blank()
    fields = cast("Node", node)
    _split_kind(fields)
    if fields.get("kind") not in GROUPS:
        fields = {"kind": "all", "rules": [fields]} if fields.get("kind") in CONDITIONS else blank()
    return _tidied(fields, 0)


def _split_kind(node: Node) -> None:
    # "None of these" is chosen as one thing, and is "any of these", negated.
    kind = node.get("kind")
    if kind in ("not_all", "not_any"):
        node |= {"kind": kind.removeprefix("not_"), "negate": True}


def _tidied(node: Node, depth: int) -> Node:
    _split_kind(node)
    # Deeper than any rule may be: the error says so, and nobody needs to see all of it.
    if node.get("kind") in GROUPS:
        parts = [cast("Node", child) for child in children(node) if isinstance(child, dict)]
        node["rules"] = [_tidied(part, depth + 1) for part in parts] if depth < 30 else []
    elif node.get("kind") not in CONDITIONS:
        node["kind"] = "tag"
    return node
