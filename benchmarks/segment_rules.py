"""The rules that `benchmarks.segments` asks, and each as SQL written by hand.

All ready-made segments, which are requirements B1 to B7 (and B9, B10), and some harder ones. By
hand is written what somebody would write who knows these tables well, and this shop: that it has
one account, which rows a person has at most once, and what follows from what. Each gives the ids
of the members, everybody's once.
"""

# ruff: noqa: S608 — only names made here

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.segment_world import (
    AGE,
    BROADCASTS,
    CHANNEL,
    GENDER,
    LIST,
    QUESTIONS,
    TAGS,
    WORKSPACE,
    broadcast,
    link,
    named,
)
from hiiki.ninecells.cells import CELLS
from hiiki.segments.ready_made import Ids, offered

Rule = dict[str, Any]
WS = f"workspace_id = '{WORKSPACE}'"
FRIENDS = (
    f"select f.contact_id from contacts.friendship f where f.{WS}"
    f" and f.channel_id = '{CHANNEL}' and f.status = 'following'"
)
REQUIREMENTS = {
    "wedding": "B1",
    "curry": "B2",
    "birthday": "B3",
    "women": "B3",
    "knitwear": "B3",
    "tokyo": "B4",
    "ladies": "B4",
    "oily": "B4",
    "never": "B5",
    "first": "B5",
    "five": "B5",
    "rfm": "B5",
    "cell": "B6",
    "cart": "B7",
    "next": "B7",
    "ltv": "B9",
    "continued": "B10",
}
"""How the key of a ready-made segment begins → the requirement that it is for."""


@dataclass(frozen=True, slots=True)
class Question:
    """A rule, and a statement that gives the same people."""

    rule: Rule
    by_hand: str

    @property
    def counted_by_hand(self) -> str:
        """How many they are."""
        return f"select count(*) from ({self.by_hand}) m"

    @property
    def reached_by_hand(self) -> str:
        """How many they are, and who of them is reached: all where they are friends anyway."""
        if self.by_hand.startswith(("select f.", FRIENDS)):
            return f"select n, n from (select count(*) from ({self.by_hand}) m) _ (n)"
        return (
            f"select count(*), count(f.contact_id) from ({self.by_hand}) m left join"
            f" contacts.friendship f on f.contact_id = m.contact_id and f.channel_id = '{CHANNEL}'"
            f" and f.status = 'following' and f.{WS}"
        )


def questions() -> dict[str, Question]:
    """Return all questions by their names, which begin with the requirement if it is one."""
    needed: Ids = {name: named(name) for name in TAGS} | {"Gender": GENDER}
    hand = _by_hand()
    found: dict[str, Question] = {}
    for each in offered():
        requirement = REQUIREMENTS.get(each.key.partition("_")[0])
        name = f"{requirement}_{each.key}" if requirement else each.key
        found[name] = Question(each.build(needed), hand[each.key])
    return found | _harder()


def _tag(name: str) -> str:
    return f"tag_id = '{named(name)}'"


def _tagged(name: str) -> str:
    return f"select t.contact_id from contacts.contact_tag t where t.{WS} and t.{_tag(name)}"


def _has(name: str) -> str:
    return (
        "exists (select from contacts.contact_tag o where o.contact_id = t.contact_id"
        f" and o.{WS} and o.{_tag(name)})"
    )


def _tally(kind: str, alias: str = "y") -> str:
    return (
        f"select {alias}.contact_id from timeline.tally {alias} where {alias}.{WS}"
        f" and {alias}.kind = '{kind}' and {alias}.subject = ''"
    )


def _friends_whose(condition: str) -> str:
    """Return the friends of whose own row this is true."""
    return (
        "select f.contact_id from contacts.friendship f join contacts.contact c"
        f" on c.id = f.contact_id where f.{WS} and f.channel_id = '{CHANNEL}'"
        f" and f.status = 'following' and c.{WS} and {condition}"
    )


def _man(of: str) -> str:
    return (
        f"exists (select from contacts.contact_attribute a where a.contact_id = {of}.contact_id"
        f" and a.{WS} and a.attribute_id = '{GENDER}' and a.choice = 'Man')"
    )


def _days(column: str, first: int, until: int) -> str:
    """Return that a moment lies so many days of the shop ago, both included."""
    midnight = "date_trunc('day', now(), 'Asia/Tokyo')"
    return (
        f"{column} >= {midnight} - interval '{until} days'"
        f" and {column} < {midnight} - interval '{first - 1} days'"
    )


TODAY = "(now() at time zone 'Asia/Tokyo')::date"


