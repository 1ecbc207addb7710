"""Conditions about what happened: events by kind, answers, sequences, what became of messages.

Events are asked by way of the tallies (`hiiki.timeline.tallies`) where these say it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import String, Text, exists, func, not_, select, true
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from hiiki.content.models import Link
from hiiki.segments.comparisons import AfterEvent, BeforeEvent, Dates, Earlier, Ever, Period, Recent
from hiiki.segments.conditions import (
    MESSAGE_DEEDS,
    Answered,
    Deed,
    FirstOrLast,
    Happened,
    Messaged,
    Sequence,
)
from hiiki.segments.people import ONE, Found, Maker, Rows, Set, columns_of, every
from hiiki.segments.predicates import amount_passes, answer_passes, number_passes, within
from hiiki.timeline.models import Event, Tally
from hiiki.timeline.tallies import tallied

ANSWER_KIND = "survey_answer"
"""The event of an answer: its subject is the question's id, its data has `choice_ids`, `text`."""


class Happenings(Maker):
    """Makes the sets of these conditions."""

    __slots__ = ()

    def _tally(self, deed: Deed) -> tuple[Any, Set] | None:
        """Return what is kept of each person's events like these, as columns and as a set.

        None where single events have to be read: where they differ by account or value, or are
        not counted by what is asked for (`hiiki.timeline.tallies`).
        """
        if not _is_tallied(deed):
            return None
        row = columns_of(Tally)
        return row, self.mine(row, *_is_tally_of(deed, row), unique=True)

    def _of_tally(self, deed: Deed, proof: Callable[[Any], Any]) -> Set:
        """Return of whom what is kept of such events passes."""
        kind = Tally, deed.event, deed.subject
        return self.of_rows(Rows(kind, Tally, lambda row: _is_tally_of(deed, row), proof))

    def answered(self, rule: Answered) -> Set:
        """Return who has answered so."""
        deed = Deed(event=ANSWER_KIND, subject=str(rule.question_id))
        if rule.op != "contains" and not rule.any_time and _is_tallied(deed):
            if rule.op == "answered":
                return self._of_tally(deed, lambda _row: true())
            choices = sql_cast(rule.choice_ids, ARRAY(Text))
            return self._of_tally(deed, lambda row: row.chosen.overlap(choices))
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

    def _ended(self, deed: Deed, period: Period, end: Callable[[Any], Any]) -> Set:
        """Return whose tally of such events has its `end` (first or last) in some time."""
        if not isinstance(period, AfterEvent | BeforeEvent):
            return self._of_tally(deed, lambda row: every(within(period, end(row), self.frame)))
        row = columns_of(Tally)
        found = self.mine(row, *_is_tally_of(deed, row), unique=True)
        return self._timed(found, row, period, end(row))

    def happened(self, rule: Happened) -> Found:
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

        def asked(amount: Any, values: Any = None) -> Any:
            passing = _measure_passes(rule, amount, values)
            return not_(passing) if true_of_nobody else passing

        if _is_tallied(rule):
            if once and (end := _end_in(rule.period)) is not None:
                return self._ended(rule, rule.period, end), not true_of_nobody
            if rule.measure != "average" and isinstance(rule.period, Ever):
                kept = self._of_tally(rule, lambda row: asked(_kept_amount(rule, row)))
                return kept, not true_of_nobody
        row = columns_of(Event)
        found = self._events(rule, row, rule.period)
        if once:
            return found, not true_of_nobody
        query = found.query.group_by(row.contact_id).having(
            asked(_amount(rule, row.value), func.count(row.value))
        )
        return Set(query, row.contact_id, is_unique=True, is_closed=True), not true_of_nobody

    def first_or_last(self, rule: FirstOrLast) -> Set:
        """Return who did it the first time, or the last, in some time."""
        last = rule.which == "last"
        if _is_tallied(rule):
            return self._ended(rule, rule.period, _last if last else _first)
        if isinstance(rule.period, Ever | (Recent if last else Earlier)):
            # Who did it in the last days did it there the last time, too.
            return self._events(rule, columns_of(Event), rule.period)
        row = columns_of(Event)
        end = func.max(row.at) if last else func.min(row.at)
        ends = self._events(rule, row, Ever()).query.add_columns(end.label("at"))
        inner = ends.group_by(row.contact_id).subquery()
        ended = Set(select(inner.c.contact_id), inner.c.contact_id, is_unique=True)
        return self._timed(ended, inner.c, rule.period)

    def sequence(self, rule: Sequence) -> Set:
        """Return who did one thing, and then another or not."""
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

    def messaged(self, rule: Messaged) -> Set:
        """Return who got a message, or did something with it."""
        event = MESSAGE_DEEDS[rule.did][0]
        if rule.about == "any":
            return self.happened(Happened(kind="event", event=event, period=rule.period))[0]
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


def _is_tallied(deed: Deed) -> bool:
    """Tell whether what is kept of each person's events says all that is asked of these."""
    counted = "subject" if deed.subject else "kind"
    return not deed.channel_id and not deed.value and tallied(deed.event) == counted


def _is_tally_of(deed: Deed, row: Any) -> list[Any]:
    return [row.kind == deed.event, row.subject == deed.subject]


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


def _first(tally: Any) -> Any:
    return tally.first_at


def _last(tally: Any) -> Any:
    return tally.last_at


def _end_in(period: Period) -> Callable[[Any], Any] | None:
    """Return the end (first or last) that lies in this stretch of time when any event does.

    None when neither end says so, as of the days between two dates.
    """
    match period:
        case Ever() | Recent() | AfterEvent() | Dates(until=None):
            return _last
        case Earlier() | BeforeEvent() | Dates(first=None):
            return _first
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
    if rule.measure != "average":
        op = "is" if rule.op == "exactly" else rule.op
        return amount_passes(op, amount, rule.number, rule.high)
    # The sum is compared with so many times the average, as a quotient would be rounded.
    number = rule.number * values
    high = number if rule.high is None else rule.high * values
    match rule.op:
        case "at_least":
            return amount >= number
        case "at_most":
            return amount <= number
        case "exactly":
            return amount == number
        case "between":
            return amount.between(number, high)
