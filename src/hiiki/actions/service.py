"""Writing rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from hiiki.actions.checks import check_actions, tidy
from hiiki.actions.models import Rule
from hiiki.actions.schemas import RuleIn, RuleOut
from hiiki.db import WorkspaceSession
from hiiki.delivery.models import Topic
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import EventKind, Option, road
from hiiki.segments.models import Segment
from hiiki.timeline import Event

FAILURES_OF = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RulePage:
    """A page of rules, in the order in which they run."""

    rules: list[Rule]
    next: str | None


async def create_rule(session: WorkspaceSession, given: RuleIn) -> Rule:
    """Make a rule, behind all others; raises `Invalid` with every error at its field."""
    rule = Rule()
    await _write(session, rule, given)
    last = await session.scalar(select(func.max(Rule.position)))
    rule.position = 0 if last is None else last + 1
    session.add(rule)
    await session.flush()
    return rule


async def update_rule(session: WorkspaceSession, rule_id: UUID, given: RuleIn) -> Rule:
    """Change a rule; raises `Invalid`. The next event already finds it changed."""
    rule = await session.one(Rule, rule_id)
    await _write(session, rule, given)
    await session.flush()
    return rule


async def switch_rule(session: WorkspaceSession, rule_id: UUID, *, is_on: bool) -> Rule:
    """Switch a rule on or off."""
    rule = await session.one(Rule, rule_id)
    rule.is_on = is_on
    return rule


async def duplicate_rule(session: WorkspaceSession, rule_id: UUID) -> Rule:
    """Make a copy of a rule, switched off so that nobody gets the same twice."""
    rule = await session.one(Rule, rule_id)
    copy = Rule(
        name=str(_("Copy of %(name)s", name=rule.name))[:100],
        is_on=False,
        event_kind=rule.event_kind,
        event_subject=rule.event_subject,
        segment_id=rule.segment_id,
        topic_id=rule.topic_id,
        actions=rule.actions,
        position=rule.position + 1,
    )
    session.add(copy)
    await session.flush()
    return copy


async def delete_rule(session: WorkspaceSession, rule_id: UUID) -> Rule:
    """Delete a rule; what it did stays done."""
    rule = await session.one(Rule, rule_id)
    await session.delete(rule)
    return rule


async def list_rules(
    session: WorkspaceSession, *, search: str = "", after: str | None = None, limit: int = 50
) -> RulePage:
    """Return a page of rules, in the order in which they run."""
    query = select(Rule).order_by(Rule.position, Rule.id).limit(limit + 1)
    if search.strip():
        query = query.where(Rule.name.icontains(search.strip(), autoescape=True))
    if after:
        query = query.where(
            (Rule.position > _cursor(after)[0])
            | ((Rule.position == _cursor(after)[0]) & (Rule.id > _cursor(after)[1]))
        )
    found = list(await session.scalars(query))
    last = found[:limit][-1] if len(found) > limit else None
    return RulePage(found[:limit], None if last is None else f"{last.position}.{last.id}")


def _cursor(after: str) -> tuple[int, UUID]:
    position, _dot, ident = after.partition(".")
    try:
        return int(position), UUID(ident)
    except ValueError:
        raise Invalid(fields={"after": _("This is not a place in the list.")}) from None


def rule_out(rule: Rule) -> RuleOut:
    """Return a rule as the API gives it."""
    return RuleOut.model_validate(rule, from_attributes=True)


def starters() -> list[EventKind]:
    """Return the kinds of event that a rule can wait for."""
    return [kind for kind in road().events.values() if kind.starts_rules]


async def options_of(session: WorkspaceSession, picker: str) -> Sequence[Option]:
    """Return what a picker offers; nothing when there is no such picker."""
    found = road().pickers.get(picker)
    return [] if found is None else await found.options(session)


async def failures(session: WorkspaceSession, rules: Sequence[Rule]) -> Mapping[UUID, int]:
    """Return how many actions of each rule could not run in the last seven days."""
    subjects = {f"rule:{rule.id}": rule.id for rule in rules}
    found = await session.execute(
        select(Event.subject, func.count())
        .where(
            Event.kind == "action_failed",
            Event.subject.in_(subjects),
            Event.at > now() - FAILURES_OF,
        )
        .group_by(Event.subject)
    )
    return {subjects[subject]: count for subject, count in found}


async def _write(session: WorkspaceSession, rule: Rule, given: RuleIn) -> None:
    wrong: dict[str, Text] = {}
    kind = road().events.get(given.event_kind)
    if kind is None or not kind.starts_rules:
        wrong["event_kind"] = _("Please choose what the rule waits for.")
    elif given.event_subject:
        offered = {option.value for option in await options_of(session, kind.subject)}
        if given.event_subject not in offered:
            wrong["event_subject"] = _("This does not exist (any more). Please choose again.")
    if given.segment_id is not None and await session.get(Segment, given.segment_id) is None:
        wrong["segment_id"] = _("This segment does not exist (any more). Please choose again.")
    if given.topic_id is not None and await session.get(Topic, given.topic_id) is None:
        wrong["topic_id"] = _("This kind of message does not exist (any more).")
    wrong |= await check_actions(session, given.actions, "actions")
    if wrong:
        raise Invalid(fields=wrong)
    rule.name = given.name
    rule.is_on = given.is_on
    rule.event_kind = given.event_kind
    rule.event_subject = given.event_subject
    rule.segment_id = given.segment_id
    rule.topic_id = given.topic_id
    rule.actions = [tidy(action) for action in given.actions]
