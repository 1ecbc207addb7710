"""What a rule means, written down a second time: plain Python over plain data, no SQL.

Nothing of it is shared with the compiler. `None` is "not known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hiiki.segments.comparisons import Period, Test
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


@dataclass
class Friend:
    """One friendship."""

    channel: UUID
    status: str
    followed_at: datetime | None


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


@dataclass(frozen=True)
class Oracle:
    """Answers for every person and rule."""

    now: datetime
    zone: ZoneInfo
    segments: Mapping[UUID, AnyRule]

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
            case Befriended():
                return any(self.befriended(rule, friend) for friend in person.friendships)
            case Answered():
                return self.answered(rule, person)
            case Happened():
                return self.happened(rule, person)
            case InSegment():
                return self.contains(self.segments[rule.segment_id], person)

    def compare(self, rule: AttributeIs | ProfileIs, value: Any) -> bool | None:
        known = value is not None and value != "" and value != []
        if rule.test.op in ("known", "unknown"):
            return known == (rule.test.op == "known")
        if not known:
            return True if rule.or_unknown else None
        return self.passes(rule.test, value)

    def passes(self, test: Any, value: Any) -> bool:
        today = self.now.astimezone(self.zone).date()
        checks = {
            "text_is": lambda: value.lower() == test.text.lower(),
            "text_contains": lambda: test.text.lower() in value.lower(),
            "text_starts": lambda: value.lower().startswith(test.text.lower()),
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
            "days_ago": lambda: test.low <= (today - value).days <= test.high,
            "years_ago": lambda: test.low <= whole_years(value, today) <= test.high,
            "choice_any": lambda: value in test.choices,
            "choices_any": lambda: bool(set(value) & set(test.choices)),
            "choices_all": lambda: set(test.choices) <= set(value),
            "flag_yes": lambda: value is True,
            "flag_no": lambda: value is False,
        }
        return checks[test.op]()

    def befriended(self, rule: Befriended, friend: Friend) -> bool:
        if rule.status != "either" and friend.status != rule.status:
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

    def happened(self, rule: Happened, person: Person) -> bool:
        events = [
            event
            for event in person.events
            if event.kind == rule.event
            and rule.subject in ("", event.subject)
            and rule.channel_id in (None, event.channel)
            and self.within(rule.period, event.at)
        ]
        amounts = [event.value for event in events if event.value is not None]
        if rule.measure == "count":
            amount = Decimal(len(events))
        elif rule.measure == "sum":
            amount = sum(amounts, Decimal(0))
        elif amounts:
            amount = max(amounts)
        else:
            return False
        if rule.op == "at_least":
            return amount >= rule.number
        return amount <= rule.number if rule.op == "at_most" else amount == rule.number

    def within(self, period: Period, at: datetime | None) -> bool:
        if period.kind == "ever":
            return True
        if at is None:
            return False
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


def noon(day: date) -> datetime:
    """Return a moment on a day that is on that day in Tokyo as in London."""
    return datetime.combine(day, time(6), UTC)


__all__ = ["Friend", "Happening", "Oracle", "Person", "Test", "noon", "whole_years"]
