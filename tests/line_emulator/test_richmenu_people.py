"""Whose menu it is: links one by one, in bulk and in batches, and what comes before what."""

from __future__ import annotations

import base64

import pytest

from line_emulator.acts import Actor
from line_emulator.client import EmulatorError
from line_emulator.platform import Platform, Setup
from line_emulator.richmenu import record, store
from line_emulator.richmenu.batch import Batch, Batches, ResumeKey
from line_emulator.state import restore, snapshot
from rich_menus import area, menu_object, menu_seen_by, new_menu, picture

NOBODY = "U" + "0" * 32
NO_MENU = "richmenu-" + "0" * 32


async def menu_id_of(api, user: str) -> str | None:
    got = await api.call("GET", f"/v2/bot/user/{user}/richmenu")
    if got.status == 404:
        assert got.json == {"message": "the user has no richmenu", "details": []}
        return None
    assert got.status == 200
    return got.json["richMenuId"]


async def link(api, user: str, menu: str):
    return await api.call("POST", f"/v2/bot/user/{user}/richmenu/{menu}")


async def set_manager(line, **more) -> str:
    body = {"menu": menu_object(name="manager"), "image": base64.b64encode(picture()).decode()}
    channel = line.channel["channel_id"]
    path = f"/channels/{channel}/richmenus/manager"
    return (await line.call("PUT", path, body | more))["richMenuId"]


# One by one


async def test_a_friend_gets_a_menu_of_their_own(line, api):
    friend, other = await line.new_friend(), await line.new_friend()
    first, second = await new_menu(api), await new_menu(api)
    assert await menu_id_of(api, friend) is None
    assert (await link(api, friend, first)).json == {}
    assert await menu_id_of(api, friend) == first
    await link(api, friend, second)
    assert await menu_id_of(api, friend) == second
    assert await menu_id_of(api, other) is None
    for _ in range(2):
        gone = await api.call("DELETE", f"/v2/bot/user/{friend}/richmenu")
        assert (gone.status, gone.json) == (200, {})
        assert await menu_id_of(api, friend) is None


async def test_refused_links(line, api):
    friend = await line.new_friend()
    bare, ready = await new_menu(api, image=False), await new_menu(api)
    refused = await link(api, friend, bare)
    assert refused.status == 400
    assert refused.json["message"] == "must upload richmenu image before applying it to user"
    missing = await link(api, friend, NO_MENU)
    assert (missing.status, missing.json) == (404, {"message": "Not found"})
    invalid = {"message": "The value for the 'userId' parameter is invalid"}
    for method, path in (
        ("POST", f"/v2/bot/user/someone/richmenu/{ready}"),
        ("GET", "/v2/bot/user/someone/richmenu"),
        ("DELETE", "/v2/bot/user/Uabc/richmenu"),
    ):
        answered = await api.call(method, path)
        assert (answered.status, answered.json) == (400, invalid)
    assert await menu_id_of(api, friend) is None


async def test_who_is_no_friend_is_passed_over(line, api):
    menu = await new_menu(api)
    stranger = await line.new_stranger()
    blocker = await line.new_friend()
    await line.block(blocker)
    for user in (stranger, blocker, NOBODY):
        assert (await link(api, user, menu)).status == 200
        assert await menu_id_of(api, user) is None
    await line.act(user=blocker, type="unblock")
    assert await menu_id_of(api, blocker) is None


async def test_a_deleted_menu_is_nobodys(line, api):
    friends = [await line.new_friend() for _ in range(3)]
    menu, other = await new_menu(api), await new_menu(api)
    await link(api, friends[0], menu)
    await link(api, friends[1], other)
    await api.call("DELETE", f"/v2/bot/richmenu/{menu}")
    assert [await menu_id_of(api, one) for one in friends] == [None, other, None]


