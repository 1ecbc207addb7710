"""Insight: what people did comes out as LINE would tell it, and no more than LINE would tell."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from io import BytesIO

import pytest
from PIL import Image

LINK = "https://example.com/sale?from=line"
OTHER = "https://example.com/other"
OFFER = {
    "type": "template",
    "altText": "セール",
    "template": {
        "type": "buttons",
        "text": "セール",
        "actions": [
            {"type": "uri", "label": "見る", "uri": LINK},
            {"type": "uri", "label": "店舗", "uri": OTHER},
            {"type": "message", "label": "質問", "text": "質問です"},
        ],
    },
}
TEXT = {"type": "text", "text": f"今だけ！{LINK}。どうぞ"}
FILM = {
    "type": "video",
    "originalContentUrl": "https://example.com/v.mp4",
    "previewImageUrl": "https://example.com/v.jpg",
}
JST = timezone(timedelta(hours=9))
NOON = datetime(2026, 5, 10, 12, 0, tzinfo=JST).timestamp()
DAY = 86_400


async def friends(line, count):
    return [one["id"] for one in await line.create_users(count, state="friend")]


async def everybody(line, people, **act):
    results = await line.acts({"user": one} | act for one in people)
    assert all(one["ok"] for one in results), results


async def broadcast(api, *messages):
    reply = await api.call("POST", "/v2/bot/message/broadcast", {"messages": list(messages)})
    assert reply.status == 200, reply.json
    return reply.headers["x-line-request-id"]


async def statistics(api, request_id):
    reply = await api.call("GET", f"/v2/bot/insight/message/event?requestId={request_id}")
    assert reply.status == 200, reply.json
    return reply.json


async def test_who_opened_and_tapped_is_counted_once_and_every_time(line, api):
    people = await friends(line, 30)
    sent = await broadcast(api, {"type": "text", "text": "おはよう"}, OFFER)
    await everybody(line, people[:25], type="read")
    await everybody(line, people[:25], type="read")  # nothing new to see
    await everybody(line, people[:21], type="tap", label="見る")
    await everybody(line, people[:20], type="tap", label="見る")
    for _ in range(5):  # often enough, but of too few people
        await everybody(line, people[:5], type="tap", label="店舗")
    await everybody(line, people[25:26], type="tap", label="質問")  # no link, but seen
    found = await statistics(api, sent)
    assert found["overview"] == {
        "requestId": sent,
        "timestamp": found["overview"]["timestamp"],
        "delivered": 30,
        "uniqueImpression": 26,
        "uniqueClick": 21,
        "uniqueMediaPlayed": None,
        "uniqueMediaPlayed100Percent": None,
    }
    assert [one["seq"] for one in found["messages"]] == [1, 2]
    assert found["messages"][0]["impression"] == 26
    assert "uniqueImpression" not in found["messages"][0]
    seen, few = found["clicks"]
    assert seen == {
        "seq": 2, "url": LINK, "click": 41, "uniqueClick": 21, "uniqueClickOfRequest": 21,
    }  # fmt: skip
    assert few["url"] == OTHER
    assert (few["click"], few["uniqueClick"], few["uniqueClickOfRequest"]) == (None, None, None)


@pytest.mark.parametrize(("openers", "told"), [(19, None), (20, 20)])
async def test_fewer_than_twenty_people_are_never_told(line, api, openers, told):
    people = await friends(line, 40)
    sent = await broadcast(api, TEXT)
    await everybody(line, people[:openers], type="tap", label=LINK)
    # Many taps of few people are not told either.
    for _ in range(3):
        await everybody(line, people[:openers], type="tap", label=LINK)
    found = await statistics(api, sent)
    assert found["overview"]["uniqueImpression"] == told
    assert found["overview"]["uniqueClick"] == told
    assert found["overview"]["delivered"] == 40
    if told is None:
        assert found["messages"] == []
        assert found["clicks"] == []
    else:
        assert found["clicks"][0]["click"] == 80


async def test_the_same_link_in_two_bubbles_is_one_click_of_the_request(line, api):
    people = await friends(line, 20)
    sent = await broadcast(api, TEXT, OFFER)
    ids = (await line.phone(people[0]))["entries"][0]["messages"]
    await everybody(line, people, type="tap", label=LINK, message=ids[0]["id"])
    await everybody(line, people, type="tap", label="見る", message=ids[1]["id"])
    rows = (await statistics(api, sent))["clicks"]
    assert [(one["seq"], one["uniqueClick"], one["uniqueClickOfRequest"]) for one in rows] == [
        (1, 20, 20),
        (2, 20, 20),
    ]


async def test_a_frozen_clock_does_not_hide_what_came_after_reading(line, api):
    people = await friends(line, 20)
    await line.clock(freeze=NOON)
    await broadcast(api, TEXT)
    await everybody(line, people, type="read")
    later = await broadcast(api, TEXT)
    assert (await statistics(api, later))["overview"]["uniqueImpression"] is None
    await everybody(line, people, type="read")
    assert (await statistics(api, later))["overview"]["uniqueImpression"] == 20


async def test_writing_means_having_seen_what_is_there(line, api):
    people = await friends(line, 20)
    sent = await broadcast(api, TEXT)
    await everybody(line, people, type="message", text="はい")
    assert (await statistics(api, sent))["overview"]["uniqueImpression"] == 20


async def test_after_fourteen_days_figures_stay_as_they_are(line, api):
    people = await friends(line, 40)
    await line.clock(freeze=NOON)
    sent = await broadcast(api, TEXT)
    await line.clock(advance=14 * DAY)
    await everybody(line, people[:20], type="read")
    await line.clock(advance=1)
    await everybody(line, people[20:], type="read")
    found = await statistics(api, sent)
    assert found["overview"]["uniqueImpression"] == 20
    assert found["overview"]["timestamp"] == int(NOON)


async def test_media_are_counted_by_quarters_and_the_end_tells_the_bot(line, api, bot):
    people = await friends(line, 22)
    sent = await broadcast(api, FILM)
    await everybody(line, people, type="play", percent=60)
    await everybody(line, people[:20], type="play")
    found = await statistics(api, sent)
    film = found["messages"][0]
    assert (film["mediaPlayed"], film["uniqueMediaPlayed"]) == (42, 22)
    assert film["mediaPlayed50Percent"] == 42
    assert (film["mediaPlayed75Percent"], film["uniqueMediaPlayed75Percent"]) == (20, 20)
    assert film["mediaPlayed100Percent"] == 20
    assert found["overview"]["uniqueMediaPlayed"] == 22
    assert found["overview"]["uniqueMediaPlayed100Percent"] == 20
    pushed = await api.push(people[0], FILM | {"trackingId": "film-1"})
    assert pushed.status == 200, pushed.json
    await line.act(user=people[0], type="play", percent=99)
    await line.act(user=people[0], type="play", percent=100)
    await line.wait_webhooks_done()
    (event,) = bot.events
    assert event["type"] == "videoPlayComplete"
    assert event["videoPlayComplete"] == {"trackingId": "film-1"}
    assert event["replyToken"]


async def test_only_broadcasts_have_statistics_of_their_own(line, api):
    someone = (await friends(line, 1))[0]
    pushed = await api.push(someone, TEXT)
    path = "/v2/bot/insight/message/event?requestId="
    assert (await api.call("GET", path + pushed.headers["x-line-request-id"])).status == 404
    assert (await api.call("GET", path + "nobody-knows")).status == 404
    assert (await api.call("GET", path)).status == 400


async def test_a_narrowcast_on_its_way_has_no_number_yet(line, api):
    people = await friends(line, 120)
    await line.clock(freeze=NOON)
    await line.call("PATCH", "/pace", {"narrowcast_waiting": 10, "narrowcast_per_second": 50})
    accepted = await api.call("POST", "/v2/bot/message/narrowcast", {"messages": [TEXT]})
    assert accepted.status == 202, accepted.json
    sent = accepted.headers["x-line-request-id"]
    assert (await statistics(api, sent))["overview"]["delivered"] is None
    await line.clock(advance=11)
    await quiet(line)
    assert (await statistics(api, sent))["overview"]["delivered"] is None
    for _ in range(20):
        await line.clock(advance=1)
        await quiet(line)
    assert (await statistics(api, sent))["overview"]["delivered"] == 120
    await everybody(line, people, type="tap", label=LINK)
    found = await statistics(api, sent)
    assert (found["overview"]["uniqueClick"], found["clicks"][0]["click"]) == (120, 120)


async def quiet(line):
    """Let duties that are due be done."""
    for _ in range(5):
        await line.state()


MENU = {
    "size": {"width": 800, "height": 540},
    "selected": False,
    "name": "m",
    "chatBarText": "menu",
    "areas": [
        {
            "bounds": {"x": 0, "y": 270 * one, "width": 800, "height": 270},
            "action": {"type": "postback", "data": f"area={one}"},
        }
        for one in range(2)
    ],
}


async def default_menu(api):
    held = BytesIO()
    Image.new("RGB", (800, 540), "white").save(held, "PNG")
    menu = (await api.call("POST", "/v2/bot/richmenu", MENU)).json["richMenuId"]
    path = f"/v2/bot/richmenu/{menu}/content"
    await api.call("POST", path, data=held.getvalue(), Content_Type="image/png")
    assert (await api.call("POST", f"/v2/bot/user/all/richmenu/{menu}")).status == 200
    return menu


async def test_rich_menus_in_all_and_day_by_day(line, api):
    people = await friends(line, 30)
    await line.clock(freeze=NOON)
    menu = await default_menu(api)
    path = f"/v2/bot/insight/richmenu/{menu}"
    await everybody(line, people, type="menu_open")
    await everybody(line, people[:15], type="menu", area=0)
    await everybody(line, people[:15], type="menu", area=0)
    await line.clock(advance=2 * DAY)  # 12 May
    await everybody(line, people[10:20], type="menu", area=1)
    silent = {"richMenuId": menu}
    week = "from=20260508&to=20260514"
    # Until tomorrow only the 10th is counted: 15 people are too few to be told of.
    assert (await api.call("GET", f"{path}/summary?{week}")).json == silent
    await line.clock(advance=DAY)
    bounds = [area["bounds"] for area in MENU["areas"]]
    found = (await api.call("GET", f"{path}/summary?{week}")).json
    assert found == silent | {
        "metricsFrom": "20260510",
        "metricsTo": "20260512",
        "impression": {"metrics": {"count": found["impression"]["metrics"]["count"],
                                   "uniqueUsers": 30}},
        "clicks": [
            {"bounds": bounds[0], "metrics": {"count": 30, "uniqueUsers": 15}},
            {"bounds": bounds[1], "metrics": {"count": 10, "uniqueUsers": 10}},
        ],
    }  # fmt: skip
    daily = (await api.call("GET", f"{path}/daily?{week}")).json
    assert [one["date"] for one in daily["impression"]["metrics"]] == [
        "20260510", "20260511", "20260512",
    ]  # fmt: skip
    assert daily["clicks"][0]["metrics"] == [
        {"date": "20260510", "count": 30, "uniqueUsers": 15},
        {"date": "20260511", "count": 0, "uniqueUsers": 0},
        {"date": "20260512", "count": 0, "uniqueUsers": 0},
    ]
    # A part of the period in which fewer than 20 people tapped says nothing.
    assert (await api.call("GET", f"{path}/daily?from=20260512&to=20260512")).json == silent


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("to=20260510", "Bad Request"),
        ("from=20260510", "Bad Request"),
        ("from=20260510&to=2026051", "Bad Request"),
        ("from=20260511&to=20260510",
         "Parameter to must be the same date as, or after parameter from."),
        ("from=20250101&to=20260202", "Date range exceeds. Max range is 396 days."),
        ("from=20230509&to=20230601", "Parameter from must be the same date as, or after "
                                      "2023-05-10."),
    ],
)  # fmt: skip
async def test_periods_of_rich_menus(line, api, query, message):
    await line.clock(freeze=NOON)
    menu = await default_menu(api)
    refused = await api.call("GET", f"/v2/bot/insight/richmenu/{menu}/summary?{query}")
    assert (refused.status, refused.json) == (400, {"message": message})


async def test_days_of_rich_menus_are_at_most_ninety_nine(line, api):
    await line.clock(freeze=NOON)
    menu = await default_menu(api)
    path = f"/v2/bot/insight/richmenu/{menu}/daily?from=20260101"
    assert (await api.call("GET", f"{path}&to=20260410")).status == 200
    refused = await api.call("GET", f"{path}&to=20260411")
    assert refused.json == {"message": "Date range exceeds. Max range is 99 days."}
    gone = "/v2/bot/insight/richmenu/richmenu-0/summary?from=20260101&to=20260102"
    assert (await api.call("GET", gone)).status == 404


async def unit(api, name, first, last):
    query = f"customAggregationUnit={name}&from={first}&to={last}"
    return await api.call("GET", f"/v2/bot/insight/message/event/aggregation?{query}")


async def test_units_gather_pushes_and_multicasts_over_days(line, api):
    people = await friends(line, 30)
    await line.clock(freeze=NOON)
    named = {"customAggregationUnits": ["May_1"]}
    body = {"to": people[:15], "messages": [TEXT]} | named
    assert (await api.call("POST", "/v2/bot/message/multicast", body)).status == 200
    await line.clock(advance=DAY)
    for one in people[10:25]:
        body = {"to": one, "messages": [OFFER]} | named
        assert (await api.call("POST", "/v2/bot/message/push", body)).status == 200
    await api.push(people[29], TEXT)  # without a unit
    await everybody(line, people, type="read")
    await everybody(line, people[:10], type="tap", label=LINK)
    await everybody(line, people[10:25], type="tap", label="見る")
    found = (await unit(api, "May_1", "20260510", "20260511")).json
    # Five people got both: 25 people saw 30 bubbles.
    assert found["overview"]["uniqueImpression"] == 25
    assert found["overview"]["uniqueClick"] == 25
    assert found["messages"][0]["impression"] == 30
    assert found["messages"][0]["uniqueImpression"] == 25
    assert found["clicks"] == [
        {"seq": 1, "url": LINK, "click": 25, "uniqueClick": 25, "uniqueClickOfRequest": 25}
    ]
    assert "requestId" not in found["overview"]
    one_day = (await unit(api, "May_1", "20260510", "20260510")).json
    assert one_day["overview"]["uniqueImpression"] is None
    assert (one_day["messages"], one_day["clicks"]) == ([], [])
    nothing = (await unit(api, "may_1", "20260510", "20260511")).json
    assert set(nothing["overview"].values()) == {None}


@pytest.mark.parametrize(
    "query",
    [
        "from=20260501&to=20260531",
        "customAggregationUnit=a&to=20260531",
        "customAggregationUnit=a&from=20260501",
        "customAggregationUnit=a&from=20260501&to=20260532",
        "customAggregationUnit=a&from=20260502&to=20260501",
        "customAggregationUnit=a&from=20260501&to=20260601",
        "customAggregationUnit=a&from=2026-05-01&to=20260531",
    ],
)
async def test_units_ask_for_a_name_and_at_most_thirty_days(api, query):
    refused = await api.call("GET", f"/v2/bot/insight/message/event/aggregation?{query}")
    assert refused.status == 400
    assert refused.json == {"message": None, "key": None, "stacktrace": None, "code": None}
    edge = await unit(api, "a", "20260501", "20260531")
    assert edge.status == 200


async def test_the_months_units_page_by_page(line, api):
    someone = (await friends(line, 1))[0]
    await line.clock(freeze=NOON)
    for number in range(7):
        body = {"to": someone, "messages": [TEXT], "customAggregationUnits": [f"u{number}"]}
        assert (await api.call("POST", "/v2/bot/message/push", body)).status == 200
    info = await api.call("GET", "/v2/bot/message/aggregation/info")
    assert info.json == {"numOfCustomAggregationUnits": 7}
    path = "/v2/bot/message/aggregation/list"
    first = (await api.call("GET", f"{path}?limit=3")).json
    second = (await api.call("GET", f"{path}?limit=4&start={first['next']}")).json
    names = first["customAggregationUnits"] + second["customAggregationUnits"]
    assert sorted(names) == [f"u{number}" for number in range(7)]
    assert "next" not in second
    for wrong in ("limit=0", "limit=101", "limit=x", "limit=-1"):
        assert (await api.call("GET", f"{path}?{wrong}")).status == 400
    for token in ("!!", "abcd", "OTk5", "%00"):
        refused = await api.call("GET", f"{path}?start={token}")
        assert (refused.status, refused.json) == (400, {"message": "Invalid start param"})
    await line.clock(advance=DAY + 1)
    old = await api.call("GET", f"{path}?start={first['next']}")
    assert old.json == {"message": "Invalid start param"}
    await line.clock(advance=30 * DAY)
    assert (await api.call("GET", path)).json == {"customAggregationUnits": []}


async def followers(api, day):
    return (await api.call("GET", f"/v2/bot/insight/followers?date={day}")).json


async def test_followers_day_by_day(line, api):
    old = await friends(line, 10)
    new = [one["id"] for one in await line.create_users(5)]
    await line.clock(freeze=NOON)
    unknown = {"followers": None, "targetedReaches": None, "blocks": None}
    assert await followers(api, "20260510") == {"status": "unready"} | unknown
    assert await followers(api, "20260601") == {"status": "unready"} | unknown
    assert await followers(api, "20161031") == {"status": "out_of_service"} | unknown
    await everybody(line, new, type="follow")
    await everybody(line, old[:3], type="unfollow")
    await line.clock(advance=DAY)  # 11 May
    await everybody(line, old[:1], type="unblock")
    await everybody(line, new[:2], type="unfollow")
    await line.clock(advance=DAY)  # 12 May
    before, tenth, eleventh = [await followers(api, f"202605{day}") for day in ("09", "10", "11")]
    assert [one["status"] for one in (before, tenth, eleventh)] == ["ready"] * 3
    assert [one["followers"] for one in (before, tenth, eleventh)] == [10, 15, 15]
    assert [one["blocks"] for one in (before, tenth, eleventh)] == [0, 3, 4]
    # Who can be reached is a friend of whom LINE knows enough.
    assert before["targetedReaches"] <= 10
    assert tenth["targetedReaches"] <= 12
    assert (await api.call("GET", "/v2/bot/insight/followers")).json == {
        "message": "date is required"
    }
    for wrong in ("2026-05-10", "20260231", "0", "202605１0"):
        refused = await api.call("GET", f"/v2/bot/insight/followers?date={wrong}")
        assert (refused.status, refused.json) == (400, {"message": "Bad Request"})


async def test_reach_follows_what_line_knows_of_people(line, api):
    known = {"gender": "female", "age": 31, "area": "jp_13"}
    unknown = {"gender": "unknown", "age": "unknown", "area": "unknown"}
    people = [
        *await line.create_users(4, state="friend", attributes=known),
        *await line.create_users(3, state="friend", attributes=unknown),
    ]
    await line.clock(freeze=NOON)
    await line.block(people[0]["id"])
    await line.block(people[-1]["id"])
    await line.clock(advance=DAY)
    assert (await followers(api, "20260509"))["targetedReaches"] == 4
    assert (await followers(api, "20260510"))["targetedReaches"] == 3


async def test_demographics_need_twenty_people_and_three_days(line, api):
    young = {"gender": "male", "age": 19, "area": "jp_27", "appType": "ios"}
    older = {"gender": "female", "age": 52, "area": "jp_13", "appType": "android"}
    await line.clock(freeze=NOON)
    await line.create_users(19, state="friend", attributes=young | {"subscriptionPeriod": 8})
    path = "/v2/bot/insight/demographic"
    nothing = {name: [] for name in ("genders", "ages", "areas", "appTypes", "subscriptionPeriods")}
    assert (await api.call("GET", path)).json == {"available": False} | nothing
    late = [one["id"] for one in await line.create_users(19, attributes=older)]
    await everybody(line, late, type="follow")
    assert (await api.call("GET", path)).json["available"] is False
    await line.clock(advance=3 * DAY)
    found = (await api.call("GET", path)).json
    assert found["available"] is True
    assert sorted(one["gender"] for one in found["genders"]) == ["female", "male"]
    assert {one["percentage"] for one in found["genders"]} == {50.0}
    assert {one["age"] for one in found["ages"]} == {"from15to19", "from50", "from50to54"}
    assert {one["area"] for one in found["areas"]} == {"大阪", "東京"}
    assert {one["appType"] for one in found["appTypes"]} == {"ios", "android"}
    assert {one["subscriptionPeriod"] for one in found["subscriptionPeriods"]} == {
        "within7days",
        "within30days",
    }


async def test_deliveries_of_a_day_are_ready_the_next(line, api):
    people = await friends(line, 5)
    await line.clock(freeze=NOON)
    await broadcast(api, TEXT)
    await api.push(people[0], TEXT, TEXT)
    await api.multicast(people[:3], TEXT)
    path = "/v2/bot/insight/message/delivery?date="
    assert (await api.call("GET", path + "20260510")).json == {"status": "unready"}
    await line.clock(advance=DAY)
    assert (await api.call("GET", path + "20260510")).json == {
        "status": "ready", "apiBroadcast": 5, "apiPush": 1, "apiMulticast": 3,
    }  # fmt: skip
    assert (await api.call("GET", path + "20260509")).json == {"status": "ready"}
    assert (await api.call("GET", path + "20170228")).json == {"status": "out_of_service"}
    assert (await api.call("GET", path + "20260931")).json == {"message": "Bad Request"}


async def test_sixty_questions_an_hour(line, api):
    channel = (await line.channels())[0]["channel_id"]
    await line.update_channel(channel, unlimited=False)
    path = "/v2/bot/insight/demographic"
    statuses = [(await api.call("GET", path)).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    await line.clock(advance=60)
    assert (await api.call("GET", path)).status == 200
    assert (await api.call("GET", "/v2/bot/insight/message/delivery?date=20260101")).status == 200


async def test_a_link_is_opened_only_where_it_arrived(line, api):
    one, other = await friends(line, 2)
    await api.push(one, TEXT)
    assert (await line.act(user=one, type="open", url=LINK))["uri"] == LINK
    refused = await line.acts(
        [
            {"user": other, "type": "open", "url": LINK},
            {"user": one, "type": "open", "url": "https://example.com/sale"},
            {"user": one, "type": "open"},
            {"user": one, "type": "play"},
            {"user": one, "type": "play", "percent": 101},
            {"user": one, "type": "play", "percent": True},
        ]
    )
    assert [one["ok"] for one in refused] == [False] * 6


async def test_the_official_sdk_reads_every_answer(line, api):
    from linebot.v3.insight import AsyncApiClient, AsyncInsight, Configuration

    people = await friends(line, 25)
    await line.clock(freeze=NOON)
    sent = await broadcast(api, TEXT)
    await everybody(line, people, type="tap", label=LINK)
    await line.clock(advance=DAY)
    async with AsyncApiClient(Configuration(host=line.url, access_token=line.token)) as client:
        insight = AsyncInsight(client)
        event = await insight.get_message_event(request_id=sent)
        assert event.overview.unique_click == 25
        assert event.clicks[0].url == LINK
        assert (await insight.get_number_of_followers(var_date="20260510")).followers == 25
        assert (
            await insight.get_number_of_message_deliveries(var_date="20260510")
        ).api_broadcast == 25
        assert (await insight.get_friends_demographics()).available in (True, False)
        units = await insight.get_statistics_per_unit(
            custom_aggregation_unit="x", var_from="20260501", to="20260510"
        )
        assert units.overview.unique_click is None
