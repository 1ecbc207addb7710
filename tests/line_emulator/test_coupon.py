"""Coupons: made with LINE's rules, sent, drawn by lot and used."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    CouponCreateRequest,
    CouponDiscountRewardRequest,
    CouponResponse,
    DiscountExplicitPriceInfoRequest,
    LotteryAcquisitionConditionRequest,
)

from line_emulator.coupon import store
from line_emulator.coupon.schema import TIMEZONES
from line_emulator.pytest_plugin import Line

from .conftest import Api

Json = dict[str, Any]
YEAR = 365 * 86_400


def coupon(**changes: Any) -> Json:
    body: Json = {
        "title": "友だち限定クーポン",
        "acquisitionCondition": {"type": "normal"},
        "maxUseCountPerTicket": 1,
        "startTimestamp": 0,
        "endTimestamp": int(time.time()) + YEAR,
        "timezone": "ASIA_TOKYO",
        "reward": {"type": "discount", "priceInfo": {"type": "fixed", "fixedAmount": 100}},
        "visibility": "UNLISTED",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


async def create(api: Api, **changes: Any) -> str:
    reply = await api.call("POST", "/v2/bot/coupon", coupon(**changes))
    assert reply.status == 200, reply.json
    return reply.json["couponId"]


def price(**info: Any) -> Json:
    return {"reward": {"type": "discount", "priceInfo": info}}


@pytest.mark.parametrize(
    "changes",
    [
        {"reward": {"type": kind}} for kind in ("free", "gift", "others")
    ] + [
        {"reward": {"type": "cashBack", "priceInfo": {"type": "percentage", "percentage": 30}}},
        {"reward": {"type": "cashBack", "priceInfo": {"type": "fixed", "fixedAmount": 1}}},
        price(type="percentage", percentage=99),
        price(type="explicit", originalPrice=12_000, priceAfterDiscount=9_500),
        {"acquisitionCondition": {"type": "lottery", "lotteryProbability": 1,
                                  "maxAcquireCount": 999_999}},
        {"title": "😀" * 30, "description": "あ" * 1000, "couponCode": "A" * 16,
         "usageCondition": "い" * 100, "imageUrl": "https://example.com/c.jpg",
         "barcodeImageUrl": "https://example.com/b.png", "visibility": "PUBLIC",
         "maxUseCountPerTicket": -1},
        {"description": "", "usageCondition": "", "couponCode": ""},
    ],
)  # fmt: skip
async def test_what_a_coupon_can_be(api: Api, changes: Json) -> None:
    made = await create(api, **changes)
    detail = (await api.call("GET", f"/v2/bot/coupon/{made}")).json
    for name, value in changes.items():
        if name != "reward":
            assert detail[name] == value
    assert detail["reward"]["type"] == coupon(**changes)["reward"]["type"]
    assert (detail["status"], detail["maxTicketPerUser"]) == ("RUNNING", 1)
    typed = CouponResponse.from_dict(detail)
    assert typed.coupon_id == made


@pytest.mark.parametrize(
    ("changes", "property", "message"),
    [
        ({"title": "あ" * 61}, "title", "Size must be between 1 and 60"),
        ({"title": ""}, "title", "Size must be between 1 and 60"),
        ({"title": None}, "title", "May not be empty"),
        ({"description": "あ" * 1001}, "description", "Size must be between 0 and 1000"),
        ({"couponCode": "A" * 17}, "couponCode", "Size must be between 0 and 16"),
        ({"usageCondition": "A" * 101}, "usageCondition", "Size must be between 0 and 100"),
        ({"reward": {"type": "sale"}}, "reward.type",
         "Must be one of the following values: [discount,free,gift,cashBack,others]"),
        ({"reward": None}, "reward", "May not be empty"),
        ({"reward": {"type": "discount"}}, "reward.priceInfo", "May not be empty"),
        ({"reward": {"type": "free", "priceInfo": {"type": "fixed", "fixedAmount": 1}}},
         "reward.priceInfo", "Must not be specified"),
        (price(type="percentage", percentage=5, fixedAmount=100), "reward.priceInfo.fixedAmount",
         "Must not be specified"),
        (price(type="percentage"), "reward.priceInfo.percentage", "May not be empty"),
        (price(type="percentage", percentage=100), "reward.priceInfo.percentage",
         "Must be less than or equal to 99"),
        (price(type="fixed", fixedAmount=0), "reward.priceInfo.fixedAmount",
         "Must be greater than or equal to 1"),
        (price(type="explicit", originalPrice=1), "reward.priceInfo.priceAfterDiscount",
         "May not be empty"),
        ({"reward": {"type": "cashBack", "priceInfo": {"type": "explicit"}}},
         "reward.priceInfo.type", "Must be one of the following values: [fixed,percentage]"),
        ({"acquisitionCondition": {"type": "referral"}}, "acquisitionCondition.type",
         "Must be one of the following values: [normal,lottery]"),
        ({"acquisitionCondition": {"type": "lottery", "maxAcquireCount": -1}},
         "acquisitionCondition.lotteryProbability", "May not be empty"),
        ({"acquisitionCondition": {"type": "lottery", "maxAcquireCount": 0,
                                   "lotteryProbability": 9}},
         "acquisitionCondition.maxAcquireCount", "Must be greater than or equal to 1"),
        ({"maxUseCountPerTicket": 2}, "maxUseCountPerTicket",
         "Must be one of the following values: [1,-1]"),
        ({"visibility": "PRIVATE"}, "visibility",
         "Must be one of the following values: [PUBLIC,UNLISTED]"),
        ({"imageUrl": "ftp://example.com/a.png"}, "imageUrl", "invalid uri scheme"),
        ({"endTimestamp": 1_000}, "endTimestamp",
         "Must be after the start and the current time"),
    ],
)  # fmt: skip
async def test_what_a_coupon_cannot_be(
    api: Api, changes: Json, property: str, message: str
) -> None:
    reply = await api.call("POST", "/v2/bot/coupon", coupon(**changes))
    assert reply.status == 400
    assert reply.json["message"] == "The request body has 1 error(s)"
    assert reply.json["details"] == [{"message": message, "property": property}]


async def test_what_nobody_checks_is_not_kept(api: Api) -> None:
    deep: Any = "bottom"
    for _ in range(400):
        deep = [deep]
    condition = {"type": "normal", "note": deep}
    reward = {"type": "discount", "x": deep,
              "priceInfo": {"type": "fixed", "fixedAmount": 1, "y": deep}}  # fmt: skip
    body = coupon(acquisitionCondition=condition, reward=reward, z=deep)
    # Too deep for a fast writer of JSON, but not for its reader.
    made = await api.call("POST", "/v2/bot/coupon", data=json.dumps(body).encode())
    assert made.status == 200
    detail = await api.call("GET", f"/v2/bot/coupon/{made.json['couponId']}")
    assert detail.json["acquisitionCondition"] == {"type": "normal"}
    assert (await api.call("GET", "/v2/bot/coupon")).status == 200


async def test_every_timezone_and_no_other(api: Api) -> None:
    assert len(TIMEZONES) == 34
    for zone in (TIMEZONES[0], TIMEZONES[-1]):
        await create(api, timezone=zone)
    assert (await api.call("POST", "/v2/bot/coupon", coupon(timezone="JST"))).status == 400


async def test_closing(line: Line, api: Api) -> None:
    made = await create(api)
    close = f"/v2/bot/coupon/{made}/close"
    assert (await api.call("PUT", close)).json == {}
    again = await api.call("PUT", close)
    assert (again.status, again.json["details"]) == (
        410, [{"message": "The coupon has already been closed.", "property": ""}]
    )  # fmt: skip
    unknown = await api.call("PUT", "/v2/bot/coupon/nothing/close")
    assert (unknown.status, unknown.json["details"]) == (
        404, [{"message": "coupon not found", "property": ""}]
    )  # fmt: skip
    assert (await api.call("GET", "/v2/bot/coupon/nothing")).status == 404
    assert (await api.call("GET", f"/v2/bot/coupon/{made}")).json["status"] == "CLOSED"


async def test_the_list(line: Line, api: Api) -> None:
    made = [await create(api, title=f"第{n}号") for n in range(25)]
    await api.call("PUT", f"/v2/bot/coupon/{made[3]}/close")
    listing = "/v2/bot/coupon"
    first = (await api.call("GET", listing)).json
    assert [one["couponId"] for one in first["items"]] == made[:4:-1]
    # A coupon that is made meanwhile shifts nothing.
    await create(api, title="割り込み")
    rest = (await api.call("GET", f"{listing}?start={first['next']}")).json
    assert [one["couponId"] for one in rest["items"]] == made[4::-1]
    assert "next" not in rest
    closed = (await api.call("GET", f"{listing}?status=CLOSED&status=DRAFT")).json
    assert closed == {"items": [{"couponId": made[3], "title": "第3号"}]}
    assert (await api.call("GET", f"{listing}?status=DRAFT")).json == {"items": []}
    running = (await api.call("GET", f"{listing}?status=DRAFT,RUNNING&limit=100")).json
    assert len(running["items"]) == 25
    await line.clock(advance=2 * YEAR)
    expired = (await api.call("GET", f"{listing}?status=CLOSED&limit=100")).json
    assert len(expired["items"]) == 26


@pytest.mark.parametrize(
    ("query", "property", "message"),
    [
        ("limit=101", "limit", "Must be less than or equal to 100"),
        ("status=OPEN", "status",
         "Must be one of the following values: [DRAFT,RUNNING,CLOSED]"),
    ],
)  # fmt: skip
async def test_wrong_lists(api: Api, query: str, property: str, message: str) -> None:
    reply = await api.call("GET", f"/v2/bot/coupon?{query}")
    assert (reply.status, reply.json["details"]) == (
        400, [{"message": message, "property": property}]
    )  # fmt: skip


async def test_five_thousand_valid_ones(
    line: Line, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.MAX_VALID == 5_000
    # The emulator of the tests runs in this process: a lower limit is reached sooner.
    monkeypatch.setattr(store, "MAX_VALID", 5)
    made = [await create(api) for _ in range(5)]
    full = await api.call("POST", "/v2/bot/coupon", coupon())
    assert (full.status, full.json["details"]) == (
        400, [{"message": "You have too many coupons created.", "property": ""}]
    )  # fmt: skip
    await api.call("PUT", f"/v2/bot/coupon/{made[2]}/close")
    await create(api)
    assert (await api.call("POST", "/v2/bot/coupon", coupon())).status == 400


async def test_only_the_channels_own_coupons_can_be_sent(line: Line, api: Api) -> None:
    user = await line.new_friend()
    mine = await create(api)
    second = await line.create_channel()
    other = await create(Api(api.url, second["access_token"], api.session))
    text = {"type": "text", "text": "どうぞ"}
    assert (await api.push(user, text, {"type": "coupon", "couponId": mine})).status == 200
    for wrong in (other, "nothing"):
        refused = await api.push(user, text, {"type": "coupon", "couponId": wrong})
        assert refused.status == 400
        assert refused.json["details"] == [
            {"message": "coupon not found", "property": "messages[1].couponId"}
        ]
    for send in (api.multicast([user], {"type": "coupon", "couponId": other}),
                 api.call("POST", "/v2/bot/message/broadcast",
                          {"messages": [{"type": "coupon", "couponId": other}]})):  # fmt: skip
        assert (await send).status == 400
    await api.call("PUT", f"/v2/bot/coupon/{mine}/close")
    assert (await api.push(user, {"type": "coupon", "couponId": mine})).status == 400
    assert len(await line.received(user)) == 2


async def test_getting_and_using(line: Line, api: Api) -> None:
    user, late = await line.new_friend(), await line.new_friend()
    now = int((await line.clock())["now"])
    made = await create(api, startTimestamp=now + 3600)
    impossible = {"user": user, "type": "coupon_get"}
    assert not (await line.acts([impossible]))[0]["ok"]
    await api.multicast([user, late], {"type": "coupon", "couponId": made})
    assert not (await line.acts([{"user": user, "type": "coupon_use"}]))[0]["ok"]
    got = await line.act(user=user, type="coupon_get")
    assert got["won"] is True
    early = (await line.acts([{"user": user, "type": "coupon_use"}]))[0]
    assert "not valid yet" in early["error"]
    await line.clock(advance=3700)
    assert (await line.act(user=user, type="coupon_use", coupon=made))["used"] == 1
    twice = (await line.acts([{"user": user, "type": "coupon_use"}]))[0]
    assert "used already" in twice["error"]
    await api.call("PUT", f"/v2/bot/coupon/{made}/close")
    assert "over" in (await line.acts([{"user": late, "type": "coupon_get"}]))[0]["error"]
    counted = (await line.call("GET", "/coupons"))["coupons"][0]
    assert (counted["opened"], counted["got"], counted["used"]) == (1, 1, 1)


async def test_unlimited_use(line: Line, api: Api) -> None:
    user = await line.new_friend()
    await api.push(user, {"type": "coupon", "couponId": await create(api, maxUseCountPerTicket=-1)})
    await line.act(user=user, type="coupon_get")
    for times in (1, 2, 3):
        assert (await line.act(user=user, type="coupon_use"))["used"] == times


async def _winners(line: Line, api: Api, people: list[str], most: int) -> list[str]:
    condition = {"type": "lottery", "lotteryProbability": 30, "maxAcquireCount": most}
    made = await create(api, acquisitionCondition=condition)
    await api.multicast(people, {"type": "coupon", "couponId": made})
    results = await line.acts({"user": one, "type": "coupon_get"} for one in people)
    won = [one for one, result in zip(people, results, strict=True) if result["won"]]
    again = await line.acts({"user": one, "type": "coupon_get"} for one in people)
    assert [one["won"] for one in again] == [one["won"] for one in results]
    losers = [one for one in people if one not in won]
    assert not (await line.acts([{"user": losers[0], "type": "coupon_use"}]))[0]["ok"]
    return won


async def test_lots_follow_the_chance_the_limit_and_the_seed(line: Line, api: Api) -> None:
    people = [one["id"] for one in await line.create_users(400, state="friend")]
    won = await _winners(line, api, people, -1)
    assert 80 <= len(won) <= 160
    # The same story with the same seed has the same winners; a limit keeps the first of them.
    assert await _winners(line, api, people, 10) == won[:10]


async def test_coupons_in_a_group(line: Line, api: Api) -> None:
    people = [one["id"] for one in await line.create_users(2)]
    group = (await line.call("POST", "/groups", {"members": people}))["id"]
    await api.push(group, {"type": "coupon", "couponId": await create(api)})
    assert (await line.act(user=people[1], type="coupon_get"))["won"] is True


async def test_the_sdk_makes_and_reads_coupons(line: Line) -> None:
    async with AsyncApiClient(Configuration(host=line.url, access_token=line.token)) as client:
        bot = AsyncMessagingApi(client)
        made = await bot.create_coupon(
            CouponCreateRequest(
                title="抽選",
                acquisitionCondition=LotteryAcquisitionConditionRequest(
                    type="lottery", lotteryProbability=50, maxAcquireCount=-1
                ),
                reward=CouponDiscountRewardRequest(
                    type="discount",
                    priceInfo=DiscountExplicitPriceInfoRequest(
                        type="explicit", originalPrice=1000, priceAfterDiscount=500
                    ),
                ),
                maxUseCountPerTicket=1,
                startTimestamp=0,
                endTimestamp=int(time.time()) + YEAR,
                timezone="ASIA_TOKYO",
                visibility="UNLISTED",
            )
        )
        read = await bot.get_coupon_detail(made.coupon_id)
        assert read.acquisition_condition.lottery_probability == 50
        assert read.reward.price_info.original_price == 1000
        assert read.reward.price_info.currency == "JPY"
        listed = await bot.list_coupon(status=["RUNNING", "DRAFT"])
        assert [one.coupon_id for one in listed.items] == [made.coupon_id]
        await bot.close_coupon(made.coupon_id)
