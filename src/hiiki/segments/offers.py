"""What the builder offers to choose from: the lists of one workspace."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from hiiki.contacts.models import Attribute, Friendship
from hiiki.contacts.prefectures import PREFECTURES, prefecture_name
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import Field, Option, road
from hiiki.segments.builder import EVERY, Node
from hiiki.segments.check import ops_of_kind
from hiiki.segments.conditions import MESSAGE_DEEDS, PROFILE_FIELDS
from hiiki.segments.explain import MONTHS, PROFILE_LABELS
from hiiki.segments.filling import abouts, complete, event_names, kinds_in
from hiiki.segments.labels import (
    ABOUT,
    ANSWER_OPS,
    DIDS,
    EVENT_OPS,
    EVENT_PERIODS,
    GROUP_KINDS,
    HAPPENED,
    KIND_LABELS,
    MEASURES,
    OP_LABELS,
    PERIODS,
    STATUSES,
    TAG_OPS,
    VALUE_OPS,
    WHICH,
    Pairs,
)
from hiiki.segments.models import PeopleList
from hiiki.segments.names import ANSWER_PICKER, QUESTION_PICKER, event_kind
from hiiki.workspace.models import Channel

LATELY = 5_000


@dataclass(slots=True)
class Offers:
    """The lists of one workspace, for one drawing of the builder."""

    tags: list[Option]
    attributes: dict[str, Attribute]
    questions: list[Option]
    answers: list[Option]
    segments: list[Option]
    channels: list[Option]
    lists: list[Option]
    events: Pairs
    sources: list[Option] = field(default_factory=list[Option])
    """Codes of the routes by which friends came lately."""
    abouts: dict[str, list[Option]] = field(default_factory=dict[str, list[Option]])
    """Picker → what a condition about messages can be about, for those in the tree."""
    fields: dict[str, Field] = field(default_factory=lambda: dict(road().fields))
    subjects: dict[str, list[Option]] = field(default_factory=dict[str, list[Option]])
    """Kind of event → what it may be about, for those kinds that are in the tree."""

    kinds: Pairs = field(
        default_factory=lambda: [
            (kind, label) for kind, label in KIND_LABELS.items() if kind != "field" or road().fields
        ]
    )
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
    event_periods: Pairs = field(default_factory=lambda: EVENT_PERIODS)
    value_ops: Pairs = field(default_factory=lambda: VALUE_OPS)
    which: Pairs = field(default_factory=lambda: WHICH)
    happened: Pairs = field(default_factory=lambda: HAPPENED)
    dids: Pairs = field(default_factory=lambda: DIDS)

    @property
    def attribute_options(self) -> list[Option]:
        """The shop's own fields."""
        return [Option(ident, found.label) for ident, found in self.attributes.items()]

    @property
    def field_options(self) -> list[Option]:
        """What rooms work out about each contact."""
        return [Option(name, str(found.label)) for name, found in self.fields.items()]

    @property
    def accounts(self) -> list[Option]:
        """One account, or every one of them."""
        return [Option(EVERY, str(_("every account"))), *self.channels]

    def about(self, did: str) -> Pairs:
        """Return what a condition about messages can be about."""
        return [(name, ABOUT[name]) for name in ("any", *MESSAGE_DEEDS[did][1])]

    def ops(self, kind: str) -> Pairs:
        """Return the tests that suit a kind of value."""
        return [(op, OP_LABELS[op]) for op in ops_of_kind(kind)]

    def kind_of(self, node: Node) -> str:
        """Return the kind of value that an attribute's or profile's condition compares."""
        if node["kind"] == "profile":
            return PROFILE_FIELDS[node["field"]]
        if node["kind"] == "field":
            known = self.fields.get(node["field"])
            return known.kind if known is not None else ""
        found = self.attributes.get(node["attribute_id"])
        return found.kind if found is not None else ""

    def choices(self, node: Node) -> list[Option]:
        """Return the choices of the field that a condition compares."""
        if node["kind"] == "profile":
            return [Option(each, prefecture_name(each)) for each in PREFECTURES]
        if node["kind"] == "field":
            known = self.fields.get(node["field"])
            return [Option(value, str(label)) for value, label in known.choices] if known else []
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
    lists = await session.execute(select(PeopleList.id, PeopleList.name).order_by(PeopleList.name))
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
        lists=[Option(str(ident), name) for ident, name in lists],
        events=[(kind.name, kind.label) for kind in road().events.values()],
    )
    complete(tree, offers)
    if "friendship" in kinds_in(tree):
        offers.sources = await _sources(session)
    for name in abouts(tree):
        offers.abouts[name] = await _options(session, name)
    for name in event_names(tree):
        kind = event_kind(name)
        if kind is not None and kind.subject:
            offers.subjects[name] = await _options(session, kind.subject)
    return offers


async def _sources(session: WorkspaceSession) -> list[Option]:
    """Return the routes by which the last few thousand friends came."""
    lately = (
        select(Friendship.source)
        .where(Friendship.workspace_id == session.workspace_id)
        .order_by(Friendship.followed_at.desc())
        .limit(LATELY)
        .subquery()
    )
    found = await session.scalars(
        select(lately.c.source)
        .where(lately.c.source.is_not(None))
        .group_by(lately.c.source)
        .order_by(lately.c.source),
        execution_options={"scoped_by_hand": True},
    )
    return [Option(code, code) for code in found]


async def _options(session: WorkspaceSession, picker: str) -> list[Option]:
    found = road().pickers.get(picker)
    return [] if found is None else list(await found.options(session))
