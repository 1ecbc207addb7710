"""Membership plans: LINE lets them be made in the LINE Official Account Manager only."""

from __future__ import annotations

from typing import Any, cast

from ..control.route import Ask, ControlError, control
from ..model import Channel, Json
from . import acts  # pyright: ignore[reportUnusedImport]  # noqa: F401 - registers the acts
from .operations import described
from .store import MAX_PLANS, Memberships, Plan

MAX_BENEFITS = 5
_PLAN: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "description": "of a plan to be changed; a new one gets its own"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "benefits": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": MAX_BENEFITS,
        },
        "price": {"type": "number"},
        "currency": {"enum": ["JPY", "TWD", "THB"]},
        "limit": {"type": ["integer", "null"], "description": "members; null: no limit"},
        "in_app": {"type": "boolean"},
        "published": {"type": "boolean", "description": "false: discontinued, members stay"},
    },
}


def _shown(channel: Channel) -> Json:
    return {
        "plans": [
            described(plan)
            | {
                "limit": plan.limit,
                "in_app": plan.in_app,
                "published": plan.published,
                "members": {
                    user_id: {"no": one.no, "joined_at": one.joined_at, "months": one.months}
                    for user_id, one in plan.members.items()
                },
            }
            for plan in channel.store.of(Memberships).plans.values()
        ]
    }


def _change(plan: Plan, changes: Json) -> None:
    for name, given in changes.items():
        value: Any = given
        fits = (
            (name in ("title", "description") and isinstance(value, str))
            or (name in ("in_app", "published") and isinstance(value, bool))
            or (name == "currency" and value in ("JPY", "TWD", "THB"))
            or (name == "limit" and (value is None or _number(value, whole=True)))
        )
        if fits:
            setattr(plan, name, value)
        elif name == "price" and _number(value):
            plan.price = float(given)
        elif name == "benefits" and _texts(value):
            plan.benefits = given
        elif name != "id":
            raise ControlError(f"cannot set {name} to {value!r}")


def _number(value: Any, *, whole: bool = False) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    texts = cast(list[Any], value)
    return 1 <= len(texts) <= MAX_BENEFITS and all(isinstance(one, str) for one in texts)


@control(
    "PUT",
    "/_emulator/memberships",
    "Set the membership plans",
    body={
        "type": "object",
        "required": ["plans"],
        "properties": {
            "channel": {"type": "string", "description": "the first by default"},
            "plans": {"type": "array", "items": _PLAN, "maxItems": MAX_PLANS},
        },
    },
    returns="The plans with their members",
)
async def change(ask: Ask) -> Json:
    """Plans not named any more are gone, without an event, with all members."""
    body = ask.object()
    channel = ask.channel(body.get("channel"))
    given: Any = body.get("plans")
    if not isinstance(given, list) or len(cast(list[Any], given)) > MAX_PLANS:
        raise ControlError(f"plans must be a list of at most {MAX_PLANS} plans")
    memberships = channel.store.of(Memberships)
    plans: dict[int, Plan] = {}
    for one in cast(list[Any], given):
        if not isinstance(one, dict):
            raise ControlError("a plan must be an object")
        changes = cast(Json, one)
        known = (
            memberships.plans.get(changes["id"]) if _number(changes.get("id"), whole=True) else None
        )
        if known is None:
            memberships.last_id += 1
            known = Plan(memberships.last_id)
        _change(known, changes)
        plans[known.id] = known
    memberships.plans = plans
    return _shown(channel)


@control("GET", "/_emulator/memberships", "The membership plans", returns="Plans with members")
async def listing(ask: Ask) -> Json:
    """Who has joined which plan."""
    return _shown(ask.channel())