async def test_what_comes_before_what(line, api):
    friend, stranger = await line.new_friend(), await line.new_stranger()
    own, default = await new_menu(api), await new_menu(api)
    managers = await set_manager(line)
    assert await menu_seen_by(line, friend) == await menu_seen_by(line, stranger) == managers
    default_of = await api.call("GET", "/v2/bot/user/all/richmenu")
    owned = {"message": "the richmenu is owned by another channel", "details": []}
    assert (default_of.status, default_of.json) == (403, owned)
    await api.call("POST", f"/v2/bot/user/all/richmenu/{default}")
    assert await menu_seen_by(line, friend) == await menu_seen_by(line, stranger) == default
    await link(api, friend, own)
    assert await menu_seen_by(line, friend) == own
    assert await menu_seen_by(line, stranger) == default
    await line.block(friend)
    assert await menu_seen_by(line, friend) is None
    assert await menu_id_of(api, friend) is None
    await line.act(user=friend, type="unblock")
    assert await menu_seen_by(line, friend) == own
    await api.call("DELETE", f"/v2/bot/richmenu/{own}")
    await api.call("DELETE", f"/v2/bot/richmenu/{default}")
    assert await menu_seen_by(line, friend) == managers
    # LINE's API knows nothing of a menu made in the Manager.
    assert (await api.call("GET", "/v2/bot/richmenu/list")).json == {"richmenus": []}
    assert (await api.call("GET", f"/v2/bot/richmenu/{managers}")).status == 404


async def test_the_managers_menu_has_a_display_period(line, api):
    friend = await line.new_friend()
    await line.clock(freeze=1_800_000_000)
    menu = await set_manager(line, shown_from=1_800_000_100, shown_until=1_800_000_200)
    assert await menu_seen_by(line, friend) is None
    assert (await api.call("GET", "/v2/bot/user/all/richmenu")).status == 404
    await line.clock(advance=100)
    assert await menu_seen_by(line, friend) == menu
    await line.clock(advance=100)
    assert await menu_seen_by(line, friend) is None


async def test_the_managers_menu_is_checked_as_any_other(line):
    with pytest.raises(EmulatorError, match="chatBarText"):
        await set_manager(line, menu=menu_object(chatBarText="x" * 15))
    with pytest.raises(EmulatorError, match="base64"):
        await set_manager(line, image="%")
    with pytest.raises(EmulatorError, match="size"):
        await set_manager(line, image=base64.b64encode(picture((800, 250))).decode())
    with pytest.raises(EmulatorError, match="shown_from"):
        await set_manager(line, shown_from="today")


# In bulk


async def test_links_in_bulk_come_a_moment_later(line, api):
    friends = [one["id"] for one in await line.create_users(3, state="friend")]
    stranger = await line.new_stranger()
    menu = await new_menu(api)
    await line.clock(freeze=True)
    people = [*friends, stranger, NOBODY]
    body = {"richMenuId": menu, "userIds": people}
    linked = await api.call("POST", "/v2/bot/richmenu/bulk/link", body)
    assert (linked.status, linked.json) == (202, {})
    assert await menu_id_of(api, friends[0]) is None
    await line.clock(advance=1)
    assert [await menu_id_of(api, one) for one in people] == [menu, menu, menu, None, None]
    body = {"userIds": [*friends[:2], stranger, NOBODY]}
    assert (await api.call("POST", "/v2/bot/richmenu/bulk/unlink", body)).status == 202
    await line.clock(advance=1)
    assert [await menu_id_of(api, one) for one in friends] == [None, None, menu]


async def test_refused_bulk_requests(line, api):
    ready, bare = await new_menu(api), await new_menu(api, image=False)
    people = [f"U{number:032x}" for number in range(501)]

    async def answer(path: str, **body):
        got = await api.call("POST", f"/v2/bot/richmenu/bulk/{path}", body)
        return got.status, got.json

    unreadable = "The property, 'userIds[0]', in the request body is invalid (line: -, column: -)"
    assert await answer("link", richMenuId=ready, userIds=["x"]) == (400, {"message": unreadable})
    assert await answer("unlink", userIds=["x"]) == (400, {"message": unreadable})
    assert await answer("link", richMenuId="x", userIds=[NOBODY]) == (
        400,
        {
            "message": "The request body has 1 error(s)",
            "details": [{"message": "invalid richMenuId", "property": "richMenuId"}],
        },
    )
    not_there = {"message": "richmenu not found", "details": []}
    assert await answer("link", richMenuId=NO_MENU, userIds=[NOBODY]) == (404, not_there)
    assert (await answer("link", richMenuId=bare, userIds=[NOBODY]))[0] == 400
    for wrong in (people, [], None):
        status, told = await answer("link", richMenuId=ready, userIds=wrong)
        assert (status, told["details"][0]["property"]) == (400, "userIds")
        assert (await answer("unlink", userIds=wrong))[0] == 400
    assert (await answer("link", richMenuId=ready, userIds=people[:500]))[0] == 202


# In batches


