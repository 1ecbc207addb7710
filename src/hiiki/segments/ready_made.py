"""Segments to begin with: what shops ask for most, in one click.

Each names the tags it needs. Those that the workspace does not have yet can be made along
with it; the rule then refers to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.models import Tag
from hiiki.contacts.schemas import TagIn
from hiiki.contacts.tags import create_tag
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import LOCALES, Text, _
from hiiki.kit.road import road

Rule = dict[str, Any]
TagIds = Mapping[str, UUID | None]
"""The tag's English name → its id, or None while the workspace has no such tag."""


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """One segment to begin with."""

    key: str
    group: Text
    name: Text
    about: Text
    tags: tuple[Text, ...]
    build: Callable[[TagIds], Rule]
    events: tuple[str, ...] = ()
    """Kinds of event that it counts; without them it is not offered."""


def _tag(ids: TagIds, name: Text, op: str = "has") -> Rule:
    found = ids.get(name.english)
    return {"kind": "tag", "op": op, "tag_ids": [str(found)] if found else []}


def _all(*rules: Rule) -> Rule:
    return {"kind": "all", "rules": list(rules)}


def _is_friend(**period: Any) -> Rule:
    rule: Rule = {"kind": "friendship", "status": "following"}
    return {**rule, "followed": period} if period else rule


def _event(name: str, op: str, number: int, days: int = 0) -> Rule:
    period = {"kind": "recent", "days": days} if days else {"kind": "ever"}
    return {"kind": "event", "event": name, "op": op, "number": number, "period": period}


_WEDDING = _("Wedding hall")
_CURRY = _("Restaurant")
_SHOP = _("Retail shop")
_BASIC = _("For everyone")

ENGAGED = _("Engaged")
CONSIDERING = _("Considering a wedding")
PLANNED = _("Wedding planned")
DONE = _("Wedding done")
THREE_YEARS = _("Married for 3 years or more")
CHILDREN = _("With children")
MILD = _("Likes it mild")
HOT = _("Likes it hot")
KNITWEAR = _("Interested in knitwear")
STORE = _("Has visited the store")
MEN = _("Men")

READY_MADE: tuple[ReadyMade, ...] = (
    ReadyMade(
        "new_friends",
        _BASIC,
        _("New friends"),
        _("People who added you in the last 7 days."),
        (),
        lambda ids: _all(_is_friend(kind="recent", days=7)),
    ),
    ReadyMade(
        "birthday",
        _BASIC,
        _("Birthday this month"),
        _("Friends whose birthday is in the present month; changes by itself."),
        (),
        lambda ids: _all(
            _is_friend(),
            {"kind": "profile", "field": "birthday", "test": {"op": "day_month", "month": 0}},
        ),
    ),
    ReadyMade(
        "quiet",
        _BASIC,
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
        _BASIC,
        _("Coupon not used yet"),
        _("People who got a coupon in the last 30 days and have used none since."),
        (),
        lambda ids: _all(
            _event("coupon_issue", "at_least", 1, days=30),
            _event("coupon_use", "exactly", 0, days=30),
        ),
        ("coupon_issue", "coupon_use"),
    ),
    ReadyMade(
        "curry_mild",
        _CURRY,
        _("Mild launch"),
        _("For a new mild dish: those who like it mild, and not those who like it hot."),
        (MILD, HOT),
        lambda ids: _all(_tag(ids, MILD), _tag(ids, HOT, "has_not")),
    ),
    ReadyMade(
        "wedding_first",
        _WEDDING,
        _("Engaged and considering"),
        _("For an invitation to a fair: engaged, and considering a wedding."),
        (ENGAGED, CONSIDERING),
        lambda ids: _all(_tag(ids, ENGAGED), _tag(ids, CONSIDERING)),
    ),
    ReadyMade(
        "wedding_family",
        _WEDDING,
        _("3 years, children, planned"),
        _("For a family wedding: married for 3 years or more, with children, and planned."),
        (THREE_YEARS, CHILDREN, PLANNED),
        lambda ids: _all(_tag(ids, THREE_YEARS), _tag(ids, CHILDREN), _tag(ids, PLANNED)),
    ),
    ReadyMade(
        "wedding_after",
        _WEDDING,
        _("Children, wedding done"),
        _("For anniversaries and family photographs: with children, and the wedding is done."),
        (CHILDREN, DONE),
        lambda ids: _all(_tag(ids, CHILDREN), _tag(ids, DONE)),
    ),
    ReadyMade(
        "knitwear",
        _SHOP,
        _("Knitwear for store visitors"),
        _("Interested in knitwear, has visited the store, and is not tagged as a man."),
        (KNITWEAR, STORE, MEN),
        lambda ids: _all(_tag(ids, KNITWEAR), _tag(ids, STORE), _tag(ids, MEN, "has_not")),
    ),
    ReadyMade(
        "tokyo_news",
        _SHOP,
        _("News of a store in Tokyo"),
        _("Friends in and around Tokyo; whoever lives elsewhere, or has not said, is left out."),
        (),
        lambda ids: _all(
            _is_friend(),
            {
                "kind": "profile",
                "field": "prefecture",
                "test": {
                    "op": "choice_any",
                    "choices": ["東京都", "神奈川県", "埼玉県", "千葉県"],
                },
            },
        ),
    ),
)


def offered() -> Sequence[ReadyMade]:
    """Return those whose events this installation knows."""
    return [each for each in READY_MADE if all(name in road().events for name in each.events)]


def find(key: str) -> ReadyMade | None:
    """Return the one with this key, if it is offered."""
    return next((each for each in offered() if each.key == key), None)


async def tags_for(session: WorkspaceSession, wanted: Sequence[Text]) -> dict[str, UUID | None]:
    """Return the ids of the tags of these names, in whichever language the shop wrote them."""
    names = {text.to(locale): text.english for text in wanted for locale in LOCALES}
    rows = await session.execute(select(Tag.id, Tag.name).where(Tag.name.in_(names)))
    found: dict[str, UUID | None] = {text.english: None for text in wanted}
    found.update({names[name]: ident for ident, name in rows})
    return found


async def make_tags(session: WorkspaceSession, wanted: Sequence[Text]) -> list[Tag]:
    """Make those of the tags that are missing, named in the present language."""
    found = await tags_for(session, wanted)
    return [
        await create_tag(session, TagIn(name=str(text)))
        for text in wanted
        if found[text.english] is None
    ]
