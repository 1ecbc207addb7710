"""From a rule to one SQL statement: the only place where a rule gets its meaning.

Every condition is a **set** of contact ids, a plain SELECT that carries its own
`workspace_id`; belonging to it is a semi-join, not belonging to it an anti-join. `all` is
the joins beside one another, `any` is one semi-join with the UNION ALL of the sets. So
there is no OR between subqueries anywhere: PostgreSQL joins by hash and may spill or go
parallel, instead of asking a subquery for each person, and no branch can get past the
wall of another.

`not` never reaches SQL as NOT around a comparison, where NULL would swallow it. What is
wanted of a rule (that it be true, false, not true, not false) is carried down to the
conditions, and each says which rows prove it (see `rules` for the logic).

With `contact_id`, every set is that one person's: the same statement tells whether she is in
it, in index look-ups alone.

Time: "now" and "today" are the frame's, so that all conditions of a statement agree; days
are those of the workspace's time zone.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, aliased

from hiiki.contacts.models import Contact, ContactAttribute, ContactTag, Friendship
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.segments.comparisons import (
    ChoiceTest,
    DayBetween,
    DayMonth,
    DaysAgo,
    DayTest,
    FlagTest,
    KnownTest,
    TextTest,
    YearsAgo,
)
from hiiki.segments.predicates import (
    Frame,
    answer_passes,
    attribute_passes,
    compares,
    day_passes,
    is_known,
    number_compares,
    text_passes,
    within,
)
from hiiki.segments.rules import (
    AllOf,
    Answered,
    AnyOf,
    AnyRule,
    AttributeIs,
    Befriended,
    Everyone,
    Happened,
    InSegment,
    Not,
    ProfileIs,
    Tagged,
)
from hiiki.timeline.models import Event

ANSWER_KIND = "survey_answer"
"""The event of an answer: its subject is the question's id, its data has `choice_ids`, `text`."""

Ids: TypeAlias = "Select[UUID] | CompoundSelect[UUID]"
Quals: TypeAlias = "list[ColumnElement[bool]]"


class Want(Enum):
    """What is asked of a part of the rule."""

    TRUE = "true"
    FALSE = "false"
    NOT_TRUE = "not true"
    NOT_FALSE = "not false"


_OPPOSITE = {
    Want.TRUE: Want.FALSE,
    Want.FALSE: Want.TRUE,
    Want.NOT_TRUE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.NOT_TRUE,
}
_HOLDS = (Want.TRUE, Want.NOT_FALSE)
"""For what is never unknown, these two are one; so are the other two."""


def compile_rule(rule: AnyRule, frame: Frame) -> Select[UUID]:
    """Return the statement that gives the ids of all contacts for whom `rule` is true.

    It walls itself in, so it is marked `scoped_by_hand`; a statement that it becomes a part
    of has to say so too. Raises `Invalid` when segments refer to each other in a circle or
    to one that is not in the frame.
    """
    found = _Compiler(frame).members(rule, Want.TRUE)
    return found.execution_options(scoped_by_hand=True)


