"""Conditions as sets of contact ids: each a plain SELECT that carries its own `workspace_id`.

A condition that is true of people of whom there is no row at all ("bought at most twice", "is
not known to be over 30") is given as the set of those of whom it is **not** true, and who is
meant stands outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from math import ceil
from typing import Any, TypeAlias, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from hiiki.contacts.models import ContactAttribute, ContactTag, Friendship
from hiiki.content.models import Link
from hiiki.db import Base
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Field, road
from hiiki.segments.comparisons import (
    AfterEvent,
    AnyDayTest,
    BeforeEvent,
    ChoicesTest,
    ChoiceTest,
    Dates,
    Earlier,
    Ever,
    KnownTest,
    Period,
    Recent,
    Test,
    TextTest,
)
from hiiki.segments.conditions import (
    MESSAGE_DEEDS,
    PROFILE_FIELDS,
    Answered,
    AttributeIs,
    Befriended,
    Deed,
    FieldIs,
    FirstOrLast,
    Happened,
    Messaged,
    OnList,
    ProfileIs,
    Randomly,
    Sequence,
    Tagged,
)
from hiiki.segments.models import ListMember
from hiiki.segments.predicates import (
    Frame,
    answer_passes,
    holds,
    is_known,
    number_passes,
    passes,
    within,
)
from hiiki.timeline.models import Event, Tally
from hiiki.timeline.tallies import tallied
from hiiki.workspace.models import Channel

ANSWER_KIND = "survey_answer"
"""The event of an answer: its subject is the question's id, its data has `choice_ids`, `text`."""
ONE: ColumnElement[int] = literal_column("1", Integer)
PEOPLE = "people"
"""The parameter with the ids of the people who are asked about, if not everybody is."""

Ids: TypeAlias = "Select[UUID] | CompoundSelect[UUID]"
SetCondition = (
    Tagged
    | AttributeIs
    | FieldIs
    | Befriended
    | Answered
    | Happened
    | FirstOrLast
    | Sequence
    | Messaged
    | OnList
)


def columns_of(model: type[Base]) -> Any:
    """Return the columns of a model's table under a name of its own in the statement.

    Of the bare table: a rule of ten conditions is put together in a millisecond, and in ten
    where each of them is an entity of the ORM.
    """
    return cast("Table", model.__table__).alias().c


class Want(Enum):
    """What is asked of a part of the rule."""

    TRUE = "true"
    FALSE = "false"
    NOT_TRUE = "not true"
    NOT_FALSE = "not false"

    @property
    def holds(self) -> bool:
        """For what is never unknown, `TRUE` and `NOT_FALSE` are one; so are the other two."""
        return self in (Want.TRUE, Want.NOT_FALSE)

    @property
    def opposite(self) -> Want:
        """What is wanted of what a `not` negates: unknown stays unknown."""
        return _OPPOSITE[self]

    @property
    def complement(self) -> Want:
        """What is true of everybody else."""
        return _COMPLEMENT[self]

    def met(self, truth: bool | None) -> bool:
        """Tell whether this is what was wanted."""
        match self:
            case Want.TRUE:
                return truth is True
            case Want.FALSE:
                return truth is False
            case Want.NOT_TRUE:
                return truth is not True
            case Want.NOT_FALSE:
                return truth is not False


_OPPOSITE = {
    Want.TRUE: Want.FALSE,
    Want.FALSE: Want.TRUE,
    Want.NOT_TRUE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.NOT_TRUE,
}
_COMPLEMENT = {
    Want.TRUE: Want.NOT_TRUE,
    Want.NOT_TRUE: Want.TRUE,
    Want.FALSE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.FALSE,
}


@dataclass(frozen=True, slots=True)
class Set:
    """Contact ids: rows of one table that pass."""

    query: Select[UUID]
    """Its one column is `contact_id`."""
    column: Any
    """That column, for who joins the query to others."""
    is_unique: bool
    """Nobody is in it twice."""
    is_closed: bool = False
    """Grouped or otherwise complete: what further is asked has to stand around it."""

    def ids(self) -> Select[UUID]:
        """Return the ids, everybody's once."""
        if self.is_unique:
            return self.query
        if self.is_closed:
            return self.query.distinct()
        return self.query.group_by(self.column)

    def has(self, contact_id: Any) -> Any:
        """Return that this id is in the set, as a semi-join."""
        if self.is_closed:
            inner = self.query.subquery()
            return exists(select(ONE).where(inner.c.contact_id == contact_id))
        return exists(
            self.query.with_only_columns(ONE, maintain_column_froms=True).where(
                self.column == contact_id
            )
        )


