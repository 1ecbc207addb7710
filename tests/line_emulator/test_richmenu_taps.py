"""What people do with a rich menu, what the bot hears of it, and what is counted."""

from __future__ import annotations

import pytest
from linebot.v3 import WebhookParser
from linebot.v3.webhooks import PostbackEvent

from line_emulator.client import EmulatorError
from rich_menus import area, menu_seen_by, new_menu, picture

DEFAULT = "/v2/bot/user/all/richmenu"


async def default_menu(api, *areas, **changes) -> str:
    menu = await new_menu(api, *areas, **changes)
    assert (await api.call("POST", f"{DEFAULT}/{menu}")).status == 200
    return menu


async def alias(api, name: str, menu: str) -> None:
    body = {"richMenuAliasId": name, "richMenuId": menu}
    assert (await api.call("POST", "/v2/bot/richmenu/alias", body)).status == 200


def switch(name: str, **more):
    return {"type": "richmenuswitch", "richMenuAliasId": name, "data": f"to={name}"} | more


async def test_every_action_does_what_it_does_at_line(line, api, bot):
    friend = await line.new_friend()
    actions = [
        {"type": "message", "text": "hello"},
        {"type": "postback", "data": "buy=1", "displayText": "買う"},
        {"type": "postback", "data": "old", "text": "said aloud"},
        {"type": "uri", "uri": "https://example.com/shop"},
        {"type": "datetimepicker", "data": "when", "mode": "datetime"},
        {"type": "clipboard", "clipboardText": "3B48740B"},
        {"type": "camera"},
        {"type": "cameraRoll"},
        {"type": "location"},
    ]
    await default_menu(api, *(area(one) for one in actions))
    acts = [{"user": friend, "type": "menu", "area": place} for place in range(len(actions))]
    acts[4]["value"] = "2027-01-02T03:04"
    results = await line.acts(acts)
    assert all(one["ok"] for one in results), results
    assert [one["action"] for one in results] == actions
    assert results[3]["uri"] == "https://example.com/shop"
    assert results[5]["clipboard"] == "3B48740B"
    events = await bot.until(8)
    told = [
        one["message"].get("text") or one["message"]["type"]
        if one["type"] == "message"
        else one["postback"]
        for one in events
    ]
    assert told == [
        "hello",
        {"data": "buy=1"},
        "said aloud",
        {"data": "old"},
        {"data": "when", "params": {"datetime": "2027-01-02T03:04"}},
        "image",
        "image",
        "location",
    ]
    assert all(one["replyToken"] and one["source"]["userId"] == friend for one in events)


async def test_areas_are_found_by_label_and_by_place(line, api):
    friend = await line.new_friend()
    await default_menu(
        api,
        area({"type": "uri", "uri": "https://a.example/", "label": "A"}),
        area({"type": "uri", "uri": "https://b.example/"}, x=300, y=100, height=440),
        area({"type": "uri", "uri": "https://c.example/", "label": "C"}, x=400),
    )

    async def tapped(**how) -> str:
        return (await line.act(user=friend, type="menu", **how))["uri"][8]

    assert await tapped(label="C") == "c"
    assert await tapped(x=0, y=0) == "a"
    assert await tapped(x=399.9, y=539.9) == "a"
    # Where areas overlap the first one is hit.
    assert await tapped(x=400, y=100) == "b"
    assert await tapped(x=400, y=99) == "c"
    assert await tapped(area=-1) == "c"
    for wrong in (
        {"x": 800, "y": 540},
        {"x": -1, "y": 0},
        {"label": "B"},
        {"area": 3},
        {"area": True},
        {"x": "0", "y": None},
        {},
    ):
        with pytest.raises(EmulatorError):
            await tapped(**wrong)


async def test_without_a_menu_there_is_nothing_to_tap(line, api):
    friend = await line.new_friend()
    for kind in ("menu", "menu_open", "menu_close"):
        with pytest.raises(EmulatorError, match="no rich menu"):
            await line.act(user=friend, type=kind, area=0)
    await default_menu(api)
    await line.act(user=friend, type="menu", area=0)
    await line.block(friend)
    with pytest.raises(EmulatorError, match="no rich menu"):
        await line.act(user=friend, type="menu", area=0)


async def test_tabs(line, api, bot):
    friend, other = await line.new_friend(), await line.new_friend()
    first = await default_menu(api, area({"type": "camera"}), area(switch("tab-b"), x=400))
    second = await new_menu(api, area(switch("tab-a")), area({"type": "camera"}, x=400))
    await alias(api, "tab-a", first)
    await alias(api, "tab-b", second)
    went = await line.act(user=friend, type="menu", area=1)
    assert went["params"] == {"newRichMenuAliasId": "tab-b", "status": "SUCCESS"}
    assert went["open"] is True
    assert await menu_seen_by(line, friend) == second
    assert await menu_seen_by(line, other) == first
    # From now on it is the person's own, and stays when the default one goes.
    own = await api.call("GET", f"/v2/bot/user/{friend}/richmenu")
    assert own.json == {"richMenuId": second}
    await api.call("DELETE", DEFAULT)
    assert await menu_seen_by(line, friend) == second
    await line.act(user=friend, type="menu", x=0, y=0)
    assert await menu_seen_by(line, friend) == first
    await bot.until(2)
    headers, body = bot.posts[0]
    parsed = WebhookParser(line.secret).parse(body.decode(), headers["x-line-signature"])[0]
    assert isinstance(parsed, PostbackEvent)
    assert parsed.postback.data == "to=tab-b"
    assert parsed.postback.params == {"newRichMenuAliasId": "tab-b", "status": "SUCCESS"}


