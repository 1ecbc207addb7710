"""What a rule means, written down a second time: plain Python over plain data, no SQL.

Nothing of it is shared with the compiler. `None` is "not known".
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Mapping
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hiiki.segments.comparisons import AfterEvent, BeforeEvent, Period, Test
from hiiki.segments.conditions import (
    Answered,
    AttributeIs,
    Befriended,
    Deed,
    Everyone,
    FieldIs,
    FirstOrLast,
    Happened,
    InSegment,
    Messaged,
    OnList,
    ProfileIs,
    Randomly,
    Sequence,
    Tagged,
)
from hiiki.segments.rules import AllOf, AnyOf, AnyRule, Not


@dataclass
class Friend:
    """One friendship."""

    channel: UUID
    status: str
    followed_at: datetime | None
    source: str | None = None


@dataclass
class Happening:
    """One event."""

    at: datetime
    kind: str
    subject: str
    value: Decimal | None
    channel: UUID | None
    data: dict[str, Any]
    id: UUID


@dataclass
class Person:
    """All that a workspace knows of one contact."""

    id: UUID
    profile: dict[str, Any]
    tags: set[UUID] = field(default_factory=set)
    values: dict[UUID, Any] = field(default_factory=dict)
    friendships: list[Friend] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)
    fields: dict[str, Any] | None = None
    """What a room works out about her, by the field's name; None without a row."""
    lists: set[UUID] = field(default_factory=set)