Found: TypeAlias = "tuple[Set, bool]"
"""A set, and whether who is meant stands inside it."""


@dataclass(frozen=True, slots=True)
class Sets:
    """Makes the sets of conditions for one frame."""

    frame: Frame

    def of(self, rule: SetCondition, want: Want) -> Found:
        """Return the set that decides a condition."""
        match rule:
            case Tagged():
                return self._tagged(rule), want.holds == (rule.op != "has_not")
            case AttributeIs():
                return self._attribute(rule, want)
            case FieldIs():
                return self._field(rule, want)
            case Befriended(status="never"):
                return self._befriended(rule), not want.holds
            case Befriended():
                return self._befriended(rule), want.holds
            case Answered():
                return self._answered(rule), want.holds
            case Happened():
                found, inside = self._happened(rule)
                return found, inside == want.holds
            case FirstOrLast():
                return self._first_or_last(rule), want.holds
            case Sequence():
                return self._sequence(rule), want.holds
            case Messaged():
                return self._messaged(rule), want.holds
            case OnList():
                row = columns_of(ListMember)
                return self.mine(row, row.list_id == rule.list_id, unique=True), want.holds

    def mine(self, row: Any, *where: Any, unique: bool = False) -> Set:
        """Return the contact ids of this workspace's rows of a table."""
        query = select(row.contact_id.label("contact_id")).where(
            row.workspace_id == self.frame.workspace_id, *self.people(row.contact_id)
        )
        return Set(query.where(*where), row.contact_id, unique)

    def people(self, column: Any) -> list[Any]:
        """Return what narrows a set to the people who are asked about."""
        if self.frame.contact_ids is None:
            return []
        ids = bindparam(PEOPLE, list(self.frame.contact_ids), type_=ARRAY(Uuid(as_uuid=True)))
        return [column == any_(ids)]

    # --- what is known of people ---

    def _tagged(self, rule: Tagged) -> Set:
        row = columns_of(ContactTag)
        if len(rule.tag_ids) == 1:
            return self.mine(row, row.tag_id == rule.tag_ids[0], unique=True)
        return self.mine(row, row.tag_id.in_(rule.tag_ids))

    def _attribute(self, rule: AttributeIs, want: Want) -> Found:
        row = columns_of(ContactAttribute)
        test = rule.test
        match test:
            case KnownTest():
                known = or_(
                    is_known(row.text),
                    row.number.is_not(None),
                    row.day.is_not(None),
                    is_known(row.choice),
                    func.cardinality(row.choices) > 0,
                )
                column = None
            case TextTest():
                known, column = is_known(row.text), row.text
            case ChoiceTest():
                known, column = is_known(row.choice), row.choice
            case ChoicesTest():
                known, column = func.cardinality(row.choices) > 0, row.choices
            case _:
                column = row.day if isinstance(test, AnyDayTest) else row.number
                known = column.is_not(None)
        proof = Proof(known, test, column, self.frame, rule.or_unknown)
        return self._row_of_a_person(row, proof, want, None, row.attribute_id == rule.attribute_id)

    def _field(self, rule: FieldIs, want: Want) -> Found:
        field = field_named(rule.field)
        row = columns_of(field.column.class_)
        column = row[field.column.property.columns[0].name]
        known = is_known(column) if field.kind == "choice" else column.is_not(None)
        proof = Proof(
            known, rule.test, column, self.frame, rule.or_unknown, is_moment=field.kind == "moment"
        )
        nothing = None if field.nothing is None else holds(rule.test, field.nothing)
        return self._row_of_a_person(row, proof, want, nothing)

    def _row_of_a_person(
        self, row: Any, proof: Proof, want: Want, nothing: bool | None, *where: Any
    ) -> Found:
        """Return the set for a table with at most one row a person (and attribute).

        `nothing` is what is true of people without one.
        """
        if proof.is_known_test and nothing is None:
            nothing = not proof.asks_known
        elif proof.or_unknown and nothing is None:
            nothing = True
        if want.met(nothing):
            return self.mine(row, *where, proof.of(want.complement), unique=True), False
        return self.mine(row, *where, proof.of(want), unique=True), True

    def _befriended(self, rule: Befriended) -> Set:
        row = columns_of(Friendship)
        where: list[Any] = list(within(rule.followed, row.followed_at, self.frame))
        if rule.status in ("following", "blocked"):
            where.append(row.status == rule.status)
        if rule.sources:
            where.append(row.source.in_(rule.sources))
        channel_id = rule.channel_id or self.frame.only_channel
        if channel_id is not None:
            return self.mine(row, row.channel_id == channel_id, *where, unique=True)
        found = self.mine(row, *where)
        if not rule.on_every:
            return found
        account = columns_of(Channel)
        accounts = select(func.count()).where(account.workspace_id == self.frame.workspace_id)
        all_of_them = func.count() == accounts.scalar_subquery()
        query = found.query.group_by(row.contact_id).having(all_of_them)
        return Set(query, row.contact_id, is_unique=True, is_closed=True)

    # --- what happened ---

    def _tally(self, deed: Deed) -> tuple[Any, Set] | None:
        """Return what is kept of each person's events like these, as columns and as a set.

        None where single events have to be read: where they differ by account or value, or are
        not counted by what is asked for (`hiiki.timeline.tallies`).
        """
        counted = "subject" if deed.subject else "kind"
        if deed.channel_id or deed.value or tallied(deed.event) != counted:
            return None
        row = columns_of(Tally)
        found = self.mine(row, row.kind == deed.event, row.subject == deed.subject, unique=True)
        return row, found

    def _answered(self, rule: Answered) -> Set:
        deed = Deed(event=ANSWER_KIND, subject=str(rule.question_id))
        if rule.op != "contains" and not rule.any_time and (kept := self._tally(deed)):
            tally, who = kept
            if rule.op == "answered":
                return who
            chosen = tally.chosen.overlap(sql_cast(rule.choice_ids, ARRAY(Text)))
            return Set(who.query.where(chosen), who.column, is_unique=True)
        row = columns_of(Event)
        found = self.mine(row, row.kind == ANSWER_KIND, row.subject == str(rule.question_id))
        if rule.op == "answered":
            return found
        if rule.any_time:
            return self.mine(
                row,
                row.kind == ANSWER_KIND,
                row.subject == str(rule.question_id),
                answer_passes(rule, row.data),
            )
        latest = (
            found.query.add_columns(row.data.label("data"))
            .ext(distinct_on(row.contact_id))
            .order_by(row.contact_id, row.at.desc(), row.id.desc())
            .subquery()
        )
        query = select(latest.c.contact_id).where(answer_passes(rule, latest.c.data))
        return Set(query, latest.c.contact_id, is_unique=True)

    def _events(self, deed: Deed, row: Any, period: Period) -> Set:
        """Return who did this, once for each time."""
        return self._timed(self.mine(row, *_is(deed, row)), row, period)

    def _timed(self, found: Set, row: Any, period: Period, at: Any = None) -> Set:
        """Narrow a set of events (or what is kept of them, by its moment `at`) to some time."""
        at = row.at if at is None else at
        if not isinstance(period, AfterEvent | BeforeEvent):
            query = found.query.where(*within(period, at, self.frame))
            return Set(query, found.column, found.is_unique)
        latest = self._latest(Deed(event=period.event, subject=period.subject), Ever())
        later = isinstance(period, AfterEvent)
        query = found.query.join(latest, latest.c.contact_id == row.contact_id).where(
            at > latest.c.at if later else at < latest.c.at
        )
        return Set(query, found.column, found.is_unique)

    def _latest(self, deed: Deed, period: Period) -> Any:
        """Return each person's latest such event as a table of `contact_id` and `at`."""
        if isinstance(period, Ever | Recent) and (kept := self._tally(deed)):
            tally, found = kept
            query = found.query.where(*within(period, tally.last_at, self.frame))
            return query.add_columns(tally.last_at.label("at")).subquery()
        row = columns_of(Event)
        found = self._events(deed, row, period)
        query = found.query.add_columns(func.max(row.at).label("at")).group_by(row.contact_id)
        return query.subquery()

    def _happened(self, rule: Happened) -> Found:
        """Return a set of people and whether being inside it is what the rule asks for.

        People without any such event are in no set of events. When the rule is true of them
        too ("at most twice"), the set is of those of whom it is false.
        """
        true_of_nobody = rule.measure in ("count", "sum") and _measures_up(rule, Decimal(0))
        # With a threshold of one, that there is a row is all there is to know.
        once = rule.measure == "count" and (rule.op, rule.number) in (
            ("at_least", 1),
            ("exactly", 0),
            ("at_most", 0),
        )
        kept = self._tally(rule)
        if kept is not None and once:
            row, found = kept
            if (end := _end_in(rule.period, row)) is not None:
                return self._timed(found, row, rule.period, end), not true_of_nobody
        if kept is not None and rule.measure != "average" and isinstance(rule.period, Ever):
            row, found = kept
            passing = _measure_passes(rule, _kept_amount(rule, row), None)
            query = found.query.where(not_(passing) if true_of_nobody else passing)
            return Set(query, found.column, is_unique=True), not true_of_nobody
        row = columns_of(Event)
        found = self._events(rule, row, rule.period)
        if once:
            return found, not true_of_nobody
        passing = _measure_passes(rule, _amount(rule, row.value), func.count(row.value))
        query = found.query.group_by(row.contact_id).having(
            not_(passing) if true_of_nobody else passing
        )
        return Set(query, row.contact_id, is_unique=True, is_closed=True), not true_of_nobody

    def _first_or_last(self, rule: FirstOrLast) -> Set:
        last = rule.which == "last"
        if kept := self._tally(rule):
            tally, who = kept
            return self._timed(who, tally, rule.period, tally.last_at if last else tally.first_at)
        if isinstance(rule.period, Ever | (Recent if last else Earlier)):
            # Who did it in the last days did it there the last time, too.
            return self._events(rule, columns_of(Event), rule.period)
        row = columns_of(Event)
        end = func.max(row.at) if last else func.min(row.at)
        ends = self._events(rule, row, Ever()).query.add_columns(end.label("at"))
        inner = ends.group_by(row.contact_id).subquery()
        ended = Set(select(inner.c.contact_id), inner.c.contact_id, is_unique=True)
        return self._timed(ended, inner.c, rule.period)

    def _sequence(self, rule: Sequence) -> Set:
        if (by_ends := self._sequence_of_ends(rule)) is not None:
            return by_ends
        first, then = columns_of(Event), columns_of(Event)
        follows = self.mine(then, *_is(rule.then, then))
        if rule.happened or rule.days is None:
            # Without days to wait for, the last time is without sequel when any time is.
            found = self._events(rule.first, first, rule.period)
            sequel = _follows(follows, then, first, rule.days)
            query = found.query.where(sequel if rule.happened else not_(sequel))
            return Set(query, found.column, False)
        last = self._latest(rule.first, rule.period)
        query = select(last.c.contact_id).where(
            last.c.at <= self.frame.ago(rule.days),
            not_(_follows(follows, then, last.c, rule.days)),
        )
        return Set(query, last.c.contact_id, is_unique=True)

    def _sequence_of_ends(self, rule: Sequence) -> Set | None:
        """Return the same where it is enough to know when each was first and last done."""
        first, then = self._tally(rule.first), self._tally(rule.then)
        if rule.days is not None or first is None or then is None:
            return None
        (one, who), (other, follows) = first, then
        # The last time is without sequel when any time is; when any has one, the first has.
        if not isinstance(rule.period, Ever | (Earlier if rule.happened else Recent)):
            return None
        at = one.first_at if rule.happened else one.last_at
        sequel = exists(
            follows.query.with_only_columns(ONE, maintain_column_froms=True).where(
                other.contact_id == one.contact_id, other.last_at > at
            )
        )
        query = who.query.where(
            *within(rule.period, at, self.frame), sequel if rule.happened else not_(sequel)
        )
        return Set(query, who.column, is_unique=True)

    def _messaged(self, rule: Messaged) -> Set:
        event = MESSAGE_DEEDS[rule.did][0]
        if rule.about == "any":
            return self._happened(Happened(kind="event", event=event, period=rule.period))[0]
        row = columns_of(Event)
        where: list[Any] = [row.kind == event]
        owner = f"broadcast:{rule.about_id}"
        if rule.about in ("link", "coupon"):
            where.append(row.subject == str(rule.about_id))
        elif rule.about == "broadcast" and rule.did == "received":
            where.append(row.subject == owner)
        elif rule.about == "broadcast" and rule.did == "clicked":
            link = columns_of(Link)
            links = select(sql_cast(link.id, String)).where(
                link.workspace_id == self.frame.workspace_id, link.owner == owner
            )
            where.append(row.subject.in_(links))
        elif rule.about == "broadcast":
            where.append(row.data["grant"].astext == owner)
        return self._timed(self.mine(row, *where), row, rule.period)