def _by_hand() -> dict[str, str]:
    month = "extract(month from c.birthday)"
    day = f"{month} * 100 + extract(day from c.birthday)"
    ends = [f"to_char({TODAY} + {days}, 'MMDD')::int" for days in (0, 7)]
    turn = f"case when {ends[0]} <= {ends[1]} then"
    cells = {
        f"cell_{cell.name}": f"select contact_id from ninecells.standing where {WS}"
        f" and cell = '{cell.name}'"
        for cell in CELLS
    }
    customers = f"select p.contact_id from purchases.customer p where p.{WS}"
    ranks = f"select r.contact_id from rfm.standing r where r.{WS}"
    return cells | {
        "new_friends": f"{FRIENDS} and f.followed_at > now() - interval '7 days'",
        "birthday": _friends_whose(f"{month} = extract(month from {TODAY})"),
        "birthday_february": _friends_whose(f"{month} = 2"),
        "birthday_soon": _friends_whose(
            f"{turn} {day} between {ends[0]} and {ends[1]}"
            f" else {day} >= {ends[0]} or {day} <= {ends[1]} end"
        ),
        "quiet": f"{FRIENDS} and f.followed_at <= now() - interval '90 days' and not exists"
        f" ({_tally('message')} and y.contact_id = f.contact_id"
        " and y.last_at > now() - interval '90 days')",
        "coupon_waiting": f"{_tally('coupon_issue', 'x')} and x.last_at > now() - interval"
        f" '30 days' and not exists ({_tally('coupon_use')} and y.contact_id = x.contact_id"
        " and y.last_at > x.last_at)",
        "hold_out": f"""{FRIENDS} and md5(uuid_send(f.contact_id)) collate "C" >= '1999999a'""",
        "never_bought": f"{FRIENDS} and not exists"
        f" ({customers} and p.contact_id = f.contact_id and p.orders > 0)",
        "first_purchase": f"{customers} and p.orders = 1",
        "five_and_more": f"{customers} and p.orders >= 5",
        "rfm_best": f"{ranks} and r.recency >= 4 and r.frequency >= 4 and r.monetary >= 4",
        "rfm_leaving": f"{ranks} and r.recency <= 2 and r.frequency >= 4",
        "ltv_high": f"select contact_id from ltv.prediction where {WS} and predicted >= 10000",
        "continued": f"select contact_id from purchases.subscriber where {WS} and continued >= 3",
        "cart_left": f"{_tally('cart', 'x')} and x.last_at > now() - interval '7 days'"
        f" and x.last_at <= now() - interval '24 hours' and not exists ({_tally('purchase')}"
        " and y.contact_id = x.contact_id and y.last_at > x.last_at)",
        "next_purchase": f"{customers} and {_days('p.last_at', 20, 45)} and exists"
        f" ({_tally('link_open')} and y.contact_id = p.contact_id and y.last_at > p.last_at)",
        "wedding_first": f"{_tagged('Engaged')} and {_has('Considering a wedding')}",
        "wedding_new": f"{_tagged('Married for less than a year')} and"
        f" {_has('Without children')} and not {_has('Wedding done')}",
        "wedding_family": f"{_tagged('Wedding planned')} and"
        f" {_has('Married for 3 years or more')} and {_has('With children')}",
        "wedding_after": f"{_tagged('Wedding done')} and {_has('With children')}",
        "curry_mild": f"{_tagged('Likes it mild')} and not exists (select from"
        f" contacts.contact_tag o where o.contact_id = t.contact_id and o.{WS} and"
        f" (o.{_tag('Likes it hot')} or o.{_tag('Likes it very hot')}))",
        "curry_hot": f"select distinct contact_id from contacts.contact_tag where {WS} and ("
        + " or ".join(_tag(f"Likes it {how}") for how in ("medium hot", "hot", "very hot"))
        + ")",
        "knitwear": f"{_tagged('Interested in knitwear')} and {_has('Has visited the store')}"
        f" and not {_man('t')}",
        "women_thirties": "select c.id as contact_id from contacts.contact c join"
        " contacts.contact_attribute a on a.contact_id = c.id where c."
        f"{WS} and a.{WS} and a.attribute_id = '{GENDER}' and a.choice = 'Woman'"
        f" and c.birthday > ({TODAY} - interval '40 years')::date"
        f" and c.birthday <= ({TODAY} - interval '30 years')::date",
        "tokyo_news": _friends_whose(
            "c.prefecture in ('東京都', '神奈川県', '埼玉県', '千葉県')"
        ),
        "ladies": f"{FRIENDS} and not {_man('f')}",
        "oily_skin": f"{_tagged('Oily skin')} and not {_has('Dry skin')}",
    }  # fmt: skip


def _all(*rules: Rule) -> Rule:
    return {"kind": "all", "rules": list(rules)}


def _any(*rules: Rule) -> Rule:
    return {"kind": "any", "rules": list(rules)}


def _tag_rule(*names: str, op: str = "has") -> Rule:
    return {"kind": "tag", "op": op, "tag_ids": [str(named(name)) for name in names]}


def _recent(days: int) -> Rule:
    return {"kind": "recent", "days": days}


def _event(event: str, **more: Any) -> Rule:
    return {"kind": "event", "event": event, **more}


