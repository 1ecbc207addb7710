"""What the builder offers to choose from, and what each condition looks like at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import select

from hiiki.contacts.models import Attribute
from hiiki.contacts.prefectures import PREFECTURES, prefecture_name
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Option, road
from hiiki.segments.builder import GROUPS, Node
from hiiki.segments.check import ops_of_kind
from hiiki.segments.conditions import PROFILE_FIELDS
from hiiki.segments.explain import MONTHS, PROFILE_LABELS
from hiiki.segments.names import ANSWER_PICKER, QUESTION_PICKER, event_kind
from hiiki.workspace.models import Channel

Pairs = list[tuple[str, Text | str]]

KIND_LABELS: dict[str, Text] = {
    "tag": _("Tag"),
    "attribute": _("Attribute (own fields)"),
    "profile": _("Profile (name, birthday, …)"),
    "friendship": _("Friend or blocked"),
    "answer": _("Survey answer"),
    "event": _("What happened"),
    "segment": _("Another segment"),
    "everyone": _("Everyone"),
}
GROUP_KINDS: Pairs = [
    ("all", _("All of these are true")),
    ("any", _("At least one of these is true")),
    ("not_all", _("Not all of these are true")),
    ("not_any", _("None of these is true")),
]
TAG_OPS: Pairs = [
    ("has", _("has one of these")),
    ("has_all", _("has all of these")),
    ("has_not", _("has none of these")),
]
STATUSES: Pairs = [
    ("following", _("is a friend now")),
    ("blocked", _("has blocked")),
    ("either", _("is or was a friend")),
    ("never", _("was never a friend")),
]
PERIODS: Pairs = [
    ("ever", _("at any time")),
    ("recent", _("in the last … days")),
    ("earlier", _("more than … days ago")),
    ("dates", _("between two days")),
]
ANSWER_OPS: Pairs = [
    ("choices", _("is one of these")),
    ("contains", _("contains the words")),
    ("answered", _("was given at all")),
]
MEASURES: Pairs = [("count", _("number of times")), ("sum", _("sum")), ("max", _("greatest value"))]
EVENT_OPS: Pairs = [
    ("at_least", _("at least")),
    ("at_most", _("at most")),
    ("exactly", _("exactly")),
]
OP_LABELS: dict[str, Text] = {
    "text_is": _("is"),
    "text_contains": _("contains"),
    "text_starts": _("begins with"),
    "text_ends": _("ends with"),
    "number_is": _("equals"),
    "number_above": _("is above"),
    "number_at_least": _("is at least"),
    "number_below": _("is below"),
    "number_at_most": _("is at most"),
    "number_between": _("is between"),
    "day_on": _("is on"),
    "day_before": _("is before"),
    "day_after": _("is after"),
    "day_between": _("is between"),
    "day_month": _("is in the month"),
    "day_of_year": _("is on a day of any year"),
    "anniversary": _("comes round … days from now"),
    "days_ago": _("was … days ago"),
    "days_ahead": _("is … days ahead"),
    "years_ago": _("was … years ago (age)"),
    "choice_any": _("is one of these"),
    "choices_any": _("includes one of these"),
    "choices_all": _("includes all of these"),
    "choices_none": _("includes none of these"),
    "flag_yes": _("is yes"),
    "flag_no": _("is no"),
    "known": _("is known"),
    "unknown": _("is not known"),
}


@dataclass(slots=True)
class Offers:
    """The lists of one workspace, for one drawing of the builder."""

    tags: list[Option]
    attributes: dict[str, Attribute]
    questions: list[Option]
    answers: list[Option]
    segments: list[Option]
    channels: list[Option]
    events: Pairs
    subjects: dict[str, list[Option]] = field(default_factory=dict[str, list[Option]])
    """Kind of event → what it may be about, for those kinds that are in the tree."""

    kinds: Pairs = field(default_factory=lambda: list(KIND_LABELS.items()))
    profile_fields: Pairs = field(default_factory=lambda: list(PROFILE_LABELS.items()))
    months: Pairs = field(
        default_factory=lambda: [(str(number), month) for number, month in enumerate(MONTHS)]
    )
    group_kinds: Pairs = field(default_factory=lambda: GROUP_KINDS)
    tag_ops: Pairs = field(default_factory=lambda: TAG_OPS)
    statuses: Pairs = field(default_factory=lambda: STATUSES)
    periods: Pairs = field(default_factory=lambda: PERIODS)
    answer_ops: Pairs = field(default_factory=lambda: ANSWER_OPS)
    measures: Pairs = field(default_factory=lambda: MEASURES)
    event_ops: Pairs = field(default_factory=lambda: EVENT_OPS)

    @property
    def attribute_options(self) -> list[Option]:
        """The shop's own fields."""
        return [Option(ident, found.label) for ident, found in self.attributes.items()]

    def ops(self, kind: str) -> Pairs:
        """Return the tests that suit a kind of value."""
        return [(op, OP_LABELS[op]) for op in ops_of_kind(kind)]

    def kind_of(self, node: Node) -> str:
        """Return the kind of value that an attribute's or profile's condition compares."""
        if node["kind"] == "profile":
            return PROFILE_FIELDS[node["field"]]
        found = self.attributes.get(node["attribute_id"])
        return found.kind if found is not None else ""

    def choices(self, node: Node) -> list[Option]:
        """Return the choices of the field that a condition compares."""
        if node["kind"] == "profile":
            return [Option(each, prefecture_name(each)) for each in PREFECTURES]
        found = self.attributes.get(node["attribute_id"])
        return [Option(str(each), str(each)) for each in found.choices] if found else []

    def answers_to(self, question_id: str) -> list[Option]:
        """Return a question's choices, by their own ids."""
        start = f"{question_id}:"
        return [
            Option(option.value.removeprefix(start), option.label)
            for option in self.answers
            if option.value.startswith(start)
        ]