@dataclass(frozen=True, slots=True)
class Proof:
    """Which rows prove what is wanted of a comparison; of two values, though a column has three."""

    known: Any
    test: Test
    column: Any
    frame: Frame
    or_unknown: bool = False
    is_moment: bool = False

    @property
    def is_known_test(self) -> bool:
        """The test asks about the value itself."""
        return isinstance(self.test, KnownTest)

    @property
    def asks_known(self) -> bool:
        """Of the two such tests it is this one."""
        return self.test.op == "known"

    def of(self, want: Want) -> Any:
        """Return the expression, which is never NULL where it matters."""
        known = self.known
        if self.is_known_test:
            return known if want.holds == self.asks_known else not_(known)
        passing = passes(self.test, self.column, self.frame, is_moment=self.is_moment)
        if self.or_unknown:
            return or_(not_(known), passing) if want.holds else and_(known, not_(passing))
        match want:
            case Want.TRUE:
                return and_(known, passing)
            case Want.FALSE:
                return and_(known, not_(passing))
            case Want.NOT_TRUE:
                return or_(not_(known), not_(passing))
            case Want.NOT_FALSE:
                return or_(not_(known), passing)


def profile_proof(rule: ProfileIs, person: Any, frame: Frame) -> Proof:
    """Return what proves a condition about a column of the contact itself."""
    column = person[rule.field]
    is_text = PROFILE_FIELDS[rule.field] in ("text", "choice")
    known = is_known(column) if is_text else column.is_not(None)
    return Proof(known, rule.test, column, frame, rule.or_unknown)


