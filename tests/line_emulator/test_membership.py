"""Memberships: plans, members, monthly renewal by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, Configuration

from line_emulator.pytest_plugin import Line

from .conftest import Api, Bot

Json = dict[str, Any]
LIST = "/v2/bot/membership/list"


async def _plans(line: Line, *plans: Json) -> list[int]:
    made = await line.call("PUT", "/memberships", {"plans": list(plans)})
    return [one["membershipId"] for one in made["plans"]]


def _at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


async def test_without_plans(line: Line, api: Api) -> None:
    none = await api.call("GET", LIST)
    assert (none.status, none.json) == (404, {"message": "Membership plan not found"})
    users = await api.call("GET", "/v2/bot/membership/1/users/ids")
    assert (users.status, users.json) == (404, {"message": "Membership ID is not found"})
    odd = await api.call("GET", "/v2/bot/membership/x/users/ids")
    assert odd.status == 404
    nobody = await api.call("GET", f"/v2/bot/membership/subscription/{await line.new_friend()}")
    assert (nobody.status, nobody.json) == (404, {"message": "Not found"})
    wrong = await api.call("GET", "/v2/bot/membership/subscription/U1")
    assert (wrong.status, wrong.json) == (
        400, {"message": "The value for the 'userId' parameter is invalid"}
    )  # fmt: skip


async def test_a_year_of_months(line: Line, api: Api, bot: Bot) -> None:
    [plan] = await _plans(
        line, {"title": "ベーシック", "description": "", "price": 500, "benefits": ["写真"]}
    )
    user = await line.new_friend()
    await line.clock(freeze=_at(2027, 1, 31, 3))
    await line.act(user=user, type="membership_join")
    path = f"/v2/bot/membership/subscription/{user}"
    [told] = (await api.call("GET", path)).json["subscriptions"]
    assert told["membership"] == {
        "membershipId": plan, "title": "ベーシック", "description": "", "benefits": ["写真"],
        "price": 500.0, "currency": "JPY",
    }  # fmt: skip
    assert told["user"] == {"membershipNo": 1, "joinedTime": _at(2027, 1, 31, 3),
                            "nextBillingDate": "2027-02-28",
                            "totalSubscriptionMonths": 1}  # fmt: skip
    # The short month does not shorten the ones after it.
    await line.clock(advance=_at(2027, 2, 28, 4) - _at(2027, 1, 31, 3))
    events = await bot.until(2)
    assert [one["membership"]["type"] for one in events] == ["joined", "renewed"]
    [told] = (await api.call("GET", path)).json["subscriptions"]
    assert told["user"]["nextBillingDate"] == "2027-03-31"
    assert told["user"]["totalSubscriptionMonths"] == 2
    # Who leaves and joins again has a new number, begins anew, and is renewed but once a month.
    await line.act(user=user, type="membership_leave")
    await line.act(user=user, type="membership_join")
    await line.clock(advance=45 * 86_400)
    events = await bot.until(5)
    await line.wait_webhooks_done()
    assert [one["membership"]["type"] for one in bot.events[2:]] == ["left", "joined", "renewed"]
    [told] = (await api.call("GET", path)).json["subscriptions"]
    assert told["user"]["membershipNo"] == 2
    assert told["user"]["totalSubscriptionMonths"] == 2


async def test_full_and_discontinued_plans(line: Line, api: Api) -> None:
    small, old = await _plans(line, {"limit": 1}, {"published": False})
    first, second = await line.new_friend(), await line.new_friend()
    await line.act(user=first, type="membership_join", plan=small)
    for plan in (small, old, 7, "x"):
        act = {"user": second, "type": "membership_join", "plan": plan}
        assert not (await line.acts([act]))[0]["ok"]
    offered = (await api.call("GET", LIST)).json["memberships"]
    assert [(one["memberCount"], one["memberLimit"], one["isPublished"]) for one in offered] == [
        (1, 1, True), (0, None, False)
    ]  # fmt: skip


async def test_user_ids_leave_out_whom_line_leaves_out(line: Line, api: Api, bot: Bot) -> None:
    [plan] = await _plans(line, {"title": "全員"})
    people = [one["id"] for one in await line.create_users(5, state="friend")]
    shy = await line.new_friend(attributes={"consented": False})
    stranger = await line.new_stranger()
    for one in [*people, shy, stranger]:
        await line.act(user=one, type="membership_join")
    # Of the one who does not consent the bot is told nothing either.
    assert len(await bot.until(6)) == 6
    await line.block(people[1])
    path = f"/v2/bot/membership/{plan}/users/ids"
    first = (await api.call("GET", f"{path}?limit=3")).json
    assert first["userIds"] == [people[0], people[2]]
    rest = (await api.call("GET", f"{path}?limit=100&start={first['next']}")).json
    assert rest == {"userIds": people[3:]}
    for wrong in ("limit=0", "limit=1001", "limit=x", "start=x"):
        assert (await api.call("GET", f"{path}?{wrong}")).status == 400


async def test_the_sdk_reads_memberships(line: Line) -> None:
    [plan] = await _plans(line, {"title": "ベーシック"})
    user = await line.new_friend()
    await line.act(user=user, type="membership_join")
    async with AsyncApiClient(Configuration(host=line.url, access_token=line.token)) as client:
        bot = AsyncMessagingApi(client)
        assert (await bot.get_membership_list()).memberships[0].membership_id == plan
        told = await bot.get_membership_subscription(user)
        assert told.subscriptions[0].user.total_subscription_months == 1
        assert (await bot.get_joined_membership_users(plan)).user_ids == [user]