def _about(did: str, ident: UUID) -> Rule:
    return {"kind": "message", "did": did, "about": "broadcast", "about_id": str(ident)}


def _harder() -> dict[str, Question]:
    """Return rules that shops make of their own: nested, negated, over single events."""
    older = {
        "kind": "attribute",
        "attribute_id": str(AGE),
        "test": {"op": "number_above", "number": 30},
    }
    age = f"select a.contact_id from contacts.contact_attribute a where a.{WS}" \
        f" and a.attribute_id = '{AGE}' and a.number"  # fmt: skip
    hokkaido = {
        "kind": "profile",
        "field": "prefecture",
        "test": {"op": "choice_any", "choices": ["北海道"]},
    }
    latest = broadcast(BROADCASTS - 1)
    links = ", ".join(f"'{link(BROADCASTS - 1, place)}'" for place in range(2))
    kind = f"select e.contact_id from timeline.event e where e.{WS} and e.kind = "
    return {
        "everyone": Question(
            {"kind": "everyone"}, f"select id as contact_id from contacts.contact where {WS}"
        ),
        "no_tag": Question(
            _tag_rule("Likes it mild", op="has_not"),
            f"select c.id as contact_id from contacts.contact c where c.{WS} and not exists"
            f" ({_tagged('Likes it mild')} and t.contact_id = c.id)",
        ),
        "B1_nested": Question(
            _all(
                _any(
                    _all(_tag_rule("Engaged"), _tag_rule("Considering a wedding")),
                    _all(
                        _tag_rule("Married for 3 years or more"),
                        _tag_rule("With children"),
                        _tag_rule("Wedding planned"),
                    ),
                ),
                {"kind": "not", "rule": _tag_rule("Wedding done")},
                {"kind": "friendship", "status": "following"},
            ),
            f"{FRIENDS} and not exists ({_tagged('Wedding done')} and"
            f" t.contact_id = f.contact_id) and f.contact_id in ("
            f"{_tagged('Engaged')} and {_has('Considering a wedding')} union all "
            f"{_tagged('Wedding planned')} and {_has('Married for 3 years or more')}"
            f" and {_has('With children')})",
        ),
        "B3_not_over_30": Question({"kind": "not", "rule": older}, f"{age} <= 30"),
        "B3_over_30_and_knitwear": Question(
            _all(older, _tag_rule("Interested in knitwear")),
            f"{_tagged('Interested in knitwear')} and exists"
            f" ({age} > 30 and a.contact_id = t.contact_id)",
        ),
        "B4_not_hokkaido_no_oily_skin": Question(
            _all({"kind": "not", "rule": hokkaido}, _tag_rule("Oily skin", op="has_not")),
            f"select c.id as contact_id from contacts.contact c where c.{WS} and c.prefecture <>"
            f" '北海道' and not exists ({_tagged('Oily skin')} and t.contact_id = c.id)",
        ),
        "B5_five_by_the_timeline": Question(
            _event("purchase", number=5), f"{_tally('purchase')} and y.n >= 5"
        ),
        "B5_spent_in_90_days": Question(
            _event("purchase", measure="sum", number=10_000, period=_recent(90)),
            f"{kind} 'purchase' and e.at > now() - interval '90 days'"
            " group by e.contact_id having sum(e.value) >= 10000",
        ),
        "B5_twice_in_a_store": Question(
            _event("purchase", subject="ginza", number=2),
            f"{kind} 'purchase' and e.subject = 'ginza' group by e.contact_id"
            " having count(*) >= 2",
        ),
        "B6_latest_answer": Question(
            {
                "kind": "answer",
                "question_id": str(QUESTIONS[0]),
                "op": "choices",
                "choice_ids": ["c1"],
            },
            f"select contact_id from timeline.tally where {WS} and kind = 'survey_answer'"
            f" and subject = '{QUESTIONS[0]}' and 'c1' = any(chosen)",
        ),
        "B7_opened_not_used_in_30_days": Question(
            _all(
                _event("link_open", period=_recent(30)),
                _event("coupon_use", op="exactly", number=0, period=_recent(30)),
            ),
            f"{_tally('link_open', 'x')} and x.last_at > now() - interval '30 days' and not exists"
            f" ({_tally('coupon_use')} and y.contact_id = x.contact_id"
            " and y.last_at > now() - interval '30 days')",
        ),
        "received_and_not_clicked": Question(
            _all(_about("received", latest), {"kind": "not", "rule": _about("clicked", latest)}),
            f"{kind} 'sent' and e.subject = 'broadcast:{latest}' and not exists (select from"
            f" timeline.event o where o.contact_id = e.contact_id and o.{WS} and o.kind ="
            f" 'link_open' and o.subject in ({links})) group by e.contact_id",
        ),
        "list": Question(
            {"kind": "list", "list_id": str(LIST)},
            f"select contact_id from segments.list_member where {WS} and list_id = '{LIST}'",
        ),
    }  # fmt: skip
