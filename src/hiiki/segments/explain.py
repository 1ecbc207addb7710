"""A rule as one sentence, in both languages.

English joins clauses that begin with "who" or "whose"; Japanese joins clauses that may stand
before 人. Groups inside groups get brackets, so that AND and OR cannot be confused.
"""

from __future__ import annotations

from datetime import date
from functools import reduce

from hiiki.contacts.prefectures import PREFECTURES, prefecture_name
from hiiki.kit.i18n import Text, _, speaking
from hiiki.kit.road import road
from hiiki.segments.comparisons import (
    AfterEvent,
    BeforeEvent,
    Dates,
    Earlier,
    Ever,
    FlagTest,
    KnownTest,
    Period,
    Recent,
)
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
from hiiki.segments.names import QUESTION_PICKER, Names, event_kind
from hiiki.segments.rules import AllOf, AnyOf, AnyRule, Not
from hiiki.segments.words import MONTHS, amount, compared, day_of, listed, plain_number, quoted

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
            if _may_be_unknown(rule.rule):
                return _("who are not among those (%(what)s), the unknown left out", what=what)
            return _("who are not among those (%(what)s)", what=what)
        case Everyone():
            return _("who are contacts of this workspace")
        case Tagged():
            return _tagged(rule, names)
        case AttributeIs() | ProfileIs() | FieldIs():
            return _compared(rule, names)
        case Befriended():
            return _befriended(rule, names)
        case Answered():
            return _answered(rule, names)
        case Happened():
            return _happened(rule, names)
        case FirstOrLast():
            return _first_or_last(rule, names)
        case Sequence():
            return _sequence(rule, names)
        case Messaged():
            return _timed(_messaged(rule, names), rule.period, names)
        case InSegment():
            return _(
                "who are in the segment %(name)s", name=quoted(names.segments.get(rule.segment_id))
            )
        case OnList():
            return _("who are on the list %(name)s", name=quoted(names.lists.get(rule.list_id)))
        case Randomly():
            return _randomly(rule)


def _may_be_unknown(rule: AnyRule) -> bool:
    """True when of somebody it may not be known whether this is so, as the compiler takes it."""
    match rule:
        case AllOf() | AnyOf():
            return any(_may_be_unknown(part) for part in rule.rules)
        case Not():
            return not rule.or_unknown and _may_be_unknown(rule.rule)
        case AttributeIs() | ProfileIs() | FieldIs():
            if rule.or_unknown or isinstance(rule.test, KnownTest):
                return False
            if isinstance(rule, ProfileIs):
                return rule.field not in ("is_purchaser", "display_name")
            field = road().fields.get(rule.field) if isinstance(rule, FieldIs) else None
            return field is None or field.nothing is None
        case _:
            return False


def _and(left: Text, right: Text) -> Text:
    return _("%(left)s and %(right)s", left=left, right=right)


def _or(left: Text, right: Text) -> Text:
    return _("%(left)s or %(right)s", left=left, right=right)


def _tagged(rule: Tagged, names: Names) -> Text:
    tags = listed([names.tags.get(tag_id) for tag_id in rule.tag_ids])
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


class _Prefecture(Text):
    """A prefecture as it is stored, which has another name in the other language."""

    def to(self, locale: str) -> str:
        with speaking(locale):
            return prefecture_name(self.english)


_PREFECTURES = {name: _Prefecture(name) for name in PREFECTURES}


def _compared(rule: AttributeIs | ProfileIs | FieldIs, names: Names) -> Text:
    match rule:
        case ProfileIs(field="is_purchaser", test=FlagTest(op=op)):
            if op == "flag_yes":
                return _("who are marked as purchasers")
            return _("who are not marked as purchasers")
        case ProfileIs():
            named = _PREFECTURES if rule.field == "prefecture" else None
            what = compared(PROFILE_LABELS[rule.field], rule.test, choices=named)
        case AttributeIs():
            attribute = names.attributes.get(rule.attribute_id)
            what = compared(quoted(attribute.label if attribute else None), rule.test)
        case FieldIs():
            field = road().fields.get(rule.field)
            what = compared(
                quoted(field.label if field else None),
                rule.test,
                kind=field.kind if field else "",
                choices=dict(field.choices) if field else None,
            )
    if rule.or_unknown and not isinstance(rule.test, KnownTest):
        return _("%(what)s (or is not known)", what=what)
    return what


