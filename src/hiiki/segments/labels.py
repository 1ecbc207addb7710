"""What the builder's choices are called."""

from __future__ import annotations

from hiiki.kit.i18n import Text, _

Pairs = list[tuple[str, Text | str]]

KIND_LABELS: dict[str, Text] = {
    "tag": _("Tag"),
    "attribute": _("Attribute (own fields)"),
    "profile": _("Profile (name, birthday, …)"),
    "field": _("Figures and ranks (purchases, RFM, …)"),
    "friendship": _("Friend or blocked"),
    "answer": _("Survey answer"),
    "event": _("What happened, how often or how much"),
    "first_or_last": _("The first or last time something happened"),
    "sequence": _("Did one thing, then another (or not)"),
    "message": _("Messages, clicks and coupons"),
    "segment": _("Another segment"),
    "list": _("A list of people"),
    "random": _("A share of people picked by chance"),
    "everyone": _("Everyone"),
}
GROUP_KINDS: Pairs = [
    ("all", _("All of these are true")),
    ("any", _("At least one of these is true")),
    ("not_all", _("Not all of these are true")),
    ("not_any", _("None of these is true")),
]
TAG_OPS: Pairs = [
    ("has", _("has one of these")),
    ("has_all", _("has all of these")),
    ("has_not", _("has none of these")),
]
STATUSES: Pairs = [
    ("following", _("is a friend now")),
    ("blocked", _("has blocked")),
    ("either", _("is or was a friend")),
    ("never", _("was never a friend")),
]
PERIODS: Pairs = [
    ("ever", _("at any time")),
    ("recent", _("in the last … days")),
    ("earlier", _("more than … days ago")),
    ("dates", _("between two days")),
]
EVENT_PERIODS: Pairs = [
    *PERIODS,
    ("after_event", _("since their own last …")),
    ("before_event", _("before their own last …")),
]
ANSWER_OPS: Pairs = [
    ("choices", _("is one of these")),
    ("contains", _("contains the words")),
    ("answered", _("was given at all")),
]
MEASURES: Pairs = [
    ("count", _("number of times")),
    ("sum", _("sum")),
    ("average", _("average value")),
    ("max", _("greatest value")),
    ("min", _("smallest value")),
]
EVENT_OPS: Pairs = [
    ("at_least", _("at least")),
    ("at_most", _("at most")),
    ("exactly", _("exactly")),
    ("between", _("from … to …")),
]
VALUE_OPS: Pairs = [
    ("", _("of any value")),
    ("number_at_least", _("of a value of at least …")),
    ("number_at_most", _("of a value of at most …")),
    ("number_between", _("of a value from … to …")),
    ("number_is", _("of a value of exactly …")),
    ("number_above", _("of a value above …")),
    ("number_below", _("of a value below …")),
]
WHICH: Pairs = [("first", _("The first time")), ("last", _("The last time"))]
HAPPENED: Pairs = [("true", _("and then did")), ("false", _("and then did not do"))]
DIDS: Pairs = [
    ("received", _("received a message")),
    ("clicked", _("opened a link")),
    ("coupon_got", _("got a coupon")),
    ("coupon_used", _("used a coupon")),
]
ABOUT: dict[str, Text] = {
    "any": _("about anything"),
    "broadcast": _("of this broadcast"),
    "link": _("this link"),
    "coupon": _("this coupon"),
}
OP_LABELS: dict[str, Text] = {
    "text_is": _("is"),
    "text_contains": _("contains"),
    "text_starts": _("begins with"),
    "text_ends": _("ends with"),
    "number_is": _("equals"),
    "number_above": _("is above"),
    "number_at_least": _("is at least"),
    "number_below": _("is below"),
    "number_at_most": _("is at most"),
    "number_between": _("is between"),
    "day_on": _("is on"),
    "day_before": _("is before"),
    "day_after": _("is after"),
    "day_between": _("is between"),
    "day_month": _("is in the month"),
    "day_of_year": _("is on a day of any year"),
    "anniversary": _("comes round … days from now"),
    "days_ago": _("was … days ago"),
    "days_ahead": _("is … days ahead"),
    "years_ago": _("was … years ago (age)"),
    "choice_any": _("is one of these"),
    "choices_any": _("includes one of these"),
    "choices_all": _("includes all of these"),
    "choices_none": _("includes none of these"),
    "flag_yes": _("is yes"),
    "flag_no": _("is no"),
    "known": _("is known"),
    "unknown": _("is not known"),
}