def in_share(rule: Randomly, contact_id: Any) -> list[Any]:
    """Return that a contact's place lies in the share.

    The place is the first 32 bits of the MD5 of the id's 16 bytes and the seed's, written in
    hexadecimal digits, which "C" sorts as their numbers. MD5 will be the same in every version
    of PostgreSQL (its own hash functions need not be) and costs a third of SHA-256.
    """
    seed: ColumnElement[bytes] = literal(rule.seed.encode(), LargeBinary)
    place = func.md5(func.uuid_send(contact_id).concat(seed)).collate("C")
    found: list[Any] = []
    if rule.low > 0:
        found.append(place >= _digits(rule.low))
    if rule.high < 100:
        found.append(place < _digits(rule.high))
    return found


def _digits(percent: Decimal) -> str:
    return f"{ceil(percent * 2**32 / 100):08x}"


def field_named(name: str) -> Field:
    """Return the field; raises `Invalid` when no room brings it (any more)."""
    found = road().fields.get(name)
    if found is None:
        raise Invalid(_("This segment refers to a field that no longer exists."))
    return found


def _is(deed: Deed, row: Any) -> list[Any]:
    found: list[Any] = [row.kind == deed.event]
    if deed.subject:
        found.append(row.subject == deed.subject)
    if deed.channel_id is not None:
        found.append(row.channel_id == deed.channel_id)
    if deed.value is not None:
        found.append(number_passes(deed.value, row.value))
    return found


