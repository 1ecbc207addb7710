"""Whether a rule makes sense in this workspace: each objection at the path of its field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.prefectures import PREFECTURES
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road
from hiiki.segments.comparisons import (
    Anniversary,
    ChoicesTest,
    ChoiceTest,
    DayBetween,
    DayMonth,
    DayOfYear,
    DaysAgo,
    DaysAhead,
    DayTest,
    FlagTest,
    KnownTest,
    NumberBetween,
    NumberTest,
    Part,
    Test,
    TextTest,
    YearsAgo,
)
from hiiki.segments.conditions import (
    PROFILE_FIELDS,
    Answered,
    AttributeIs,
    Befriended,
    FieldIs,
    InSegment,
    Mention,
    Messaged,
    OnList,
    ProfileIs,
    Tagged,
    mentions,
)
from hiiki.segments.models import Segment
from hiiki.segments.names import (
    ANSWER_PICKER,
    QUESTION_PICKER,
    Names,
    event_kind,
    names_of,
)
from hiiki.segments.rules import AnyRule, stored_rule, walk

_NUMBERS: tuple[type[Part], ...] = (NumberTest, NumberBetween, KnownTest)
_DAYS: tuple[type[Part], ...] = (
    DayTest,
    DayBetween,
    DayMonth,
    DayOfYear,
    Anniversary,
    DaysAgo,
    DaysAhead,
    YearsAgo,
    KnownTest,
)
TESTS_OF_KIND: dict[str, tuple[type[Part], ...]] = {
    "text": (TextTest, KnownTest),
    "number": _NUMBERS,
    "money": _NUMBERS,
    "share": _NUMBERS,
    "date": _DAYS,
    "day": _DAYS,
    "moment": _DAYS,
    "choice": (ChoiceTest, KnownTest),
    "choices": (ChoicesTest, KnownTest),
    "flag": (FlagTest,),
}
"""Kind of an attribute, of a profile field or of a room's field → the tests that suit it."""


def ops_of_kind(kind: str) -> list[str]:
    """Return the names of the tests that suit a kind, in the order in which to offer them."""
    return [
        op for test in TESTS_OF_KIND[kind] for op in get_args(test.model_fields["op"].annotation)
    ]


async def check(session: WorkspaceSession, rule: AnyRule, segment_id: UUID | None = None) -> Names:
    """Refuse a rule that refers to what is not there; return the names of what is.

    `segment_id` is the segment that the rule is to become, which it must not lead back to.
    Raises `Invalid` with one sentence at the path of each wrong field.
    """
    names = await names_of(session, rule)
    wrong: dict[str, Text] = {}
    for path, part in walk(rule):
        for field, text in _objections(part, names).items():
            wrong[f"{path}.{field}" if path else field] = text
    if not wrong:
        wrong = await _circles(session, rule, segment_id)
    if wrong:
        raise Invalid(fields=wrong)
    return names


def _objections(part: AnyRule, names: Names) -> dict[str, Text]:
    match part:
        case Tagged():
            if any(tag_id not in names.tags for tag_id in part.tag_ids):
                return {"tag_ids": _("This tag no longer exists. Please choose another.")}
        case AttributeIs():
            attribute = names.attributes.get(part.attribute_id)
            if attribute is None:
                return {
                    "attribute_id": _("This attribute no longer exists. Please choose another.")
                }
            return unsuited(part.test, attribute.kind, [str(each) for each in attribute.choices])
        case ProfileIs():
            return unsuited(part.test, PROFILE_FIELDS[part.field], PREFECTURES)
        case FieldIs():
            field = road().fields.get(part.field)
            if field is None:
                return {"field": _("This field no longer exists. Please choose another.")}
            return unsuited(part.test, field.kind, [value for value, _label in field.choices])
        case Befriended():
            if part.channel_id is not None and part.channel_id not in names.channels:
                return {"channel_id": _NO_CHANNEL}
        case Answered():
            return _unanswerable(part, names)
        case OnList():
            if part.list_id not in names.lists:
                return {"list_id": _("This list no longer exists. Please choose another.")}
        case Messaged(about_id=UUID() as about_id):
            if names.picked_label(part.about, str(about_id)) is None:
                return {"about_id": _NO_SUBJECT}
        case InSegment():
            if part.segment_id not in names.segments:
                return {"segment_id": _("This segment no longer exists. Please choose another.")}
        case _:
            pass
    return {
        path: said
        for mention in mentions(part)
        for path, said in _unheard_of(mention, names).items()
    }


_NO_SUBJECT = _("What this is about no longer exists. Please choose another.")
_NO_CHANNEL = _("This account no longer exists. Please choose another.")


def unsuited(test: Test, kind: str, choices: Sequence[str]) -> dict[str, Text]:
    """Return field → why a test cannot be of a field of this kind, with these choices."""
    if not isinstance(test, TESTS_OF_KIND[kind]):
        return {"test.op": _("This comparison does not suit the field. Please choose another.")}
    if isinstance(test, ChoiceTest | ChoicesTest) and not set(test.choices) <= set(choices):
        return {"test.choices": _("This choice no longer exists. Please choose another.")}
    return {}


def _unanswerable(part: Answered, names: Names) -> dict[str, Text]:
    if names.picked_label(QUESTION_PICKER, str(part.question_id)) is None:
        return {"question_id": _("This question no longer exists. Please choose another.")}
    if part.op == "choices" and ANSWER_PICKER in names.picked:
        offered = names.choices(part.question_id)
        if not set(part.choice_ids) <= set(offered):
            return {"choice_ids": _("This choice no longer exists. Please choose another.")}
    return {}


def _unheard_of(mention: Mention, names: Names) -> dict[str, Text]:
    kind = event_kind(mention.event)
    if kind is None:
        no_kind = _("There is no such kind of event. Please choose another.")
        return {mention.path("event"): no_kind}
    if mention.channel_id is not None and mention.channel_id not in names.channels:
        return {mention.path("channel_id"): _NO_CHANNEL}
    subject = mention.subject
    if kind.subject and subject and names.picked_label(kind.subject, subject) is None:
        return {mention.path("subject"): _NO_SUBJECT}
    return {}


async def _circles(
    session: WorkspaceSession, rule: AnyRule, segment_id: UUID | None
) -> dict[str, Text]:
    """Return an objection for each segment that leads, by whatever way, to `segment_id`."""
    entries = [(path, part.segment_id) for path, part in walk(rule) if isinstance(part, InSegment)]
    if not entries or segment_id is None:
        return {}
    leads_to = {
        ident: refers_to(found)
        for ident, stored in await session.execute(select(Segment.id, Segment.rule))
        if (found := stored_rule(stored)) is not None
    }
    wrong: dict[str, Text] = {}
    for path, entry in entries:
        seen: set[UUID] = set()
        waiting = [entry]
        while waiting:
            ident = waiting.pop()
            if ident == segment_id:
                field = f"{path}.segment_id" if path else "segment_id"
                wrong[field] = _(
                    "This segment refers back to the one being edited. Please choose another."
                )
                break
            if ident not in seen:
                seen.add(ident)
                waiting.extend(leads_to.get(ident, ()))
    return wrong


def refers_to(rule: AnyRule) -> set[UUID]:
    """Return the ids of the segments that a rule names itself."""
    return {part.segment_id for _path, part in walk(rule) if isinstance(part, InSegment)}
