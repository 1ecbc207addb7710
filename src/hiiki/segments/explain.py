"""A rule as one sentence, in both languages.

English joins clauses that begin with "who" or "whose"; Japanese joins clauses that may stand
before 人. Groups inside groups get brackets, so that AND and OR cannot be confused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import reduce

from hiiki.kit.i18n import Text, _
from hiiki.segments.comparisons import (
    ChoicesTest,
    ChoiceTest,
    Dates,
    DayBetween,
    DayMonth,
    DaysAgo,
    DayTest,
    Earlier,
    Ever,
    FlagTest,
    KnownTest,
    NumberBetween,
    NumberTest,
    Period,
    Recent,
    Test,
    TextTest,
    YearsAgo,
)
from hiiki.segments.names import QUESTION_PICKER, Names, event_kind
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

MAX_NAMES = 5
"""More names than these are counted instead."""

PROFILE_LABELS = {
    "display_name": _("LINE display name"),
    "real_name": _("Name"),
    "prefecture": _("Prefecture"),
    "birthday": _("Birthday"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "language": _("Language"),
    "is_purchaser": _("Purchaser"),
}
MONTHS = (
    _("the present month"),
    _("January"),
    _("February"),
    _("March"),
    _("April"),
    _("May"),
    _("June"),
    _("July"),
    _("August"),
    _("September"),
    _("October"),
    _("November"),
    _("December"),
)
_GONE = _("(deleted)")


def sentence(rule: AnyRule, names: Names) -> Text:
    """Return the whole rule as one sentence."""
    return _("People %(what)s.", what=_clause(rule, names, outer=None))


def _clause(rule: AnyRule, names: Names, outer: str | None) -> Text:
    """Return one part; `outer` is the kind of the group it stands in."""
    match rule:
        case AllOf() | AnyOf():
            if len(rule.rules) == 1:
                return _clause(rule.rules[0], names, outer)
            parts = [_clause(part, names, rule.kind) for part in rule.rules]
            joined = reduce(_and if rule.kind == "all" else _or, parts)
            return joined if outer in (None, rule.kind) else _("(%(what)s)", what=joined)
        case Not():
            what = _clause(rule.rule, names, None)
            if rule.or_unknown:
                return _("who are not among those (%(what)s), the unknown included", what=what)
            return _("who are not among those (%(what)s)", what=what)
        case Everyone():
            return _("who are contacts of this workspace")
        case Tagged():
            return _tagged(rule, names)
        case AttributeIs() | ProfileIs():
            return _compared(rule, names)
        case Befriended():
            return _befriended(rule, names)
        case Answered():
            return _answered(rule, names)
        case Happened():
            return _happened(rule, names)
        case InSegment():
            return _(
                "who are in the segment %(name)s", name=_quoted(names.segments.get(rule.segment_id))
            )


def _and(left: Text, right: Text) -> Text:
    return _("%(left)s and %(right)s", left=left, right=right)


def _or(left: Text, right: Text) -> Text:
    return _("%(left)s or %(right)s", left=left, right=right)


def _quoted(name: str | None) -> Text:
    return _GONE if name is None else _("“%(name)s”", name=name)


def _listed(found: Sequence[str | None]) -> Text:
    listed = reduce(
        lambda left, right: _("%(left)s, %(right)s", left=left, right=right),
        [_quoted(name) for name in found[:MAX_NAMES]],
    )
    if len(found) > MAX_NAMES:
        return _("%(names)s and %(n)s more", names=listed, n=len(found) - MAX_NAMES)
    return listed


def _tagged(rule: Tagged, names: Names) -> Text:
    tags = _listed([names.tags.get(tag_id) for tag_id in rule.tag_ids])
    one = len(rule.tag_ids) == 1
    match rule.op:
        case "has_not":
            return (
                _("who do not have the tag %(tags)s", tags=tags)
                if one
                else _("who have none of the tags %(tags)s", tags=tags)
            )
        case "has" if not one:
            return _("who have at least one of the tags %(tags)s", tags=tags)
        case "has_all" if not one:
            return _("who have all the tags %(tags)s", tags=tags)
        case _:
            return _("who have the tag %(tags)s", tags=tags)


def _compared(rule: AttributeIs | ProfileIs, names: Names) -> Text:
    if isinstance(rule, ProfileIs):
        field = PROFILE_LABELS[rule.field]
    else:
        attribute = names.attributes.get(rule.attribute_id)
        field = _quoted(attribute.label if attribute else None)
    what = _test(field, rule.test)
    if rule.or_unknown and not isinstance(rule.test, KnownTest | FlagTest):
        return _("%(what)s (or is not known)", what=what)
    return what


def _test(field: Text, test: Test) -> Text:
    match test:
        case TextTest():
            value = _quoted(test.text)
            match test.op:
                case "text_is":
                    return _("whose %(field)s is %(value)s", field=field, value=value)
                case "text_contains":
                    return _("whose %(field)s contains %(value)s", field=field, value=value)
                case "text_starts":
                    return _("whose %(field)s begins with %(value)s", field=field, value=value)
        case NumberTest():
            number = plain_number(test.number)
            match test.op:
                case "number_is":
                    return _("whose %(field)s equals %(n)s", field=field, n=number)
                case "number_above":
                    return _("whose %(field)s is above %(n)s", field=field, n=number)
                case "number_at_least":
                    return _("whose %(field)s is %(n)s or more", field=field, n=number)
                case "number_below":
                    return _("whose %(field)s is below %(n)s", field=field, n=number)
                case "number_at_most":
                    return _("whose %(field)s is %(n)s or less", field=field, n=number)
        case NumberBetween():
            low, high = plain_number(test.low), plain_number(test.high)
            return _("whose %(field)s is from %(low)s to %(high)s", field=field, low=low, high=high)
        case ChoiceTest():
            if len(test.choices) == 1:
                return _(
                    "whose %(field)s is %(value)s", field=field, value=_quoted(test.choices[0])
                )
            values = _listed(test.choices)
            return _("whose %(field)s is one of %(values)s", field=field, values=values)
        case ChoicesTest():
            values = _listed(test.choices)
            if test.op == "choices_all" or len(test.choices) == 1:
                return _("whose %(field)s includes %(values)s", field=field, values=values)
            return _("whose %(field)s includes one of %(values)s", field=field, values=values)
        case FlagTest(op="flag_yes"):
            return _("who are marked as purchasers")
        case FlagTest():
            return _("who are not marked as purchasers")
        case KnownTest(op="known"):
            return _("whose %(field)s is known", field=field)
        case KnownTest():
            return _("whose %(field)s is not known", field=field)
        case _:
            return _day(field, test)


def _day(field: Text, test: DayTest | DayBetween | DayMonth | DaysAgo | YearsAgo) -> Text:
    match test:
        case DayTest(op="day_on"):
            return _("whose %(field)s is on %(day)s", field=field, day=_date(test.day))
        case DayTest(op="day_before"):
            return _("whose %(field)s is before %(day)s", field=field, day=_date(test.day))
        case DayTest():
            return _("whose %(field)s is after %(day)s", field=field, day=_date(test.day))
        case DayBetween():
            first, until = _date(test.first), _date(test.until)
            return _(
                "whose %(field)s is from %(low)s to %(high)s", field=field, low=first, high=until
            )
        case DayMonth():
            return _("whose %(field)s is in %(month)s", field=field, month=MONTHS[test.month])
        case DaysAgo():
            return _(
                "whose %(field)s was %(low)s to %(high)s days ago",
                field=field,
                low=test.low,
                high=test.high,
            )
        case YearsAgo():
            return _(
                "whose %(field)s was %(low)s to %(high)s whole years ago",
                field=field,
                low=test.low,
                high=test.high,
            )


def _befriended(rule: Befriended, names: Names) -> Text:
    if rule.channel_id is None:
        what = {
            "following": _("who are friends now"),
            "blocked": _("who have blocked an account"),
            "either": _("who are or were friends"),
        }[rule.status]
    else:
        account = _quoted(names.channels.get(rule.channel_id))
        what = {
            "following": _("who are friends of %(account)s now", account=account),
            "blocked": _("who have blocked %(account)s", account=account),
            "either": _("who are or were friends of %(account)s", account=account),
        }[rule.status]
    if isinstance(rule.followed, Ever):
        return what
    return _("%(what)s (added %(when)s)", what=what, when=_when(rule.followed))


def _answered(rule: Answered, names: Names) -> Text:
    question = _quoted(names.picked_label(QUESTION_PICKER, str(rule.question_id)))
    match rule.op:
        case "answered":
            return _("who have answered %(question)s", question=question)
        case "contains":
            value = _quoted(rule.text)
            if rule.any_time:
                return _(
                    "who have ever answered %(question)s with %(value)s in their words",
                    question=question,
                    value=value,
                )
            return _(
                "whose latest answer to %(question)s contains %(value)s",
                question=question,
                value=value,
            )
        case "choices":
            labels = names.choices(rule.question_id)
            values = _listed([labels.get(ident) for ident in rule.choice_ids])
            if rule.any_time:
                return _(
                    "who have ever answered %(question)s with %(values)s",
                    question=question,
                    values=values,
                )
            return _(
                "whose latest answer to %(question)s is %(values)s",
                question=question,
                values=values,
            )


def _happened(rule: Happened, names: Names) -> Text:
    kind = event_kind(rule.event)
    event = _("“%(name)s”", name=kind.label if kind else rule.event)
    if rule.subject:
        subject = names.picked_label(kind.subject, rule.subject) if kind and kind.subject else None
        event = _("%(event)s (%(subject)s)", event=event, subject=subject or rule.subject)
    if rule.channel_id is not None:
        account = _quoted(names.channels.get(rule.channel_id))
        event = _("%(event)s at %(account)s", event=event, account=account)
    gaps = {"event": event, "n": plain_number(rule.number)}
    what = (
        _once_or_never(rule, event)
        or {
            ("count", "at_least"): _("with %(event)s at least %(n)s times", **gaps),
            ("count", "at_most"): _("with %(event)s at most %(n)s times", **gaps),
            ("count", "exactly"): _("with %(event)s exactly %(n)s times", **gaps),
            ("sum", "at_least"): _("with %(event)s of at least %(n)s in all", **gaps),
            ("sum", "at_most"): _("with %(event)s of at most %(n)s in all", **gaps),
            ("sum", "exactly"): _("with %(event)s of exactly %(n)s in all", **gaps),
            ("max", "at_least"): _("whose greatest %(event)s was at least %(n)s", **gaps),
            ("max", "at_most"): _("whose greatest %(event)s was at most %(n)s", **gaps),
            ("max", "exactly"): _("whose greatest %(event)s was exactly %(n)s", **gaps),
        }[rule.measure, rule.op]
    )
    if isinstance(rule.period, Ever):
        return what
    return _("%(what)s (%(when)s)", what=what, when=_when(rule.period))


def _once_or_never(rule: Happened, event: Text) -> Text | None:
    if rule.measure == "count" and rule.op == "at_least" and rule.number == 1:
        return _("with %(event)s at least once", event=event)
    if rule.measure == "count" and rule.op != "at_least" and rule.number == 0:
        return _("without %(event)s", event=event)
    return None


def _when(period: Period) -> Text:
    match period:
        case Ever():
            return _("at any time")
        case Recent():
            return _("in the last %(days)s days", days=period.days)
        case Earlier():
            return _("more than %(days)s days ago", days=period.days)
        case Dates(first=date() as first, until=date() as until):
            return _("from %(first)s to %(until)s", first=_date(first), until=_date(until))
        case Dates(first=date() as first):
            return _("since %(first)s", first=_date(first))
        case Dates():
            return _("until %(until)s", until=_date(period.until) if period.until else "")


def _date(day: date) -> str:
    return day.isoformat()


def plain_number(number: Decimal) -> str:
    """Return a number as people write it: no exponent, no idle zeros."""
    return f"{number.normalize():,f}"


__all__ = ["MONTHS", "PROFILE_LABELS", "plain_number", "sentence"]
