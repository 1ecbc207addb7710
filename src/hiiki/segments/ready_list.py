"""The segments to begin with (requirements B1 to B7, B9 and B10), group by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road
from hiiki.segments.ready_made import Choice, Ids, ReadyMade, Rule


def _id(ids: Ids, name: Text) -> list[str]:
    found = ids.get(name.english)
    return [str(found)] if found else []


def _tag(ids: Ids, *names: Text, op: str = "has") -> Rule:
    return {"kind": "tag", "op": op, "tag_ids": [i for name in names for i in _id(ids, name)]}


def _all(*rules: Rule) -> Rule:
    return {"kind": "all", "rules": list(rules)}


def _is_friend(**period: Any) -> Rule:
    rule: Rule = {"kind": "friendship", "status": "following"}
    return {**rule, "followed": period} if period else rule


def _recent(days: int) -> Rule:
    return {"kind": "recent", "days": days}


def _event(name: str, op: str, number: int, days: int = 0) -> Rule:
    period = _recent(days) if days else {"kind": "ever"}
    return {"kind": "event", "event": name, "op": op, "number": number, "period": period}


def _field(name: str, op: str, *numbers: int) -> Rule:
    if op == "days_ago" or op == "number_between":
        return {"kind": "field", "field": name, "test": {"op": op, **_ends(*numbers)}}
    return {"kind": "field", "field": name, "test": {"op": op, "number": numbers[0]}}


def _ends(low: int, high: int) -> Rule:
    return {"low": low, "high": high}


def _profile(field: str, **test: Any) -> Rule:
    return {"kind": "profile", "field": field, "test": test}


def _chosen(ids: Ids, choice: Choice, *wanted: Text, negate: bool = False) -> Rule:
    [ident] = _id(ids, choice.label) or [""]
    values = [str(each) for each in wanted]
    rule = {
        "kind": "attribute",
        "attribute_id": ident,
        "test": {"op": "choice_any", "choices": values},
    }
    return {"kind": "not", "rule": rule} if negate else rule


BASIC = _("For everyone")
PURCHASES = _("By purchases (RFM)")
CART = _("Before the purchase")
WEDDING = _("Wedding hall")
CURRY = _("Restaurant")
SHOP = _("Retail shop")
EXCLUDED = _("Not sent to whom it does not suit")
NINE = _("9-segment map")

ENGAGED = _("Engaged")
CONSIDERING = _("Considering a wedding")
PLANNED = _("Wedding planned")
DONE = _("Wedding done")
NEW_COUPLE = _("Married for less than a year")
THREE_YEARS = _("Married for 3 years or more")
CHILDREN = _("With children")
NO_CHILDREN = _("Without children")
MILD = _("Likes it mild")
MEDIUM = _("Likes it medium hot")
HOT = _("Likes it hot")
VERY_HOT = _("Likes it very hot")
KNITWEAR = _("Interested in knitwear")
STORE = _("Has visited the store")
OILY = _("Oily skin")
DRY = _("Dry skin")
WOMAN, MAN = _("Woman"), _("Man")
GENDER = Choice("gender", _("Gender"), (WOMAN, MAN, _("Other")))
TOKYO = ["東京都", "神奈川県", "埼玉県", "千葉県"]


def ready_made() -> Sequence[ReadyMade]:
    """Return all of them but those of the 9-segment map."""
    return (*_basic(), *_purchases(), *_cart(), *_wedding(), *_curry(), *_shop(), *_excluded())


def _basic() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "new_friends",
            BASIC,
            _("New friends"),
            _("People who added you in the last 7 days."),
            (),
            lambda ids: _all(_is_friend(kind="recent", days=7)),
        ),
        ReadyMade(
            "birthday",
            BASIC,
            _("Birthday this month"),
            _("Friends whose birthday is in the present month; changes by itself."),
            (),
            lambda ids: _all(_is_friend(), _profile("birthday", op="day_month", month=0)),
        ),
        ReadyMade(
            "birthday_february",
            BASIC,
            _("Birthday in February"),
            _("Friends born in a month of your choice."),
            (),
            lambda ids: _all(_is_friend(), _profile("birthday", op="day_month", month=2)),
        ),
        ReadyMade(
            "birthday_soon",
            BASIC,
            _("Birthday in the coming week"),
            _("In time for a greeting with a coupon, over New Year too."),
            (),
            lambda ids: _all(_is_friend(), _profile("birthday", op="anniversary", low=0, high=7)),
        ),
        ReadyMade(
            "quiet",
            BASIC,
            _("Quiet for 90 days"),
            _("Friends of more than 90 days who have not written in the last 90."),
            (),
            lambda ids: _all(
                _is_friend(kind="earlier", days=90), _event("message", "exactly", 0, days=90)
            ),
            ("message",),
        ),
        ReadyMade(
            "coupon_waiting",
            BASIC,
            _("Coupon not used yet"),
            _("People who got a coupon in the last 30 days and have used none since."),
            (),
            lambda ids: _all(
                _event("coupon_issue", "at_least", 1, days=30),
                {
                    "kind": "sequence",
                    "first": {"event": "coupon_issue"},
                    "period": _recent(30),
                    "happened": False,
                    "then": {"event": "coupon_use"},
                },
            ),
            ("coupon_issue", "coupon_use"),
        ),
        ReadyMade(
            "hold_out",
            BASIC,
            _("Nine in ten, picked by chance"),
            _("Send to these and keep one in ten out, to see what the message really adds."),
            (),
            lambda ids: _all(_is_friend(), {"kind": "random", "low": 10, "high": 100}),
        ),
    )


def _purchases() -> Sequence[ReadyMade]:
    orders = ("purchases.orders",)
    rfm = ("rfm.recency", "rfm.frequency", "rfm.monetary")
    return (
        ReadyMade(
            "never_bought",
            PURCHASES,
            _("Registered but never bought"),
            _("Friends without a single purchase."),
            (),
            lambda ids: _all(_is_friend(), _field(orders[0], "number_is", 0)),
            fields=orders,
        ),
        ReadyMade(
            "first_purchase",
            PURCHASES,
            _("Bought once"),
            _("The second purchase is the hardest: thank them, and give them a reason."),
            (),
            lambda ids: _all(_field(orders[0], "number_is", 1)),
            fields=orders,
        ),
        ReadyMade(
            "five_and_more",
            PURCHASES,
            _("Bought five times and more"),
            _("Your regulars."),
            (),
            lambda ids: _all(_field(orders[0], "number_at_least", 5)),
            fields=orders,
        ),
        ReadyMade(
            "rfm_best",
            PURCHASES,
            _("Best customers"),
            _("Lately, often, and for much: 4 or 5 in all three ranks."),
            (),
            lambda ids: _all(*(_field(name, "number_at_least", 4) for name in rfm)),
            fields=rfm,
        ),
        ReadyMade(
            "rfm_leaving",
            PURCHASES,
            _("Regulars who are leaving"),
            _("Used to buy often, and have not for long."),
            (),
            lambda ids: _all(
                _field(rfm[0], "number_at_most", 2), _field(rfm[1], "number_at_least", 4)
            ),
            fields=rfm,
        ),
        ReadyMade(
            "ltv_high",
            PURCHASES,
            _("Promising customers"),
            _("Expected to spend 10,000 or more in the coming 12 months."),
            (),
            lambda ids: _all(_field("ltv.predicted", "number_at_least", 10_000)),
            fields=("ltv.predicted",),
        ),
        ReadyMade(
            "continued",
            PURCHASES,
            _("Continued three times and more"),
            _("Subscribers past their third delivery."),
            (),
            lambda ids: _all(_field("purchases.continued", "number_at_least", 3)),
            fields=("purchases.continued",),
        ),
    )


def _cart() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "cart_left",
            CART,
            _("Left in the cart"),
            _("Put something into the cart in the last 7 days, and did not buy within a day."),
            (),
            lambda ids: _all(
                {
                    "kind": "sequence",
                    "first": {"event": "cart"},
                    "period": _recent(7),
                    "happened": False,
                    "then": {"event": "purchase"},
                    "days": 1,
                },
                # Who bought on the third day is not to be reminded of what they have paid for.
                {
                    "kind": "sequence",
                    "first": {"event": "cart"},
                    "period": _recent(7),
                    "happened": False,
                    "then": {"event": "purchase"},
                },
            ),
            ("cart", "purchase"),
        ),
        ReadyMade(
            "next_purchase",
            CART,
            _("Considering the next purchase"),
            _("Bought once or more, the last time 20 to 45 days ago, and clicked since."),
            (),
            lambda ids: _all(
                _field("purchases.last_at", "days_ago", 20, 45),
                {
                    "kind": "event",
                    "event": "link_open",
                    "period": {"kind": "after_event", "event": "purchase"},
                },
            ),
            ("purchase", "link_open"),
            fields=("purchases.last_at",),
        ),
    )


def _wedding() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "wedding_first",
            WEDDING,
            _("Engaged and considering"),
            _("For an invitation to a fair: engaged, and considering a wedding."),
            (ENGAGED, CONSIDERING),
            lambda ids: _all(_tag(ids, ENGAGED), _tag(ids, CONSIDERING)),
        ),
        ReadyMade(
            "wedding_new",
            WEDDING,
            _("Newly married, no wedding yet"),
            _("Married for less than a year, without children, and the wedding is not done."),
            (NEW_COUPLE, NO_CHILDREN, DONE),
            lambda ids: _all(
                _tag(ids, NEW_COUPLE), _tag(ids, NO_CHILDREN), _tag(ids, DONE, op="has_not")
            ),
        ),
        ReadyMade(
            "wedding_family",
            WEDDING,
            _("3 years, children, planned"),
            _("For a family wedding: married for 3 years or more, with children, and planned."),
            (THREE_YEARS, CHILDREN, PLANNED),
            lambda ids: _all(_tag(ids, THREE_YEARS), _tag(ids, CHILDREN), _tag(ids, PLANNED)),
        ),
        ReadyMade(
            "wedding_after",
            WEDDING,
            _("Children, wedding done"),
            _("For anniversaries and family photographs: with children, and the wedding is done."),
            (CHILDREN, DONE),
            lambda ids: _all(_tag(ids, CHILDREN), _tag(ids, DONE)),
        ),
    )


def _curry() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "curry_mild",
            CURRY,
            _("Mild launch"),
            _("For a new mild dish: those who like it mild, and not those who like it hot."),
            (MILD, HOT, VERY_HOT),
            lambda ids: _all(_tag(ids, MILD), _tag(ids, HOT, VERY_HOT, op="has_not")),
        ),
        ReadyMade(
            "curry_hot",
            CURRY,
            _("Hot launch"),
            _("For a new hot dish: those who like it medium hot or hotter."),
            (MEDIUM, HOT, VERY_HOT),
            lambda ids: _all(_tag(ids, MEDIUM, HOT, VERY_HOT)),
        ),
    )


def _shop() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "knitwear",
            SHOP,
            _("Knitwear for store visitors"),
            _("Interested in knitwear, has visited the store, and is not known to be a man."),
            (KNITWEAR, STORE),
            lambda ids: _all(
                _tag(ids, KNITWEAR),
                _tag(ids, STORE),
                {**_chosen(ids, GENDER, MAN, negate=True), "or_unknown": True},
            ),
            attributes=(GENDER,),
        ),
        ReadyMade(
            "women_thirties",
            SHOP,
            _("Women in their thirties"),
            _("Whose birthday or gender is not known is left out."),
            (),
            lambda ids: _all(
                _chosen(ids, GENDER, WOMAN), _profile("birthday", op="years_ago", low=30, high=39)
            ),
            attributes=(GENDER,),
        ),
    )


def _excluded() -> Sequence[ReadyMade]:
    return (
        ReadyMade(
            "tokyo_news",
            EXCLUDED,
            _("News of a store in Tokyo"),
            _("Friends in and around Tokyo; who lives elsewhere, or has not said, is left out."),
            (),
            lambda ids: _all(_is_friend(), _profile("prefecture", op="choice_any", choices=TOKYO)),
        ),
        ReadyMade(
            "ladies",
            EXCLUDED,
            _("Ladies' wear, not to men"),
            _("All friends but men; whoever has not said stays in."),
            (),
            lambda ids: _all(
                _is_friend(), {**_chosen(ids, GENDER, MAN, negate=True), "or_unknown": True}
            ),
            attributes=(GENDER,),
        ),
        ReadyMade(
            "oily_skin",
            EXCLUDED,
            _("Oily-skin coupon, not to dry skin"),
            _("With oily skin, and not with dry skin too."),
            (OILY, DRY),
            lambda ids: _all(_tag(ids, OILY), _tag(ids, DRY, op="has_not")),
        ),
    )


def cells() -> Sequence[ReadyMade]:
    """Return one for each cell of the 9-segment map, where that is installed."""
    field = road().fields.get("ninecells.cell")
    return [
        ReadyMade(
            f"cell_{value}",
            NINE,
            label,
            _("Everybody in this cell of the map, as of now."),
            (),
            _in_cell(value),
            fields=("ninecells.cell",),
        )
        for value, label in (field.choices if field is not None else ())
    ]


def _in_cell(value: str) -> Callable[[Ids], Rule]:
    test = {"op": "choice_any", "choices": [value]}
    rule = _all({"kind": "field", "field": "ninecells.cell", "test": test})

    def build(_ids: Ids) -> Rule:
        return rule

    return build