async def test_switches_that_fail(line, api, bot):
    friend, stranger = await line.new_friend(), await line.new_stranger()
    home = await default_menu(
        api, area(switch("unknown")), area(switch("deleted")), area(switch("home"))
    )
    gone = await new_menu(api)
    await alias(api, "deleted", gone)
    await alias(api, "home", home)
    await api.call("DELETE", f"/v2/bot/richmenu/{gone}")
    await line.act(user=friend, type="menu", area=0)
    await line.act(user=friend, type="menu", area=1)
    # Who is no friend cannot have a menu of their own.
    await line.act(user=stranger, type="menu", area=2)
    events = await bot.until(3)
    assert sorted(
        (one["postback"]["data"], *one["postback"]["params"].items()) for one in events
    ) == [
        ("to=deleted", ("status", "RICHMENU_NOTFOUND")),
        ("to=home", ("status", "FAILED")),
        ("to=unknown", ("status", "RICHMENU_ALIAS_ID_NOTFOUND")),
    ]
    assert await menu_seen_by(line, friend) == home


async def is_open(line, user: str) -> bool:
    return (await line.call("GET", f"/users/{user}/richmenu"))["menu"]["open"]


async def test_input_options_open_and_close_the_menu(line, api):
    friend = await line.new_friend()
    options = ("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice")
    await default_menu(
        api,
        *(area({"type": "postback", "data": "d", "inputOption": one}) for one in options),
        area({"type": "postback", "data": "d"}),
    )
    assert not await is_open(line, friend)
    for place, stays in ((4, True), (0, False), (1, True), (2, False), (4, True), (3, False)):
        result = await line.act(user=friend, type="menu", area=place)
        assert result["open"] is stays
        assert await is_open(line, friend) is stays
    await line.act(user=friend, type="menu_open")
    assert await is_open(line, friend)
    await line.act(user=friend, type="menu_close")
    assert not await is_open(line, friend)


async def test_the_control_api_shows_the_menu_and_its_image(line, api):
    friend = await line.new_friend()
    assert (await line.call("GET", f"/users/{friend}/richmenu")) == {"menu": None}
    menu = await default_menu(api, selected=True, chatBarText="ひらく")
    seen = (await line.call("GET", f"/users/{friend}/richmenu"))["menu"]
    assert seen["from"] == "default"
    assert (seen["richMenuId"], seen["chatBarText"], seen["selected"]) == (menu, "ひらく", True)
    got = await api.call("GET", seen["image"])
    assert got.json == picture()
    assert got.headers["Content-Type"] == "image/png"
    await api.call("POST", f"/v2/bot/user/{friend}/richmenu/{menu}")
    assert (await line.call("GET", f"/users/{friend}/richmenu"))["menu"]["from"] == "user"
    assert (await api.call("GET", seen["image"].replace("richmenu-", "richmenu_"))).status == 404


async def test_insight_counts_what_people_did(line, api):
    people = [one["id"] for one in await line.create_users(25, state="friend")]
    menu = await default_menu(
        api, area({"type": "camera"}), area({"type": "camera"}, x=400), area(switch("none"))
    )
    # Noon of one day in Japan, then half past midnight of the next.
    await line.clock(freeze=1_799_982_000)
    opened = [{"user": one, "type": "menu_open"} for one in people]
    first = [{"user": one, "type": "menu", "area": 0} for one in people[:20]]
    await line.acts([*opened, *first, *first[:3]])
    await line.clock(advance=12.5 * 3600)
    await line.acts([{"user": one, "type": "menu", "area": 1} for one in people[:2]])
    days = {"from": "20270115", "to": "20270116"}
    query = "&".join(f"{name}={day}" for name, day in days.items())
    await line.clock(advance=2 * 24 * 3600)
    path = f"/v2/bot/insight/richmenu/{menu}"
    summary = (await api.call("GET", f"{path}/summary?{query}")).json
    assert summary["impression"]["metrics"] == {"count": 25, "uniqueUsers": 25}
    assert [one["metrics"] for one in summary["clicks"]] == [
        {"count": 23, "uniqueUsers": 20},
        {"count": 2, "uniqueUsers": 2},
        {"count": 0, "uniqueUsers": 0},
    ]
    assert summary["clicks"][1]["bounds"] == {"x": 400, "y": 0, "width": 400, "height": 540}


async def test_a_tap_on_a_closed_menu_is_seen_first(line, api, line_emulator_url):
    friend = await line.new_friend()
    await default_menu(api)
    for _ in range(3):
        await line.act(user=friend, type="menu", area=0)
    assert await is_open(line, friend)
