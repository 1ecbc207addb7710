"""People who live by themselves: they do what their behaviour says, when it is time, as told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

from line_emulator import Emulator, EmulatorClient, EmulatorError

NOON = 1_780_000_000
DAY = 86_400
AT_ONCE = {"min": 0, "median": 0, "max": 0}
QUICK = {"before_opening": AT_ONCE, "before_acting": AT_ONCE}
HELLO = {"type": "text", "text": "こんにちは"}
LINKED = {"type": "text", "text": "こちら https://example.com/spring から"}
SURVEY = {
    "type": "text",
    "text": "辛さは？",
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": "甘口", "text": "甘口で"}},
            {"type": "action", "action": {"type": "postback", "label": "辛口", "data": "hot=1"}},
        ]
    },
}
BUTTONS = {
    "type": "template",
    "altText": "x",
    "template": {
        "type": "buttons",
        "text": "?",
        "actions": [{"type": "postback", "label": "予約", "data": "book"}],
    },
}


async def behave(line, *behaviours, **settings) -> Any:
    return await line.call("POST", "/behaviours", {"behaviours": list(behaviours)} | settings)


async def counts(line) -> Counter[str]:
    return Counter((await line.call("GET", "/behaviours"))["counts"])


async def settled(line, seconds: float = 10.0) -> Counter[str]:
    """The counts, when nobody is about to do anything now and all webhooks are out."""
    deadline = time.monotonic() + seconds
    quiet = 0
    before = None
    while quiet < 3:
        assert time.monotonic() < deadline, before
        await asyncio.sleep(0.02)
        now = await line.call("GET", "/behaviours")
        same = now["counts"] == before and not now["errands_pending"]
        quiet, before = quiet + 1 if same else 0, now["counts"]
    await line.wait_webhooks_done()
    return Counter(before)


async def broadcast(api, *messages) -> str:
    reply = await api.call("POST", "/v2/bot/message/broadcast", {"messages": list(messages)})
    assert reply.status == 200, reply.json
    return reply.headers["x-line-request-id"]


async def friends(line, count, **more) -> list[str]:
    return [one["id"] for one in await line.create_users(count, state="friend", **more)]


async def test_everybody_opens_and_taps(line, api, bot):
    people = await friends(line, 30)
    await behave(line, QUICK | {"button": 1})
    sent = await broadcast(api, BUTTONS)
    done = await settled(line)
    assert done == {"arrived": 30, "opened": 30, "button": 30}
    events = await bot.until(30)
    assert {one["postback"]["data"] for one in events} == {"book"}
    assert sorted(one["source"]["userId"] for one in events) == sorted(people)
    found = await api.call("GET", f"/v2/bot/insight/message/event?requestId={sent}")
    assert found.json["overview"]["uniqueImpression"] == 30


async def test_links_that_are_tapped_show_in_insight(line, api):
    await friends(line, 25)
    await behave(line, QUICK | {"link": 1})
    sent = await broadcast(api, LINKED)
    await settled(line)
    found = (await api.call("GET", f"/v2/bot/insight/message/event?requestId={sent}")).json
    assert found["clicks"][0]["url"] == "https://example.com/spring"
    assert found["clicks"][0]["uniqueClick"] == 25


async def test_nobody_does_anything_without_behaviours(line, api, bot):
    await friends(line, 5)
    await broadcast(api, BUTTONS)
    await asyncio.sleep(0.1)
    assert await counts(line) == {}
    assert bot.events == []


async def test_time_to_think_follows_the_clock(line, api, bot):
    await friends(line, 40)
    await line.clock(freeze=NOON)
    minute = {"min": 60, "median": 300, "max": 3600}
    await behave(line, {"before_opening": minute, "before_acting": minute, "button": 1})
    await broadcast(api, BUTTONS)
    assert await settled(line) == {"arrived": 40}
    await line.clock(advance=59)
    assert (await settled(line))["opened"] == 0
    await line.clock(advance=241)  # five minutes in all: half of them
    half = (await settled(line))["opened"]
    assert 10 <= half <= 30
    await line.clock(advance=3300)
    assert (await settled(line))["opened"] == 40
    await line.clock(advance=3600)
    assert (await settled(line))["button"] == 40
    assert (await line.state())["duties_pending"] == 0
    assert len(await bot.until(40)) == 40


async def test_pace_makes_days_short(line, api):
    await friends(line, 10)
    slow = {"min": 3600, "median": 7200, "max": 36_000}
    await behave(line, {"before_opening": slow, "before_acting": slow}, pace=1_000_000)
    await broadcast(api, HELLO)
    assert (await settled(line))["opened"] == 10


async def told(line, api, seed) -> tuple[list[str], list[Any]]:
    """One story: who opened, and what the bot got."""
    await line.reset()
    await line.clock(freeze=NOON)
    people = await friends(line, 300)
    await behave(
        line,
        {
            "name": "half", "who": {"share": 0.5}, "open": 0.8, "quick_reply": 0.5, "answer": 0.5,
            "answers": ["はい", "いいえ"], "block": 0.05,
            "before_opening": {"min": 1, "median": 100, "max": 1000},
        },
        seed=seed,
    )  # fmt: skip
    await broadcast(api, SURVEY)
    await line.clock(advance=2000)
    await settled(line)
    await broadcast(api, HELLO)
    for _ in range(20):
        await line.clock(advance=100)
        await settled(line)
    said = []
    for place, one in enumerate(people):
        entries = (await line.phone(one))["entries"]
        said += [(place, entry["kind"], (entry.get("body") or {}).get("text")) for entry in entries]
    return people, sorted(said, key=str)


async def test_the_same_seed_tells_the_same_story(line, api):
    first = await told(line, api, 5)
    assert await told(line, api, 5) == first
    assert (await told(line, api, 6))[1] != first[1]
    kinds = Counter(kind for _, kind, _ in first[1])
    assert 75 < kinds["message"] < 225
    assert kinds["postback"] > 10
    assert 3 < kinds["unfollow"] < 40


async def test_shares_and_segments(line, api):
    women = {"gender": "female", "age": 34, "area": "jp_13", "appType": "ios"}
    men = {"gender": "male", "age": 60, "area": "jp_27", "appType": "android"}
    await friends(line, 200, attributes=women)
    await friends(line, 50, attributes=men)
    await behave(
        line,
        QUICK | {"who": {"gender": "male", "age_from": 60, "areas": ["jp_27"]}, "button": 1},
        QUICK | {"who": {"share": 0.4, "app_type": "ios", "age_to": 34}, "block": 1},
    )
    await broadcast(api, BUTTONS)
    done = await settled(line)
    assert done["button"] == 50
    assert 50 < done["block"] < 110  # two in five of 200
    assert done["opened"] == done["arrived"] == 50 + done["block"]


async def test_who_drops_in_talks_or_looks(line, bot):
    await friends(line, 60)
    await line.clock(freeze=NOON)
    await behave(line, {"drop_in": 1, "answers": ["いますか"]})
    await line.clock(advance=DAY)
    await settled(line)
    await line.clock(advance=60)
    done = await settled(line)
    # On the second day they begin anew; a minute of it may have passed.
    assert 60 <= done["drop_in"] <= 70
    assert 5 < done["answer"] < 40
    assert {one["message"]["text"] for one in bot.events} == {"いますか"}


async def test_named_people_alone(line, api):
    people = await friends(line, 10)
    await behave(line, QUICK | {"who": {"users": people[:3]}, "answer": 1, "answers": ["はい"]})
    await broadcast(api, HELLO)
    assert (await settled(line))["answer"] == 3
    kinds = [entry["kind"] for entry in (await line.phone(people[3]))["entries"]]
    assert kinds == ["received"]


async def test_a_conversation_with_a_bot_ends_when_the_day_is_full(line, api, bot):
    someone = (await friends(line, 1))[0]
    await behave(line, QUICK | {"answer": 1, "answers": ["もっと"], "most_a_day": 7})
    await api.push(someone, HELLO)
    replied = 0
    for number in range(1, 20):
        events = await bot.until(number, 0.3)
        if len(events) < number:
            break
        assert (await api.reply(events[-1]["replyToken"], HELLO)).status == 200
        replied += 1
    done = await settled(line)
    assert done["opened"] + done["answer"] == 7
    assert done["too_much"] >= 1
    assert replied == 3


async def test_a_pause_holds_everything_back(line, api, bot):
    await friends(line, 5)
    await behave(line, QUICK | {"button": 1}, paused=True)
    await broadcast(api, BUTTONS)
    await asyncio.sleep(0.1)
    assert await counts(line) == {}
    assert (await line.call("GET", "/behaviours"))["about_to_act"] == 5
    await line.call("POST", "/behaviours", {"paused": False})
    assert (await settled(line))["button"] == 5


async def test_people_come_go_and_come_back(line):
    strangers = [one["id"] for one in await line.create_users(40)]
    regulars = await friends(line, 10)
    await line.acts([{"user": one, "type": "unfollow"} for one in regulars])
    await line.clock(freeze=NOON)
    await behave(line, {"follow": 0.5, "unblock": 1})
    await settled(line)
    await line.clock(advance=DAY - 1)
    first = await settled(line)
    assert 8 < first["follow"] < 32
    assert first["unblock"] == 10
    await line.clock(advance=DAY)
    await settled(line)
    await line.clock(advance=DAY)
    third = await settled(line)
    assert third["follow"] > first["follow"]
    friends_now = [one for one in strangers if (await line.phone(one))["friendship"] == "friend"]
    assert len(friends_now) == third["follow"]


@dataclass
class Shop:
    url: str = ""
    orders: list[Any] = field(default_factory=list)
    pages: list[Any] = field(default_factory=list)
    status: int = 201


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A shop that takes orders and shows pages."""
    one = Shop()

    async def order(request: web.Request) -> web.Response:
        one.orders.append((dict(request.headers), orjson.loads(await request.read())))
        return web.Response(status=one.status)

    async def page(request: web.Request) -> web.Response:
        one.pages.append(dict(request.headers))
        return web.Response(text="spring")

    app = web.Application()
    app.router.add_post("/orders", order)
    app.router.add_get("/spring", page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


def buying(shop, **more):
    return {
        "url": f"{shop.url}/orders",
        "chance": 1,
        "goods": [
            {"sku": "tea-1", "name": "煎茶", "price": 1200},
            {"sku": "tea-2", "name": "ほうじ茶", "price": 900},
        ],
        "headers": {"X-Shop-Key": "k1"},
        "fields": {"source": "line"},
    } | more


async def test_people_buy(line, api, shop):
    people = await friends(line, 12)
    await behave(line, QUICK | {"buy": buying(shop)})
    sent = await broadcast(api, HELLO)
    done = await settled(line)
    assert done["buy"] == 12
    assert sorted(order["userId"] for _, order in shop.orders) == sorted(people)
    assert len({order["orderId"] for _, order in shop.orders}) == 12
    for headers, order in shop.orders:
        assert headers["X-Shop-Key"] == "k1"
        assert headers["Content-Type"] == "application/json"
        assert order["source"] == "line"
        assert order["requestId"] == sent
        assert order["items"]
        assert order["total"] == sum(one["price"] * one["quantity"] for one in order["items"])
        skus = [one["sku"] for one in order["items"]]
        assert len(set(skus)) == len(skus)


async def test_a_shop_that_refuses_is_counted(line, api, shop):
    await friends(line, 3)
    shop.status = 503
    await behave(line, QUICK | {"buy": buying(shop)})
    await broadcast(api, HELLO)
    assert (await settled(line))["buy_failed"] == 3
    await behave(line, QUICK | {"buy": buying(shop, url="http://127.0.0.1:9/none")})
    await broadcast(api, HELLO)
    done = await settled(line)
    assert (done["buy_failed"], done["buy"]) == (6, 0)


async def test_links_are_really_visited_if_wanted(line, api, shop):
    await friends(line, 4)
    await behave(line, QUICK | {"link": 1, "visit": True})
    await broadcast(api, {"type": "text", "text": f"{shop.url}/spring"})
    assert (await settled(line))["visit"] == 4
    assert all("Line/" in one["User-Agent"] for one in shop.pages)
    await behave(line, QUICK | {"link": 1})
    await broadcast(api, {"type": "text", "text": f"{shop.url}/spring"})
    assert (await settled(line))["link"] == 8
    assert len(shop.pages) == 4


async def test_films_are_watched(line, api):
    film = {
        "type": "video",
        "originalContentUrl": "https://example.com/v.mp4",
        "previewImageUrl": "https://example.com/v.jpg",
    }
    await friends(line, 60)
    await behave(line, QUICK | {"play": 1})
    sent = await broadcast(api, film)
    assert (await settled(line))["played"] == 60
    found = (await api.call("GET", f"/v2/bot/insight/message/event?requestId={sent}")).json
    (row,) = found["messages"]
    assert row["uniqueMediaPlayed"] == 60
    assert 60 > row["mediaPlayed25Percent"] > (row["mediaPlayed100Percent"] or 0)


async def test_quick_replies_are_gone_when_something_newer_arrived(line, api):
    people = await friends(line, 6)
    await line.clock(freeze=NOON)
    minute = {"min": 60, "median": 60, "max": 60}
    await behave(line, {"before_opening": AT_ONCE, "before_acting": minute, "quick_reply": 1})
    await broadcast(api, SURVEY)
    await settled(line)
    await api.multicast(people[:2], HELLO)
    await settled(line)
    await line.clock(advance=60)
    assert (await settled(line))["quick_reply"] == 4


async def test_coupons_are_opened(line, api):
    await friends(line, 5)
    coupon = {
        "title": "100円引き",
        "reward": {"type": "discount", "priceInfo": {"type": "fixed", "fixedAmount": 100}},
        "acquisitionCondition": {"type": "normal"},
        "startTimestamp": 0,
        "endTimestamp": 1_924_959_599,
        "timezone": "ASIA_TOKYO",
        "visibility": "UNLISTED",
        "maxUseCountPerTicket": 1,
    }
    made = await api.call("POST", "/v2/bot/coupon", coupon)
    assert made.status == 200, made.json
    await behave(line, QUICK | {"coupon": 1})
    await broadcast(api, {"type": "coupon", "couponId": made.json["couponId"]})
    done = await settled(line)
    assert (done["coupon"], done["impossible"]) == (5, 0)


async def test_who_is_being_talked_to_answers_soon_and_surely(line, api, bot):
    someone = (await friends(line, 1))[0]
    await line.clock(freeze=NOON)
    hour = {"min": 3600, "median": 3600, "max": 3600}
    second = {"min": 1, "median": 1, "max": 1}
    await behave(
        line,
        {"open": 0, "before_opening": hour, "before_acting": second, "quick_reply": 1},
    )
    await line.say(someone, "辛いカレーをください")
    (event,) = await bot.until(1)
    await api.reply(event["replyToken"], SURVEY)
    for _ in range(2):
        await settled(line)
        await line.clock(advance=1)
    assert (await settled(line))["quick_reply"] == 1


async def test_rich_menus_are_tapped(line, api, bot):
    people = await friends(line, 8)
    menu = {
        "size": {"width": 800, "height": 270},
        "selected": True,
        "name": "m",
        "chatBarText": "menu",
        "areas": [
            {
                "bounds": {"x": 400 * one, "y": 0, "width": 400, "height": 270},
                "action": {"type": "postback", "data": f"area={one}"},
            }
            for one in range(2)
        ],
    }
    made = (await api.call("POST", "/v2/bot/richmenu", menu)).json["richMenuId"]
    await picture(api, made)
    assert (await api.call("POST", f"/v2/bot/user/all/richmenu/{made}")).status == 200
    await behave(line, QUICK | {"menu": 1})
    await broadcast(api, HELLO)
    assert (await settled(line))["menu"] == 8
    events = await bot.until(8)
    assert {one["postback"]["data"] for one in events} == {"area=0", "area=1"}
    assert sorted(one["source"]["userId"] for one in events) == sorted(people)


async def picture(api, menu) -> None:
    held = BytesIO()
    Image.new("RGB", (800, 270), "white").save(held, "PNG")
    path = f"/v2/bot/richmenu/{menu}/content"
    reply = await api.call("POST", path, data=held.getvalue(), Content_Type="image/png")
    assert reply.status == 200, reply.json


async def test_stopping_forgets_what_people_had_in_mind(line, api):
    await friends(line, 5)
    await line.clock(freeze=NOON)
    later = {"min": 60, "median": 60, "max": 60}
    await behave(line, {"before_opening": later, "follow": 1})
    await broadcast(api, HELLO)
    await settled(line)
    gone = await line.call("DELETE", "/behaviours")
    assert (gone["about_to_act"], gone["behaviours"], gone["counts"]) == (0, [], {})
    await line.clock(advance=2 * DAY)
    assert await settled(line) == {}
    assert (await line.state())["duties_pending"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"behaviours": 3},
        {"behaviours": "unbelievable"},
        {"behaviours": [7]},
        {"behaviours": [{"opens": 1}]},
        {"behaviours": [{"open": 1.1}]},
        {"behaviours": [{"open": -0.1}]},
        {"behaviours": [{"open": "1"}]},
        {"behaviours": [{"open": None}]},
        {"behaviours": [{"who": {"share": 2}}]},
        {"behaviours": [{"who": []}]},
        {"behaviours": [{"who": {"gender": "x"}}]},
        {"behaviours": [{"who": {"areas": ["Tokyo"]}}]},
        {"behaviours": [{"channel": "nobody's"}]},
        {"behaviours": [{"before_opening": {"min": 5, "median": 1, "max": 9}}]},
        {"behaviours": [{"before_opening": {"min": 0, "median": 1, "max": 1e9}}]},
        {"behaviours": [{"answer": 0.5}]},
        {"behaviours": [{"buy": {"chance": 1}}]},
        {"behaviours": [{"buy": {"url": "ftp://x", "chance": 0}}]},
        {"behaviours": [{"buy": {"url": "http://x", "chance": 1}}]},
        {"behaviours": [{"buy": {"url": "http://x", "goods": [{"price": 1}]}}]},
        {"behaviours": [{"buy": {"url": "http://x", "headers": {"a": "b\r\nc: d"}}}]},
        {"behaviours": [{"buy": 5}]},
        {"behaviours": [{}] * 51},
        {"pace": 0},
        {"pace": "fast"},
        {"seed": 1.5},
        {"paused": 1},
        {"speed": 1},
    ],
)
async def test_impossible_behaviours_are_refused_with_a_sentence(line, wrong):
    with pytest.raises(EmulatorError):
        await line.call("POST", "/behaviours", wrong)
    assert (await line.call("GET", "/behaviours"))["behaviours"] == []


async def test_believable_people_from_the_start_and_after_a_reset():
    async with Emulator(friends=200, living=True) as emulator, EmulatorClient(emulator.url) as line:
        for _ in range(2):
            here = await line.call("GET", "/behaviours")
            assert [one["name"] for one in here["behaviours"]] == ["fans", "regulars", "silent"]
            await line.clock(freeze=NOON)
            await line.call("POST", "/behaviours", {"pace": 1})
            channel = emulator.channel
            async with aiohttp.ClientSession() as session:
                headers = {"Authorization": f"Bearer {channel.token}"}
                body = {"messages": [LINKED]}
                url = f"{emulator.url}/v2/bot/message/broadcast"
                async with session.post(url, json=body, headers=headers) as answer:
                    assert answer.status == 200
            for _ in range(6):
                await line.clock(advance=DAY / 2)
                await settled(line)
            done = await settled(line)
            assert 80 < done["opened"] < 160
            assert 5 < done["link"] < 60
            assert (await line.state())["own_errors"] == 0
            await line.reset()