async def offers_for(session: WorkspaceSession, tree: Node, segment_id: str = "") -> Offers:
    """Read what the builder offers, and fill the tree up with what its fields begin with.

    `segment_id` is the segment that is edited: it is not offered to itself.
    """
    attributes = await session.scalars(
        select(Attribute).order_by(Attribute.position, Attribute.label)
    )
    channels = await session.execute(select(Channel.id, Channel.name).order_by(Channel.name))
    offers = Offers(
        tags=await _options(session, "tag"),
        attributes={str(each.id): each for each in attributes},
        questions=await _options(session, QUESTION_PICKER),
        answers=await _options(session, ANSWER_PICKER),
        segments=[
            option for option in await _options(session, "segment") if option.value != segment_id
        ],
        channels=[Option(str(ident), name) for ident, name in channels],
        events=[(kind.name, kind.label) for kind in road().events.values()],
    )
    complete(tree, offers)
    for name in _event_names(tree):
        kind = event_kind(name)
        if kind is not None and kind.subject:
            offers.subjects[name] = await _options(session, kind.subject)
    return offers


async def _options(session: WorkspaceSession, picker: str) -> list[Option]:
    found = road().pickers.get(picker)
    return [] if found is None else list(await found.options(session))


def _event_names(node: Node) -> set[str]:
    if node["kind"] in GROUPS:
        return {name for part in node["rules"] for name in _event_names(part)}
    return {node["event"]} if node["kind"] == "event" else set()


def complete(node: Node, offers: Offers) -> None:
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
        case "attribute" | "profile":
            _value_condition(node, offers)
        case "friendship":
            _one_of(node, "status", STATUSES)
            _a_text(node, "channel_id")
            _period(node, "followed")
        case "answer":
            _a_text(node, "question_id")
            _one_of(node, "op", ANSWER_OPS)
            _a_list(node, "choice_ids")
            _a_text(node, "text")
            node.setdefault("any_time", False)
        case "event":
            _a_text(node, "event", offers.events[0][0] if offers.events else "")
            _a_text(node, "subject")
            _a_text(node, "channel_id")
            _one_of(node, "measure", MEASURES)
            _one_of(node, "op", EVENT_OPS)
            _a_text(node, "number", "1")
            _period(node, "period")
        case "segment":
            _a_text(node, "segment_id")
        case _:
            pass


def _value_condition(node: Node, offers: Offers) -> None:
    if node["kind"] == "profile":
        _one_of(node, "field", list(PROFILE_LABELS.items()))
    else:
        first = next(iter(offers.attributes), "")
        _a_text(node, "attribute_id", first)
    test = node.get("test")
    node["test"] = test = cast("Node", test) if isinstance(test, dict) else {}
    kind = offers.kind_of(node)
    ops = ops_of_kind(kind) if kind else []
    if test.get("op") not in ops:
        test["op"] = ops[0] if ops else ""
    for name in ("text", "number", "low", "high", "day", "first", "until"):
        _a_text(test, name)
    _a_text(test, "month", "0")
    _a_list(test, "choices")


def _period(node: Node, name: str) -> None:
    given = node.get(name)
    node[name] = period = cast("Node", given) if isinstance(given, dict) else {}
    _one_of(period, "kind", PERIODS)
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