async def batch(api, *operations, key: str | None = None):
    body = {"operations": list(operations)} | ({"resumeRequestKey": key} if key else {})
    return await api.call("POST", "/v2/bot/richmenu/batch", body)


async def progress(api, request_id: str):
    return await api.call("GET", f"/v2/bot/richmenu/progress/batch?requestId={request_id}")


async def test_operations_of_a_batch_do_not_affect_each_other(line, api):
    a, b, c = [await new_menu(api) for _ in range(3)]
    friends = [await line.new_friend() for _ in range(5)]
    for friend, menu in zip(friends, (a, b, c, None, c), strict=True):
        if menu:
            await link(api, friend, menu)
    await line.clock(freeze=1_800_000_000)
    operations = (
        {"type": "link", "from": a, "to": b},
        {"type": "link", "from": b, "to": c},
        {"type": "unlink", "from": c},
    )
    body = {"operations": list(operations)}
    valid = await api.call("POST", "/v2/bot/richmenu/validate/batch", body)
    assert (valid.status, valid.json) == (200, {})
    accepted = await batch(api, *operations)
    assert (accepted.status, accepted.json) == (202, {})
    request_id = accepted.headers["x-line-request-id"]
    told = await progress(api, request_id)
    begun = {"phase": "ongoing", "acceptedTime": "2027-01-15T08:00:00.000Z"}
    assert (told.status, told.json) == (200, begun)
    # Who gets a menu after the request was accepted is none of its business.
    await link(api, friends[3], a)
    await link(api, friends[2], b)
    await line.clock(advance=10)
    assert [await menu_id_of(api, one) for one in friends] == [b, c, b, a, None]
    told = (await progress(api, request_id)).json
    assert told["phase"] == "succeeded"
    assert told["completedTime"] == "2027-01-15T08:00:10.000Z"
    await line.clock(advance=14 * 24 * 3600)
    assert (await progress(api, request_id)).json == {"message": "Not found"}


async def test_unlink_all_in_a_crowd(line, api):
    people = [one["id"] for one in await line.create_users(5000, state="friend")]
    menu, default = await new_menu(api), await new_menu(api)
    await api.call("POST", f"/v2/bot/user/all/richmenu/{default}")
    for start in range(0, 5000, 500):
        body = {"richMenuId": menu, "userIds": people[start : start + 500]}
        await api.call("POST", "/v2/bot/richmenu/bulk/link", body)
    await line.clock(advance=2)
    assert await menu_seen_by(line, people[4999]) == menu
    accepted = await batch(api, {"type": "unlinkAll"})
    await line.clock(advance=3)
    while (told := (await progress(api, accepted.headers["x-line-request-id"])).json)[
        "phase"
    ] == "ongoing":
        pass
    assert told["phase"] == "succeeded"
    assert [await menu_seen_by(line, people[place]) for place in (0, 2500, 4999)] == [default] * 3


async def test_a_repeat_with_the_key_sees_to_the_rest_only(line, api):
    a, b, c = [await new_menu(api) for _ in range(3)]
    friends = [await line.new_friend() for _ in range(4)]
    for friend in friends:
        await link(api, friend, a)
    channel = line.channel["channel_id"]
    await line.call("POST", f"/channels/{channel}/richmenus/batch-failure", {"after": 2})
    operations = ({"type": "link", "from": a, "to": b}, {"type": "link", "from": b, "to": c})
    first = await batch(api, *operations, key="again_1-a")
    await line.clock(advance=5)
    assert (await progress(api, first.headers["x-line-request-id"])).json["phase"] == "failed"
    assert [await menu_id_of(api, one) for one in friends] == [b, b, a, a]
    second = await batch(api, *operations, key="again_1-a")
    await line.clock(advance=5)
    assert (await progress(api, second.headers["x-line-request-id"])).json["phase"] == "succeeded"
    assert [await menu_id_of(api, one) for one in friends] == [b] * 4
    # Without the key (or after its two weeks) it is a new request.
    await line.clock(advance=14 * 24 * 3600 + 1)
    await batch(api, *operations, key="again_1-a")
    await line.clock(advance=5)
    assert [await menu_id_of(api, one) for one in friends] == [c] * 4