def _befriended(rule: Befriended, names: Names) -> Text:
    if rule.on_every:
        what = {
            "following": _("who are friends of every account now"),
            "blocked": _("who have blocked every account"),
        }.get(rule.status, _("who are or were friends of every account"))
    elif rule.channel_id is None:
        what = {
            "following": _("who are friends now"),
            "blocked": _("who have blocked an account"),
            "either": _("who are or were friends"),
            "never": _("who were never friends"),
        }[rule.status]
    else:
        account = quoted(names.channels.get(rule.channel_id))
        what = {
            "following": _("who are friends of %(account)s now", account=account),
            "blocked": _("who have blocked %(account)s", account=account),
            "either": _("who are or were friends of %(account)s", account=account),
            "never": _("who were never friends of %(account)s", account=account),
        }[rule.status]
    if rule.sources:
        what = _("%(what)s (came by %(sources)s)", what=what, sources=listed(rule.sources))
    if isinstance(rule.followed, Ever):
        return what
    return _("%(what)s (added %(when)s)", what=what, when=_when(rule.followed, names))


def _answered(rule: Answered, names: Names) -> Text:
    question = quoted(names.picked_label(QUESTION_PICKER, str(rule.question_id)))
    match rule.op:
        case "answered":
            return _("who have answered %(question)s", question=question)
        case "contains":
            value = quoted(rule.text)
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
            values = listed([labels.get(ident) for ident in rule.choice_ids])
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


def _deed(deed: Deed, names: Names) -> Text:
    event = _event(deed.event, deed.subject, names)
    if deed.channel_id is not None:
        account = quoted(names.channels.get(deed.channel_id))
        event = _("%(event)s at %(account)s", event=event, account=account)
    if deed.value is not None:
        event = _("%(event)s [value %(amount)s]", event=event, amount=amount(deed.value))
    return event


def _event(name: str, about: str, names: Names) -> Text:
    kind = event_kind(name)
    event = quoted(kind.label if kind else name)
    if not about:
        return event
    subject = names.picked_label(kind.subject, about) if kind and kind.subject else None
    return _("%(event)s (%(subject)s)", event=event, subject=subject or about)


def _happened(rule: Happened, names: Names) -> Text:
    event = _deed(rule, names)
    if rule.measure == "count":
        return _timed(_counted(rule, event), rule.period, names)
    gaps = {"event": event, "amount": _amount(rule)}
    what = {
        "sum": _("whose %(event)s came to %(amount)s in all", **gaps),
        "max": _("whose greatest %(event)s was %(amount)s", **gaps),
        "min": _("whose smallest %(event)s was %(amount)s", **gaps),
        "average": _("whose average %(event)s was %(amount)s", **gaps),
    }[rule.measure]
    return _timed(what, rule.period, names)


def _counted(rule: Happened, event: Text) -> Text:
    if rule.op == "at_least" and rule.number == 1:
        return _("with %(event)s at least once", event=event)
    if rule.op in ("at_most", "exactly") and rule.number == 0:
        return _("without %(event)s", event=event)
    gaps = {"event": event, "n": plain_number(rule.number)}
    high = plain_number(rule.high) if rule.high is not None else ""
    return {
        "at_least": _("with %(event)s at least %(n)s times", **gaps),
        "at_most": _("with %(event)s at most %(n)s times", **gaps),
        "exactly": _("with %(event)s exactly %(n)s times", **gaps),
        "between": _("with %(event)s %(n)s to %(high)s times", **gaps, high=high),
    }[rule.op]