def _follows(follows: Set, then: Any, first: Any, days: int | None) -> Any:
    query = follows.query.where(then.contact_id == first.contact_id, then.at > first.at)
    if days is not None:
        # In hours: a day of an interval has 23 or 25 of them now and then.
        query = query.where(then.at <= first.at + func.make_interval(0, 0, 0, 0, days * 24))
    return exists(query.with_only_columns(ONE, maintain_column_froms=True))


def _measures_up(rule: Happened, amount: Decimal) -> bool:
    high = rule.number if rule.high is None else rule.high
    return {
        "at_least": amount >= rule.number,
        "at_most": amount <= rule.number,
        "exactly": amount == rule.number,
        "between": rule.number <= amount <= high,
    }[rule.op]


def _end_in(period: Period, tally: Any) -> Any | None:
    """Return the end (first or last) that lies in this stretch of time when any event does.

    None when neither end says so, as of the days between two dates.
    """
    match period:
        case Ever() | Recent() | AfterEvent() | Dates(until=None):
            return tally.last_at
        case Earlier() | BeforeEvent() | Dates(first=None):
            return tally.first_at
        case Dates():
            return None


def _amount(rule: Happened, value: Any) -> Any:
    """Return what is compared, over a person's events; without any value it is NULL."""
    match rule.measure:
        case "count":
            return func.count()
        case "sum":
            return func.coalesce(func.sum(value), 0)
        case "max":
            return func.max(value)
        case "min":
            return func.min(value)
        case "average":
            return func.sum(value)


def _kept_amount(rule: Happened, tally: Any) -> Any:
    """Return the same as it is kept."""
    match rule.measure:
        case "count":
            return tally.n
        case "max":
            return tally.most
        case "min":
            return tally.least
        case _:
            return func.coalesce(tally.total, 0)


def _measure_passes(rule: Happened, amount: Any, values: Any) -> Any:
    number: Any = rule.number
    high: Any = rule.high
    if rule.measure == "average":
        # The sum is compared with so many times the average, as a quotient would be rounded.
        number = number * values
        high = None if high is None else high * values
    match rule.op:
        case "at_least":
            return amount >= number
        case "at_most":
            return amount <= number
        case "exactly":
            return amount == number
        case "between":
            return amount.between(number, high)