async def test_a_batch_fails_if_the_menu_goes_meanwhile(line, api):
    a, b = await new_menu(api), await new_menu(api)
    friend = await line.new_friend()
    await link(api, friend, a)
    accepted = await batch(api, {"type": "link", "from": a, "to": b})
    await api.call("DELETE", f"/v2/bot/richmenu/{b}")
    await line.clock(advance=5)
    assert (await progress(api, accepted.headers["x-line-request-id"])).json["phase"] == "failed"
    assert await menu_id_of(api, friend) == a


async def test_refused_batches(line, api):
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    a, bare = await new_menu(api), await new_menu(api, image=False)

    def told(message: str, place: str):
        detail = {"message": message, "property": place}
        return {"message": "The request body has 1 error(s)", "details": [detail]}

    cases = [
        (
            [{"type": "unlink", "from": "x"}],
            400,
            told("invalid richMenuId", "operations[0].from"),
        ),
        (
            [{"type": "unlink", "from": a}, {"type": "link", "from": a, "to": a}],
            400,
            told(f"from richmenu ({a}) is duplicated", "operations[].from"),
        ),
        (
            [{"type": "unlinkAll"}, {"type": "unlink", "from": a}],
            400,
            told("'unlinkAll' type can't be combined with other type", "operations[].type"),
        ),
        (
            [{"type": "link", "from": a, "to": bare}],
            400,
            told(f"'to' richmenu ({bare}) must have image but it doesn't", "operations[0].to"),
        ),
        (
            [{"type": "link", "from": a, "to": NO_MENU}],
            404,
            told(f"Richmenu ({NO_MENU}) is not found", "operations[0].to"),
        ),
    ]
    for operations, status, answer in cases:
        for path in ("batch", "validate/batch"):
            body = {"operations": operations}
            got = await api.call("POST", f"/v2/bot/richmenu/{path}", body)
            assert (got.status, got.json) == (status, answer)
    many = [{"type": "unlink", "from": f"richmenu-{number:032x}"} for number in range(1001)]
    for body in (
        {"operations": many},
        {"operations": []},
        {},
        {"operations": [{"type": "link", "from": a}]},
        {"operations": [{"type": "dance"}]},
        {"operations": [{"type": "unlinkAll"}], "resumeRequestKey": "ü"},
        {"operations": [{"type": "unlinkAll"}], "resumeRequestKey": "x" * 101},
    ):
        for path in ("batch", "validate/batch"):
            assert (await api.call("POST", f"/v2/bot/richmenu/{path}", body)).status == 400, body
    assert (await progress(api, "nonsense")).status == 400
    assert (await api.call("GET", "/v2/bot/richmenu/progress/batch")).status == 400
    assert (await progress(api, "00000000-0000-4000-8000-000000000000")).status == 404


async def test_three_batches_an_hour(line, api):
    answered = [(await batch(api, {"type": "unlinkAll"})).status for _ in range(4)]
    assert answered == [202, 202, 202, 429]
    body = {"operations": [{"type": "unlinkAll"}]}
    assert (await api.call("POST", "/v2/bot/richmenu/validate/batch", body)).status == 200


async def test_a_reset_takes_everything_along(line, api):
    friend = await line.new_friend()
    menu = await new_menu(api, area({"type": "camera"}))
    await link(api, friend, menu)
    await line.reset()
    assert (await api.call("GET", "/v2/bot/richmenu/list")).json == {"richmenus": []}


async def test_a_state_file_keeps_all_of_it():
    platform = Platform(Setup(friends=300))
    channel, actor = platform.channel(None), Actor(platform)
    menus = store.menus_of(channel)
    menu = store.new_menu(platform, menu_object())
    menu.image, menu.image_type = picture(), "image/png"
    menus.by_id[menu.id] = menu
    menus.aliases["a"] = menus.default = menu.id
    menus.manager = store.ManagerMenu(menu, shown_until=platform.clock.now() + 1)
    for user in platform.user_order:
        actor.do({"user": user.id, "type": "menu", "area": 0})
    store.link(platform, channel, platform.user_order[7].id, menu.id)
    todo = [(platform.user_order[7].id, menu.id, "")]
    batches = channel.store.of(Batches)
    batches.by_request["r"] = Batch(platform.clock.now(), "key", todo)
    batches.keys["key"] = ResumeKey(1.0)
    batches.keys["key"].done.add(299)
    again = Platform(Setup())
    restore(again, snapshot(platform))
    for drawer in (store.RichMenus, Batches, record.MenuRecords):
        kept = again.channel(None).store.of(drawer)
        assert kept == channel.store.of(drawer)
    assert record.of_menu(again.channel(None), menu.id).days
