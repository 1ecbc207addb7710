"""A node of the builder with every field that its kind has, so that it can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from hiiki.contacts.models import Attribute
from hiiki.kit.road import Field
from hiiki.segments.builder import EVERY, GROUPS, Node
from hiiki.segments.check import ops_of_kind
from hiiki.segments.conditions import MESSAGE_DEEDS
from hiiki.segments.explain import PROFILE_LABELS
from hiiki.segments.labels import (
    ANSWER_OPS,
    DIDS,
    EVENT_OPS,
    EVENT_PERIODS,
    HAPPENED,
    MEASURES,
    PERIODS,
    STATUSES,
    TAG_OPS,
    VALUE_OPS,
    WHICH,
    Pairs,
)

_TEXTS_OF_TEST = ("text", "number", "low", "high", "day", "first", "until")


class Offered(Protocol):
    """What of `hiiki.segments.offers.Offers` decides what fields begin with."""

    events: Pairs
    attributes: dict[str, Attribute]
    fields: dict[str, Field]

    def kind_of(self, node: Node) -> str:
        """Return the kind of value that a condition compares."""
        ...


def event_names(node: Node) -> set[str]:
    """Return the kinds of event that stand in a completed tree."""
    if node["kind"] in GROUPS:
        return {name for part in node["rules"] for name in event_names(part)}
    found = {node.get("event"), node.get("period", {}).get("event")}
    found |= {node.get(name, {}).get("event") for name in ("first", "then")}
    return {name for name in found if name}


def abouts(node: Node) -> set[str]:
    """Return the pickers that a completed tree's conditions about messages choose from."""
    if node["kind"] in GROUPS:
        return {name for part in node["rules"] for name in abouts(part)}
    return {node["about"]} - {"any"} if node["kind"] == "message" else set()


def kinds_in(node: Node) -> set[str]:
    """Return the kinds of condition in a tree."""
    if node["kind"] in GROUPS:
        return {name for part in node["rules"] for name in kinds_in(part)}
    return {node["kind"]}


def complete(node: Node, offers: Offered) -> None:
    """Give every field that the node's kind has a value that can be drawn, in place."""
    node.setdefault("negate", False)
    node.setdefault("or_unknown", False)
    match node["kind"]:
        case "all" | "any":
            for part in node["rules"]:
                complete(part, offers)
        case "tag":
            _one_of(node, "op", TAG_OPS)
            _a_list(node, "tag_ids")
        case "attribute" | "profile" | "field":
            _value_condition(node, offers)
        case "friendship":
            _one_of(node, "status", STATUSES)
            _a_text(node, "channel_id")
            if node["channel_id"] == EVERY and node["status"] == "never":
                node["channel_id"] = ""
            _a_list(node, "sources")
            _period(node, "followed", PERIODS)
        case "answer":
            _a_text(node, "question_id")
            _one_of(node, "op", ANSWER_OPS)
            _a_list(node, "choice_ids")
            _a_text(node, "text")
            node.setdefault("any_time", False)
        case "event":
            _deed(node, offers)
            _one_of(node, "measure", MEASURES)
            _one_of(node, "op", EVENT_OPS)
            _a_text(node, "number", "1")
            _a_text(node, "high")
            _period(node, "period", EVENT_PERIODS, offers)
        case "first_or_last":
            _deed(node, offers)
            _one_of(node, "which", WHICH)
            _period(node, "period", EVENT_PERIODS, offers)
        case "sequence":
            for name in ("first", "then"):
                _deed(_inner(node, name), offers)
            node["happened"] = str(node.get("happened", "true")).lower()
            _one_of(node, "happened", HAPPENED)
            _a_text(node, "days")
            _period(node, "period", PERIODS)
        case "message":
            _one_of(node, "did", DIDS)
            _one_of(node, "about", [("any", ""), *((a, "") for a in MESSAGE_DEEDS[node["did"]][1])])
            _a_text(node, "about_id")
            _period(node, "period", EVENT_PERIODS, offers)
        case "segment":
            _a_text(node, "segment_id")
        case "list":
            _a_text(node, "list_id")
        case "random":
            _a_text(node, "low", "0")
            _a_text(node, "high", "10")
            _a_text(node, "seed")
        case _:
            pass


def _value_condition(node: Node, offers: Offered) -> None:
    if node["kind"] == "profile":
        _one_of(node, "field", list(PROFILE_LABELS.items()))
    elif node["kind"] == "field":
        _a_text(node, "field", next(iter(offers.fields), ""))
    else:
        first = next(iter(offers.attributes), "")
        _a_text(node, "attribute_id", first)
    test = node.get("test")
    node["test"] = test = cast("Node", test) if isinstance(test, dict) else {}
    kind = offers.kind_of(node)
    ops = ops_of_kind(kind) if kind else []
    if test.get("op") not in ops:
        test["op"] = ops[0] if ops else ""
    for name in _TEXTS_OF_TEST:
        _a_text(test, name)
    _a_text(test, "month", "0")
    _a_list(test, "choices")


def _deed(node: Node, offers: Offered) -> None:
    _a_text(node, "event", offers.events[0][0] if offers.events else "")
    _a_text(node, "subject")
    _a_text(node, "channel_id")
    value = _inner(node, "value")
    _one_of(value, "op", VALUE_OPS)
    for name in ("number", "low", "high"):
        _a_text(value, name)


def _inner(node: Node, name: str) -> Node:
    given = node.get(name)
    node[name] = found = cast("Node", given) if isinstance(given, dict) else {}
    return found


def _period(node: Node, name: str, kinds: Pairs, offers: Offered | None = None) -> None:
    period = _inner(node, name)
    _one_of(period, "kind", kinds)
    if offers is not None:
        _a_text(period, "event", offers.events[0][0] if offers.events else "")
        _a_text(period, "subject")
    _a_text(period, "days", "30")
    _a_text(period, "first")
    _a_text(period, "until")


def _one_of(node: Node, name: str, pairs: Pairs) -> None:
    if node.get(name) not in [value for value, _label in pairs]:
        node[name] = pairs[0][0]


def _a_text(node: Node, name: str, default: str = "") -> None:
    value: Any = node.get(name, default)
    node[name] = "" if value is None or isinstance(value, dict | list) else str(value)


def _a_list(node: Node, name: str) -> None:
    value: Any = node.get(name)
    if isinstance(value, list | tuple):
        node[name] = [str(each) for each in cast("Sequence[Any]", value)]
    else:
        node[name] = [str(value)] if value else []