class _Compiler:
    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.ctes: dict[UUID, CTE] = {}
        self.open: list[UUID] = []

    # --- groups ---

    def members(self, rule: AnyRule, want: Want) -> Select[UUID]:
        person = aliased(Contact)
        query = select(person.id.label("contact_id")).where(
            person.workspace_id == self.frame.workspace_id
        )
        if self.frame.contact_id is not None:
            query = query.where(person.id == self.frame.contact_id)
        return query.where(*self.quals(rule, want, person))

    def quals(self, rule: AnyRule, want: Want, person: type[Contact]) -> Quals:
        """Return what must be true of `person` so that `rule` is as wanted; all of it."""
        match rule:
            case AllOf() | AnyOf():
                everywhere = isinstance(rule, AllOf) == (want in _HOLDS)
                if everywhere or len(rule.rules) == 1:
                    return [qual for part in rule.rules for qual in self.quals(part, want, person)]
                sets = [self.ids(part, want) for part in rule.rules]
                return [_in(union_all(*sets), person)]
            case Not(or_unknown=True):
                inner = Want.NOT_TRUE if want in _HOLDS else Want.TRUE
                return self.quals(rule.rule, inner, person)
            case Not():
                return self.quals(rule.rule, _OPPOSITE[want], person)
            case Everyone():
                return [] if want in _HOLDS else [false()]
            case ProfileIs():
                return [self.profile(rule, want, person)]
            case Tagged(op="has_all") if len(rule.tag_ids) > 1:
                each = [Tagged(kind="tag", tag_ids=[ident]) for ident in rule.tag_ids]
                return self.quals(AllOf(kind="all", rules=list(each)), want, person)
            case _:
                source, inside = self.source(rule, want)
                return [_in(source, person) if inside else not_(_in(source, person))]

    def ids(self, rule: AnyRule, want: Want) -> Ids:
        """Return the contact ids for whom `rule` is as wanted, for a UNION ALL."""
        if isinstance(rule, Tagged | AttributeIs | Befriended | Answered | Happened | InSegment):
            single = not isinstance(rule, Tagged) or rule.op != "has_all" or len(rule.tag_ids) == 1
            if single:
                source, inside = self.source(rule, want)
                if inside:
                    return source
        return self.members(rule, want)

    # --- conditions that are sets ---

    def source(self, rule: AnyRule, want: Want) -> tuple[Ids, bool]:
        """Return a set and whether one has to be inside it."""
        holds = want in _HOLDS
        match rule:
            case Tagged():
                return self.tagged(rule), holds == (rule.op != "has_not")
            case AttributeIs():
                return self.attribute(rule, want)
            case Befriended():
                return self.befriended(rule), holds
            case Answered():
                return self.answered(rule), holds
            case Happened():
                source, inside = self.happened(rule)
                return source, inside == holds
            case InSegment():
                return self.in_segment(rule), holds
            case _:
                raise AssertionError(f"{rule.kind} is no set")

    def mine(
        self, kind: type[ContactTag | ContactAttribute | Friendship | Event], *extra: Any
    ) -> Select[UUID]:
        """Return the contact ids of this workspace's rows of a table."""
        query = select(kind.contact_id.label("contact_id")).where(
            kind.workspace_id == self.frame.workspace_id
        )
        if self.frame.contact_id is not None:
            query = query.where(kind.contact_id == self.frame.contact_id)
        return query.where(*extra)

    def tagged(self, rule: Tagged) -> Ids:
        if len(rule.tag_ids) == 1:
            return self.mine(ContactTag, ContactTag.tag_id == rule.tag_ids[0])
        return self.mine(ContactTag, ContactTag.tag_id.in_(rule.tag_ids))

    def attribute(self, rule: AttributeIs, want: Want) -> tuple[Ids, bool]:
        row = ContactAttribute
        here = row.attribute_id == rule.attribute_id
        test = rule.test
        if isinstance(test, KnownTest):
            known = or_(
                is_known(row.text),
                row.number.is_not(None),
                row.day.is_not(None),
                is_known(row.choice),
                func.cardinality(row.choices) > 0,
            )
            return self.mine(row, here, known), (test.op == "known") == (want in _HOLDS)
        known, passes = attribute_passes(test, row, self.frame.today)
        if rule.or_unknown:
            # Not proved false is as good as true.
            proof = self.mine(row, here, known, not_(passes))
            return proof, want not in _HOLDS
        wants_pass = want in (Want.TRUE, Want.NOT_TRUE)
        proof = self.mine(row, here, known, passes if wants_pass else not_(passes))
        return proof, want in (Want.TRUE, Want.FALSE)

    def profile(self, rule: ProfileIs, want: Want, person: type[Contact]) -> ColumnElement[bool]:
        column: InstrumentedAttribute[Any] = getattr(person, rule.field)
        is_text = rule.field not in ("birthday", "is_purchaser")
        known: ColumnElement[bool] = is_known(column) if is_text else column.is_not(None)
        test = rule.test
        match test:
            case KnownTest():
                return known if (test.op == "known") == (want in _HOLDS) else not_(known)
            case FlagTest():
                return column.is_((test.op == "flag_yes") == (want in _HOLDS))
            case TextTest():
                passes = text_passes(test, column)
            case ChoiceTest():
                passes = column.in_(test.choices)
            case DayTest() | DayBetween() | DayMonth() | DaysAgo() | YearsAgo():
                passes = day_passes(test, column, self.frame.today)
            case _:
                raise AssertionError(f"{test.op} is not for the profile")
        if rule.or_unknown:
            return or_(not_(known), passes) if want in _HOLDS else and_(known, not_(passes))
        match want:
            case Want.TRUE:
                return and_(known, passes)
            case Want.FALSE:
                return and_(known, not_(passes))
            case Want.NOT_TRUE:
                return or_(not_(known), not_(passes))
            case Want.NOT_FALSE:
                return or_(not_(known), passes)

    def befriended(self, rule: Befriended) -> Ids:
        row = Friendship
        query = self.mine(row)
        if rule.status != "either":
            query = query.where(row.status == rule.status)
        if rule.channel_id is not None:
            query = query.where(row.channel_id == rule.channel_id)
        return query.where(*within(rule.followed, row.followed_at, self.frame))

    def answered(self, rule: Answered) -> Ids:
        here = and_(Event.kind == ANSWER_KIND, Event.subject == str(rule.question_id))
        if rule.op == "answered":
            return self.mine(Event, here)
        if rule.any_time:
            return self.mine(Event, here, answer_passes(rule, Event.data))
        latest = (
            self.mine(Event, here)
            .add_columns(Event.data.label("data"))
            .ext(distinct_on(Event.contact_id))
            .order_by(Event.contact_id, Event.at.desc(), Event.id.desc())
            .subquery()
        )
        return select(latest.c.contact_id).where(answer_passes(rule, latest.c.data))

    def happened(self, rule: Happened) -> tuple[Ids, bool]:
        """Return a set of people and whether being inside it is what the rule asks for.

        People without any such event are in no set of events. When the rule is true of them
        too ("at most twice"), the set is of those of whom it is false.
        """
        row = Event
        query = self.mine(row, row.kind == rule.event)
        if rule.subject:
            query = query.where(row.subject == rule.subject)
        if rule.channel_id is not None:
            query = query.where(row.channel_id == rule.channel_id)
        query = query.where(*within(rule.period, row.at, self.frame))
        nothing = None if rule.measure == "max" else Decimal(0)
        true_of_nobody = nothing is not None and number_compares(rule.op, nothing, rule.number)
        if rule.measure == "count":
            # With a threshold of one, that there is a row is all there is to know.
            if (rule.op, rule.number) in (("at_least", 1), ("exactly", 0), ("at_most", 0)):
                return query, not true_of_nobody
            amount: ColumnElement[Any] = func.count()
        elif rule.measure == "sum":
            amount = func.coalesce(func.sum(row.value), 0)
        else:
            amount = func.max(row.value)
        passes = compares(rule.op, amount, rule.number)
        query = query.group_by(row.contact_id)
        if true_of_nobody:
            return query.having(not_(passes)), False
        return query.having(passes), True

    def in_segment(self, rule: InSegment) -> Ids:
        ident = rule.segment_id
        if ident in self.open:
            raise Invalid(_("Segments refer to each other in a circle."))
        found = self.ctes.get(ident)
        if found is None:
            inner = self.frame.segments.get(ident)
            if inner is None:
                raise Invalid(_("This segment refers to a segment that no longer exists."))
            self.open.append(ident)
            # However often it is referred to, it stands in the statement once.
            found = self.members(inner, Want.TRUE).cte(f"segment_{len(self.ctes) + 1}")
            self.open.pop()
            self.ctes[ident] = found
        return select(found.c.contact_id)


def _in(source: Ids, person: type[Contact]) -> ColumnElement[bool]:
    inner = source.subquery()
    return exists(
        select(inner.c.contact_id).where(inner.c.contact_id == person.id).correlate(person)
    )