def _amount(rule: Happened) -> Text:
    number = plain_number(rule.number)
    high = plain_number(rule.high) if rule.high is not None else ""
    return {
        "at_least": _("at least %(n)s", n=number),
        "at_most": _("at most %(n)s", n=number),
        "exactly": _("exactly %(n)s", n=number),
        "between": _("from %(low)s to %(high)s", low=number, high=high),
    }[rule.op]


def _timed(what: Text, period: Period, names: Names) -> Text:
    if isinstance(period, Ever):
        return what
    return _("%(what)s (%(when)s)", what=what, when=_when(period, names))


def _first_or_last(rule: FirstOrLast, names: Names) -> Text:
    gaps = {"event": _deed(rule, names), "when": _when(rule.period, names)}
    if rule.which == "first":
        return _("whose first %(event)s was %(when)s", **gaps)
    return _("whose last %(event)s was %(when)s", **gaps)


def _sequence(rule: Sequence, names: Names) -> Text:
    gaps = {
        "first": _timed(_deed(rule.first, names), rule.period, names),
        "then": _deed(rule.then, names),
        "days": rule.days,
    }
    match rule.happened, rule.days:
        case True, None:
            return _("with %(first)s and later %(then)s", **gaps)
        case True, _:
            return _("with %(first)s and within %(days)s days %(then)s", **gaps)
        case False, None:
            return _("with %(first)s, and no %(then)s since the last of these", **gaps)
        case _:
            return _(
                "with %(first)s, and no %(then)s in the %(days)s days after the last of these",
                **gaps,
            )


def _messaged(rule: Messaged, names: Names) -> Text:
    name = quoted(names.picked_label(rule.about, str(rule.about_id)))
    match rule.did, rule.about:
        case "received", "any":
            return _("who received a message")
        case "received", _:
            return _("who received the broadcast %(name)s", name=name)
        case "clicked", "any":
            return _("who opened a link")
        case "clicked", "link":
            return _("who opened the link %(name)s", name=name)
        case "clicked", _:
            return _("who opened a link of the broadcast %(name)s", name=name)
        case "coupon_got", "any":
            return _("who got a coupon")
        case "coupon_got", "coupon":
            return _("who got the coupon %(name)s", name=name)
        case "coupon_got", _:
            return _("who got a coupon of the broadcast %(name)s", name=name)
        case "coupon_used", "any":
            return _("who used a coupon")
        case "coupon_used", "coupon":
            return _("who used the coupon %(name)s", name=name)
        case _:
            return _("who used a coupon of the broadcast %(name)s", name=name)


def _randomly(rule: Randomly) -> Text:
    gaps = {"low": f"{plain_number(rule.low)}%", "high": f"{plain_number(rule.high)}%"}
    what = _("who are in the share from %(low)s to %(high)s that chance picked", **gaps)
    return _("%(what)s (draw %(seed)s)", what=what, seed=quoted(rule.seed)) if rule.seed else what


def _when(period: Period, names: Names) -> Text:
    match period:
        case Ever():
            return _("at any time")
        case Recent():
            return _("in the last %(days)s days", days=period.days)
        case Earlier():
            return _("more than %(days)s days ago", days=period.days)
        case Dates(first=date() as first, until=date() as until):
            return _("from %(first)s to %(until)s", first=day_of(first), until=day_of(until))
        case Dates(first=date() as first):
            return _("since %(first)s", first=day_of(first))
        case AfterEvent():
            event = _event(period.event, period.subject, names)
            return _("after the latest %(event)s", event=event)
        case BeforeEvent():
            event = _event(period.event, period.subject, names)
            return _("before the latest %(event)s", event=event)
        case Dates():
            return _("until %(until)s", until=day_of(period.until) if period.until else "")


__all__ = ["MONTHS", "PROFILE_LABELS", "plain_number", "sentence"]
