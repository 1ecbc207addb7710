"""Joining, renewing and leaving a membership (reference, "Membership event")."""

from __future__ import annotations

from typing import Literal

from .. import events
from ..acts import ActError, Actor, act
from ..agenda import duty
from ..groups.chat import consents
from ..model import Channel, Json, User
from ..platform import Platform
from .store import Member, Memberships, Plan

RENEW = "membership.renew"


def _plan(channel: Channel, act: Json) -> Plan:
    """The plan `plan`, or the only one there is."""
    plans = channel.store.of(Memberships).plans
    wanted = act.get("plan")
    if wanted is None and len(plans) == 1:
        return next(iter(plans.values()))
    plan = plans.get(wanted) if isinstance(wanted, int) else None
    if plan is None:
        raise ActError(f"there is no membership plan {wanted}")
    return plan


def _tell(
    platform: Platform,
    channel: Channel,
    user: User,
    kind: Literal["joined", "left", "renewed"],
    plan: Plan,
) -> Json:
    if not consents(user):
        return {"webhookEventIds": [], "posted": False}
    event = events.membership(platform, channel, user.id, kind, plan.id)
    posted = events.post(platform, channel, user.id, event)
    return {"webhookEventIds": [event["webhookEventId"]], "posted": posted}


@act("membership_join")
def join(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Join a plan (`plan` is its id). Who has another plan leaves it: both are told."""
    plan = _plan(channel, act)
    if not plan.published:
        raise ActError("the plan is not offered any more")
    before = channel.store.of(Memberships).plan_of(user.id)
    if before is plan:
        raise ActError("has joined this plan already")
    if plan.limit is not None and len(plan.members) >= plan.limit:
        raise ActError("the plan is full")
    told: list[str] = []
    if before is not None:
        del before.members[user.id]
        told += _tell(actor.platform, channel, user, "left", before)["webhookEventIds"]
    plan.last_no += 1
    member = plan.members[user.id] = Member(plan.last_no, actor.platform.clock.now())
    _plan_renewal(actor.platform, channel, user.id, plan, member)
    result = _tell(actor.platform, channel, user, "joined", plan)
    return result | {"webhookEventIds": [*told, *result["webhookEventIds"]], "plan": plan.id}


@act("membership_renew")
def renew(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Pay for the next month now; without this act it happens on the billing date."""
    plan = channel.store.of(Memberships).plan_of(user.id)
    if plan is None:
        raise ActError("has joined no plan")
    return _renew(actor.platform, channel, user, plan)


@act("membership_leave")
def leave(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Leave the plan."""
    plan = channel.store.of(Memberships).plan_of(user.id)
    if plan is None:
        raise ActError("has joined no plan")
    del plan.members[user.id]
    return _tell(actor.platform, channel, user, "left", plan) | {"plan": plan.id}


def _renew(platform: Platform, channel: Channel, user: User, plan: Plan) -> Json:
    member = plan.members[user.id]
    member.months += 1
    _plan_renewal(platform, channel, user.id, plan, member)
    return _tell(platform, channel, user, "renewed", plan) | {"plan": plan.id}


def _plan_renewal(
    platform: Platform, channel: Channel, user_id: str, plan: Plan, member: Member
) -> None:
    data: Json = {"channel": channel.id, "user": user_id, "plan": plan.id, "no": member.no,
                  "months": member.months}  # fmt: skip
    platform.agenda.at(member.next_billing, RENEW, data)


@duty(RENEW)
def renew_when_due(platform: Platform, data: Json) -> None:
    """The billing date has come: renew, unless the person left or has paid already."""
    channel = platform.channels.get(data["channel"])
    user = platform.users.get(data["user"])
    plan = channel.store.of(Memberships).plans.get(data["plan"]) if channel else None
    if channel is None or user is None or plan is None:
        return
    member = plan.members.get(user.id)
    if member is not None and (member.no, member.months) == (data["no"], data["months"]):
        _renew(platform, channel, user, plan)