@dataclass(frozen=True)
class Oracle:
    """Answers for every person and rule."""

    now: datetime
    zone: ZoneInfo
    segments: Mapping[UUID, AnyRule]
    channels: Sequence_[UUID] = ()
    nothing: Mapping[str, Any] = field(default_factory=dict)
    """By field, what holds for people without a row."""
    links: Mapping[UUID, str] = field(default_factory=dict)
    """What each link was made for."""

    def contains(self, rule: AnyRule, person: Person) -> bool:
        """Only what is true is in."""
        return self.truth(rule, person) is True

    def truth(self, rule: AnyRule, person: Person) -> bool | None:
        match rule:
            case AllOf():
                found = [self.truth(part, person) for part in rule.rules]
                return False if False in found else None if None in found else True
            case AnyOf():
                found = [self.truth(part, person) for part in rule.rules]
                return True if True in found else None if None in found else False
            case Not():
                inner = self.truth(rule.rule, person)
                if inner is None:
                    return True if rule.or_unknown else None
                return not inner
            case Everyone():
                return True
            case Tagged(op="has"):
                return any(tag in person.tags for tag in rule.tag_ids)
            case Tagged(op="has_all"):
                return all(tag in person.tags for tag in rule.tag_ids)
            case Tagged():
                return not any(tag in person.tags for tag in rule.tag_ids)
            case AttributeIs():
                return self.compare(rule, person.values.get(rule.attribute_id))
            case ProfileIs():
                return self.compare(rule, person.profile.get(rule.field))
            case FieldIs():
                without = self.nothing.get(rule.field)
                fields = person.fields
                return self.compare(rule, without if fields is None else fields.get(rule.field))
            case Befriended(status="never"):
                return not any(self.befriended(rule, friend) for friend in person.friendships)
            case Befriended(on_every=True):
                here = [f.channel for f in person.friendships if self.befriended(rule, f)]
                return bool(here) and set(here) == set(self.channels)
            case Befriended():
                return any(self.befriended(rule, friend) for friend in person.friendships)
            case Answered():
                return self.answered(rule, person)
            case Happened():
                return self.happened(rule, person)
            case FirstOrLast():
                events = sorted(event.at for event in person.events if self.did(rule, event))
                end = events[-1 if rule.which == "last" else 0] if events else None
                return end is not None and self.within(rule.period, end, person)
            case Sequence():
                return self.followed(rule, person)
            case Messaged():
                return any(self.became(rule, event, person) for event in person.events)
            case OnList():
                return rule.list_id in person.lists
            case Randomly():
                return rule.low <= place(rule.seed, person.id) < rule.high
            case InSegment():
                return self.contains(self.segments[rule.segment_id], person)

    def compare(self, rule: AttributeIs | ProfileIs | FieldIs, value: Any) -> bool | None:
        known = value is not None and value != "" and value != []
        if rule.test.op in ("known", "unknown"):
            return known == (rule.test.op == "known")
        if not known:
            return True if rule.or_unknown else None
        return self.passes(rule.test, value)

    def passes(self, test: Any, value: Any) -> bool:
        today = self.now.astimezone(self.zone).date()
        if isinstance(value, datetime):
            value = value.astimezone(self.zone).date()
        checks = {
            "text_is": lambda: value.lower() == test.text.lower(),
            "text_contains": lambda: test.text.lower() in value.lower(),
            "text_starts": lambda: value.lower().startswith(test.text.lower()),
            "text_ends": lambda: value.lower().endswith(test.text.lower()),
            "number_is": lambda: value == test.number,
            "number_above": lambda: value > test.number,
            "number_at_least": lambda: value >= test.number,
            "number_below": lambda: value < test.number,
            "number_at_most": lambda: value <= test.number,
            "number_between": lambda: test.low <= value <= test.high,
            "day_on": lambda: value == test.day,
            "day_before": lambda: value < test.day,
            "day_after": lambda: value > test.day,
            "day_between": lambda: test.first <= value <= test.until,
            "day_month": lambda: value.month == (test.month or today.month),
            "day_of_year": lambda: (value.month, value.day) == (test.month, test.day),
            "anniversary": lambda: any(
                comes_round(value, today + timedelta(days=n))
                for n in range(test.low, test.high + 1)
            ),
            "days_ahead": lambda: test.low <= (value - today).days <= test.high,
            "days_ago": lambda: test.low <= (today - value).days <= test.high,
            "years_ago": lambda: test.low <= whole_years(value, today) <= test.high,
            "choice_any": lambda: value in test.choices,
            "choices_any": lambda: bool(set(value) & set(test.choices)),
            "choices_all": lambda: set(test.choices) <= set(value),
            "choices_none": lambda: not set(value) & set(test.choices),
            "flag_yes": lambda: value is True,
            "flag_no": lambda: value is False,
        }
        return checks[test.op]()

    def befriended(self, rule: Befriended, friend: Friend) -> bool:
        if rule.status in ("following", "blocked") and friend.status != rule.status:
            return False
        if rule.sources and friend.source not in rule.sources:
            return False
        if rule.channel_id is not None and friend.channel != rule.channel_id:
            return False
        return self.within(rule.followed, friend.followed_at)

    def answered(self, rule: Answered, person: Person) -> bool:
        answers = [
            event
            for event in person.events
            if event.kind == "survey_answer" and event.subject == str(rule.question_id)
        ]
        if rule.op == "answered":
            return bool(answers)
        answers.sort(key=lambda event: (event.at, event.id.int))
        for event in answers if rule.any_time else answers[-1:]:
            if rule.op == "choices" and set(rule.choice_ids) & set(
                event.data.get("choice_ids", [])
            ):
                return True
            if rule.op == "contains" and rule.text.lower() in event.data.get("text", "").lower():
                return True
        return False

    def did(self, deed: Deed, event: Happening) -> bool:
        return (
            event.kind == deed.event
            and deed.subject in ("", event.subject)
            and deed.channel_id in (None, event.channel)
            and (deed.value is None or event.value is not None)
            and (deed.value is None or self.passes(deed.value, event.value))
        )

    def happened(self, rule: Happened, person: Person) -> bool:
        events = [
            event
            for event in person.events
            if self.did(rule, event) and self.within(rule.period, event.at, person)
        ]
        amounts = [event.value for event in events if event.value is not None]
        if rule.measure == "count":
            amount = Fraction(len(events))
        elif rule.measure == "sum":
            amount = Fraction(sum(amounts, Decimal(0)))
        elif not amounts:
            return False
        elif rule.measure == "average":
            amount = Fraction(sum(amounts, Decimal(0))) / len(amounts)
        else:
            amount = Fraction(max(amounts) if rule.measure == "max" else min(amounts))
        number = Fraction(rule.number)
        return {
            "at_least": amount >= number,
            "at_most": amount <= number,
            "exactly": amount == number,
            "between": rule.high is not None and number <= amount <= Fraction(rule.high),
        }[rule.op]

    def followed(self, rule: Sequence, person: Person) -> bool:
        firsts = sorted(
            event.at
            for event in person.events
            if self.did(rule.first, event) and self.within(rule.period, event.at, person)
        )
        thens = [event.at for event in person.events if self.did(rule.then, event)]
        days = timedelta(days=rule.days or 0)

        def sequel(first: datetime) -> bool:
            return any(first < then and (not rule.days or then <= first + days) for then in thens)

        if rule.happened:
            return any(sequel(first) for first in firsts)
        if not firsts or (rule.days and firsts[-1] + days > self.now):
            return False
        return not sequel(firsts[-1])

    def became(self, rule: Messaged, event: Happening, person: Person) -> bool:
        kinds = {
            "received": "sent",
            "clicked": "link_open",
            "coupon_got": "coupon_issue",
            "coupon_used": "coupon_use",
        }
        if event.kind != kinds[rule.did] or not self.within(rule.period, event.at, person):
            return False
        if rule.about == "any":
            return True
        if rule.about != "broadcast":
            return event.subject == str(rule.about_id)
        owner = {
            "received": event.subject,
            "clicked": {str(link): of for link, of in self.links.items()}.get(event.subject),
        }.get(rule.did, event.data.get("grant"))
        return owner == f"broadcast:{rule.about_id}"

    def within(self, period: Period, at: datetime | None, person: Person | None = None) -> bool:
        if period.kind == "ever":
            return True
        if at is None:
            return False
        if isinstance(period, AfterEvent | BeforeEvent):
            assert person is not None
            deed = Deed(event=period.event, subject=period.subject)
            others = [event.at for event in person.events if self.did(deed, event)]
            if not others:
                return False
            return at > max(others) if period.kind == "after_event" else at < max(others)
        if period.kind == "recent":
            return self.now - at < timedelta(days=period.days)
        if period.kind == "earlier":
            return self.now - at >= timedelta(days=period.days)
        day = at.astimezone(self.zone).date()
        return (period.first is None or period.first <= day) and (
            period.until is None or day <= period.until
        )


def whole_years(since: date, today: date) -> int:
    """Count anniversaries; one of 29 February falls on 1 March where there is none."""
    return today.year - since.year - ((today.month, today.day) < (since.month, since.day))


def comes_round(since: date, day: date) -> bool:
    """Tell whether a date of another year comes round on this day."""
    if (since.month, since.day) == (2, 29) and not calendar.isleap(day.year):
        return (day.month, day.day) == (3, 1)
    return (since.month, since.day) == (day.month, day.day)


def place(seed: str, ident: UUID) -> Fraction:
    """Return a person's place from 0 up to 100."""
    digest = hashlib.md5(ident.bytes + seed.encode()).digest()
    return Fraction(int.from_bytes(digest[:4]) * 100, 2**32)


def noon(day: date) -> datetime:
    """Return a moment on a day that is on that day in Tokyo as in London."""
    return datetime.combine(day, time(6), UTC)


__all__ = ["Friend", "Happening", "Oracle", "Person", "Test", "noon", "whole_years"]
