"""Memberships as bots see them (reference, "Membership")."""

from __future__ import annotations

from datetime import datetime

from ..api import paging
from ..api.operation import Answer, Call, LineError, answer, not_found, operation
from ..clock import JST
from ..groups.chat import consents
from ..ids import USER_ID
from ..limits import PER_SECOND_200
from ..model import Friendship, Json
from .store import Memberships, Plan

DEFAULT_PAGE = 300
MAX_PAGE = 1000


def described(plan: Plan) -> Json:
    """What every answer tells of a plan."""
    return {
        "membershipId": plan.id,
        "title": plan.title,
        "description": plan.description,
        "benefits": plan.benefits,
        "price": plan.price,
        "currency": plan.currency,
    }


@operation("GET", "/v2/bot/membership/subscription/{user_id}", limit=PER_SECOND_200)
async def subscription(call: Call) -> Answer:
    """Get a user's membership subscription status."""
    user_id = call.params["user_id"]
    if not USER_ID.fullmatch(user_id):
        raise LineError(400, "The value for the 'userId' parameter is invalid")
    plan = call.channel.store.of(Memberships).plan_of(user_id)
    if plan is None:
        not_found()
    member = plan.members[user_id]
    billing = datetime.fromtimestamp(member.next_billing, JST)
    user: Json = {
        "membershipNo": member.no,
        "joinedTime": int(member.joined_at),
        "nextBillingDate": billing.strftime("%Y-%m-%d"),
        "totalSubscriptionMonths": member.months,
    }
    return answer({"subscriptions": [{"membership": described(plan), "user": user}]})


@operation("GET", "/v2/bot/membership/list", limit=PER_SECOND_200)
async def offered(call: Call) -> Answer:
    """Get membership plans being offered."""
    plans = call.channel.store.of(Memberships).plans.values()
    if not plans:
        not_found("Membership plan not found")
    counted = [
        described(plan)
        | {
            "memberCount": len(plan.members),
            "memberLimit": plan.limit,
            "isInAppPurchase": plan.in_app,
            "isPublished": plan.published,
        }
        for plan in plans
    ]
    return answer({"memberships": counted})


@operation("GET", "/v2/bot/membership/{membership_id}/users/ids")
async def user_ids(call: Call) -> Answer:
    """Get a list of users who have joined the membership; friends who consented only."""
    given = call.params["membership_id"]
    whole = given.isascii() and given.isdigit()
    plan = call.channel.store.of(Memberships).plans.get(int(given[:18])) if whole else None
    if plan is None:
        not_found("Membership ID is not found")
    limit = paging.limit(call, DEFAULT_PAGE, MAX_PAGE)
    place = paging.start(call, f"membership{plan.id}") or 0
    # As at LINE a page is cut first and sifted then, so it may hold fewer than `limit`.
    page = list(plan.members)[place : place + limit]
    body: Json = {"userIds": [one for one in page if _shown(call, one)]}
    if place + limit < len(plan.members):
        body["next"] = paging.token(call, place + limit, f"membership{plan.id}")
    return answer(body)


def _shown(call: Call, user_id: str) -> bool:
    user = call.platform.users.get(user_id)
    friend = call.channel.friendship(user_id) is Friendship.FRIEND
    return user is not None and friend and consents(user)
