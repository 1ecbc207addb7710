"""Rich menus through LINE's API: objects, images, the default one, aliases."""

from __future__ import annotations

import asyncio
import io
import json
import random
import struct
import zlib

import pytest
from PIL import Image

from rich_menus import area, menu_object, menu_seen_by, new_menu, picture, upload

MENU = "/v2/bot/richmenu"
HELLO = {"type": "message", "text": "hello"}


def errors(*details: tuple[str, str]) -> dict:
    return {
        "message": f"The request body has {len(details)} error(s)",
        "details": [{"message": message, "property": place} for message, place in details],
    }


# The rich menu object


async def test_a_menu_comes_back_as_it_was_made(api):
    made = menu_object(
        area(
            {"type": "postback", "data": "a=1", "displayText": "1", "inputOption": "openKeyboard"}
        ),
        area({"type": "uri", "uri": "tel:0312345678", "label": "電話"}, x=400),
        selected=True,
    )
    menu_id = (await api.call("POST", MENU, made)).json["richMenuId"]
    got = await api.call("GET", f"{MENU}/{menu_id}")
    assert got.json == made | {"richMenuId": menu_id}
    listed = await api.call("GET", f"{MENU}/list")
    assert listed.json == {"richmenus": [made | {"richMenuId": menu_id}]}
    assert (await api.call("DELETE", f"{MENU}/{menu_id}")).json == {}
    for method in ("GET", "DELETE"):
        gone = await api.call(method, f"{MENU}/{menu_id}")
        assert (gone.status, gone.json) == (404, {"message": "Not found"})


async def test_what_line_does_not_know_is_not_kept(api):
    given = menu_object(area(HELLO | {"label": None, "junk": "HERE"}), extra=1)
    # Deeper than can be written again, if it were kept.
    body = json.dumps(given).replace('"HERE"', "[" * 600 + "]" * 600).encode()
    menu_id = (await api.call("POST", MENU, data=body)).json["richMenuId"]
    got = (await api.call("GET", f"{MENU}/{menu_id}")).json
    assert got["areas"][0]["action"] == HELLO
    assert "extra" not in got


@pytest.mark.parametrize("path", [MENU, f"{MENU}/validate"])
async def test_errors_in_the_words_of_the_reference(api, path):
    without_name = menu_object()
    del without_name["name"]
    answered = await api.call("POST", path, without_name)
    assert (answered.status, answered.json) == (400, errors(("must be specified", "name")))
    for uri in ("ftp://example.com/", "example.com", "https://", "javascript:alert(1)"):
        answered = await api.call("POST", path, menu_object(area({"type": "uri", "uri": uri})))
        assert answered.json == errors(("invalid uri", "areas[0].action.uri")), uri


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"size": {"width": 799, "height": 270}}, "size.width"),
        ({"size": {"width": 2501, "height": 1000}}, "size.width"),
        ({"size": {"width": 800, "height": 249}}, "size.height"),
        ({"size": {"width": 800, "height": 552}}, "size"),
        ({"size": {"width": 800}}, "size.height"),
        ({"name": "あ" * 301}, "name"),
        ({"name": ""}, "name"),
        ({"chatBarText": "あ" * 15}, "chatBarText"),
        ({"chatBarText": None}, "chatBarText"),
        ({"selected": None}, "selected"),
        ({"areas": [area(HELLO)] * 21}, "areas"),
        ({"areas": [{"action": HELLO}]}, "areas[0].bounds"),
        ({"areas": [{"bounds": area(HELLO)["bounds"]}]}, "areas[0].action"),
        ({"areas": [area(HELLO, x=-1)]}, "areas[0].bounds.x"),
        ({"areas": [area(HELLO, width=0)]}, "areas[0].bounds.width"),
        ({"areas": [area(HELLO, x=402)]}, "areas[0].bounds.width"),
        ({"areas": [area(HELLO), area(HELLO, y=2)]}, "areas[1].bounds.height"),
        ({"areas": [area({"type": "dance"})]}, "areas[0].action.type"),
        ({"areas": [area({"type": "message", "text": ""})]}, "areas[0].action.text"),
        ({"areas": [area(HELLO | {"label": "あ" * 21})]}, "areas[0].action.label"),
        ({"areas": [area({"type": "postback", "data": "x" * 301})]}, "areas[0].action.data"),
        (
            {"areas": [area({"type": "richmenuswitch", "data": ""})]},
            "areas[0].action.richMenuAliasId",
        ),
        (
            {"areas": [area({"type": "richmenuswitch", "richMenuAliasId": "a"})]},
            "areas[0].action.data",
        ),
        (
            {"areas": [area({"type": "uri", "uri": "https://e.com/" + "a" * 990})]},
            "areas[0].action.uri",
        ),
        (
            {"areas": [area({"type": "datetimepicker", "data": "d", "mode": "year"})]},
            "areas[0].action.mode",
        ),
    ],
)
async def test_refused_objects(api, change, place):
    body = menu_object(**change)
    for path in (MENU, f"{MENU}/validate"):
        answered = await api.call("POST", path, body)
        assert answered.status == 400
        assert [one["property"] for one in answered.json["details"]] == [place]
    assert (await api.call("GET", f"{MENU}/list")).json == {"richmenus": []}


@pytest.mark.parametrize("value", ["800", True, [], {}, 800.5])
async def test_a_width_that_is_no_whole_number(api, value):
    body = menu_object(size={"width": value, "height": 540})
    answered = await api.call("POST", MENU, body)
    assert answered.status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"size": {"width": 2500, "height": 1724}},
        {"size": {"width": 2500, "height": 250}, "areas": [area(HELLO, height=250)]},
        {"size": {"width": 1450, "height": 1000}},
        {"areas": []},
        {"areas": [area(HELLO)] * 20},
        # LINE's own guides have areas that overhang by a pixel.
        {"areas": [area(HELLO, x=401)]},
        # A family is one character to LINE here, and eleven in UTF-16.
        {"chatBarText": "👨‍👩‍👧‍👦" * 14, "name": "👨‍👩‍👧‍👦" * 300},
        {"areas": [area({"type": "clipboard", "clipboardText": "3B48740B"})]},
        {"areas": [area({"type": "camera"}), area({"type": "cameraRoll", "label": "写真"})]},
        {"areas": [area({"type": "location"})]},
        {
            "areas": [
                area(
                    {
                        "type": "uri",
                        "uri": "https://line.me/",
                        "altUri": {"desktop": "https://example.com/"},
                    }
                )
            ]
        },
        {
            "areas": [
                area({"type": "richmenuswitch", "richMenuAliasId": "b", "data": "", "label": "B"})
            ]
        },
    ],
)
async def test_accepted_objects(api, change):
    body = menu_object(**change)
    assert (await api.call("POST", f"{MENU}/validate", body)).json == {}
    menu_id = (await api.call("POST", MENU, body)).json["richMenuId"]
    assert (await api.call("GET", f"{MENU}/{menu_id}")).json == body | {"richMenuId": menu_id}


async def test_a_thousand_menus_and_no_more(line, api):
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    for _ in range(1000):
        last = await api.call("POST", MENU, menu_object())
        assert last.status == 200
    assert (await api.call("POST", MENU, menu_object())).status == 400
    await api.call("DELETE", f"{MENU}/{last.json['richMenuId']}")
    assert (await api.call("POST", MENU, menu_object())).status == 200


async def test_limits_of_the_reference(line, api):
    for _ in range(100):
        assert (await api.call("POST", MENU, {})).status == 400
    assert (await api.call("POST", MENU, menu_object())).status == 429
    # Another endpoint has a bucket of its own, and an hour fills it again.
    assert (await api.call("POST", f"{MENU}/validate", menu_object())).status == 200
    await line.clock(advance=3600)
    assert (await api.call("POST", MENU, menu_object())).status == 200
    answered = [(await api.call("GET", f"{MENU}/list")).status for _ in range(13)]
    assert 429 in answered
    assert answered[:10] == [200] * 10


async def test_menus_of_other_channels_do_not_exist(line, api):
    menu_id = await new_menu(api)
    other = await line.create_channel()
    api.token = other["access_token"]
    friend = await line.new_friend()
    for method, path in (
        ("GET", f"{MENU}/{menu_id}"),
        ("DELETE", f"{MENU}/{menu_id}"),
        ("GET", f"{MENU}/{menu_id}/content"),
        ("POST", f"/v2/bot/user/all/richmenu/{menu_id}"),
        ("POST", f"/v2/bot/user/{friend}/richmenu/{menu_id}"),
    ):
        assert (await api.call(method, path)).status == 404, path
    assert (await upload(api, menu_id, picture())).status == 404


# Images


@pytest.mark.parametrize(("format", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
async def test_an_image_is_set_once(api, format, content_type):
    menu_id = await new_menu(api, image=False)
    missing = await api.call("GET", f"{MENU}/{menu_id}/content")
    assert (missing.status, missing.json) == (404, {"message": "Not found"})
    data = picture(format=format)
    assert (await upload(api, menu_id, data, content_type)).json == {}
    got = await api.call("GET", f"{MENU}/{menu_id}/content")
    assert (got.json, got.headers["Content-Type"]) == (data, content_type)
    again = await upload(api, menu_id, picture(color="#000000"))
    message = {"message": "An image has already been uploaded to the richmenu"}
    assert (again.status, again.json) == (400, message)
    assert (await api.call("GET", f"{MENU}/{menu_id}/content")).json == data


def noise(size: tuple[int, int]) -> bytes:
    """A PNG that cannot be packed."""
    out = io.BytesIO()
    data = random.Random(1).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, data).save(out, "PNG")
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge, with rows of zeros packed a thousandfold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(50_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"garbage" * 100, id="garbage"),
        pytest.param(picture()[:-40], id="cut off"),
        pytest.param(picture(format="JPEG")[:700], id="jpeg cut off"),
        pytest.param(picture(format="GIF"), id="gif"),
        pytest.param(picture(format="WEBP"), id="webp"),
        pytest.param(picture((2500, 1686)), id="larger than the menu"),
        pytest.param(picture((540, 800)), id="upright"),
        pytest.param(bomb(60_000, 60_000), id="bomb"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(noise((800, 540)), id="more than 1 MB"),
    ],
)
async def test_refused_images(api, data):
    menu_id = await new_menu(api, image=False)
    refused = await upload(api, menu_id, data)
    assert refused.status == 400
    assert refused.json["message"].endswith("is not allowed for richmenu")
    # It is as if nothing had come: the right one is taken.
    assert (await upload(api, menu_id, picture())).status == 200


async def test_the_size_is_refused_in_lines_words(api):
    menu_id = await new_menu(api, image=False)
    refused = await upload(api, menu_id, picture((800, 270)))
    message = {"message": "The image size is not allowed for richmenu"}
    assert (refused.status, refused.json) == (400, message)


@pytest.mark.parametrize("content_type", ["application/json", "image/gif", "multipart/form-data"])
async def test_other_content_types(api, content_type):
    menu_id = await new_menu(api, image=False)
    assert (await upload(api, menu_id, picture(), content_type)).status == 415


async def test_two_uploads_at_once_set_one_image(api):
    menu_id = await new_menu(api, image=False)
    both = await asyncio.gather(
        upload(api, menu_id, picture(color="#ffffff")), upload(api, menu_id, picture())
    )
    assert sorted(one.status for one in both) == [200, 400]


# The default menu


async def test_the_default_menu(line, api):
    someone = await line.new_stranger()
    none = await api.call("GET", "/v2/bot/user/all/richmenu")
    assert (none.status, none.json) == (404, {"message": "no default richmenu", "details": []})
    bare = await new_menu(api, image=False)
    refused = await api.call("POST", f"/v2/bot/user/all/richmenu/{bare}")
    message = "must upload richmenu image before applying it to user"
    assert (refused.status, refused.json) == (400, {"message": message, "details": []})
    assert (await api.call("POST", "/v2/bot/user/all/richmenu/richmenu-0")).status == 404
    menu_id = await new_menu(api)
    assert (await api.call("POST", f"/v2/bot/user/all/richmenu/{menu_id}")).json == {}
    assert (await api.call("GET", "/v2/bot/user/all/richmenu")).json == {"richMenuId": menu_id}
    assert await menu_seen_by(line, someone) == menu_id
    assert (await api.call("DELETE", "/v2/bot/user/all/richmenu")).json == {}
    assert await menu_seen_by(line, someone) is None
    assert (await api.call("DELETE", "/v2/bot/user/all/richmenu")).status == 200
    await api.call("POST", f"/v2/bot/user/all/richmenu/{menu_id}")
    await api.call("DELETE", f"{MENU}/{menu_id}")
    assert (await api.call("GET", "/v2/bot/user/all/richmenu")).status == 404


# Aliases


async def test_aliases(api):
    first, second = await new_menu(api), await new_menu(api)
    assert (await api.call("GET", f"{MENU}/alias/list")).json == {"aliases": []}
    body = {"richMenuAliasId": "richmenu-alias-a", "richMenuId": first}
    assert (await api.call("POST", f"{MENU}/alias", body)).json == {}
    assert (await api.call("GET", f"{MENU}/alias/richmenu-alias-a")).json == body
    again = await api.call("POST", f"{MENU}/alias", body | {"richMenuId": second})
    conflict = {"message": "conflict richmenu alias id", "details": []}
    assert (again.status, again.json) == (400, conflict)
    changed = await api.call("POST", f"{MENU}/alias/richmenu-alias-a", {"richMenuId": second})
    assert (changed.status, changed.json) == (200, {})
    listed = (await api.call("GET", f"{MENU}/alias/list")).json
    assert listed == {"aliases": [body | {"richMenuId": second}]}
    # A deleted menu leaves its alias behind.
    await api.call("DELETE", f"{MENU}/{second}")
    assert (await api.call("GET", f"{MENU}/alias/list")).json == listed
    assert (await api.call("DELETE", f"{MENU}/alias/richmenu-alias-a")).json == {}
    missing = {"message": "richmenu alias not found", "details": []}
    for method in ("GET", "DELETE", "POST"):
        given = {"richMenuId": first} if method == "POST" else None
        gone = await api.call(method, f"{MENU}/alias/richmenu-alias-a", given)
        assert (gone.status, gone.json) == (404, missing)


async def test_refused_aliases(api):
    bare, ready = await new_menu(api, image=False), await new_menu(api)
    not_there = {"message": "richmenu not found", "details": []}
    for menu_id in (bare, "richmenu-" + "0" * 32):
        body = {"richMenuAliasId": "a", "richMenuId": menu_id}
        refused = await api.call("POST", f"{MENU}/alias", body)
        assert (refused.status, refused.json) == (400, not_there)
    body = {"richMenuAliasId": "a", "richMenuId": "nonsense"}
    refused = await api.call("POST", f"{MENU}/alias", body)
    assert refused.json == errors(("invalid richMenuId", "richMenuId"))
    for alias in ("A", "a" * 33, "a b", "ü", ""):
        body = {"richMenuAliasId": alias, "richMenuId": ready}
        refused = await api.call("POST", f"{MENU}/alias", body)
        assert refused.status == 400, alias
        assert refused.json["details"][0]["property"] == "richMenuAliasId"
    for alias in ("A", "a" * 33):
        assert (await api.call("GET", f"{MENU}/alias/{alias}")).status == 400
    assert (await api.call("POST", f"{MENU}/alias", {"richMenuId": ready})).status == 400


async def test_a_thousand_aliases_and_no_more(api):
    ready = await new_menu(api)
    for number in range(1001):
        body = {"richMenuAliasId": f"alias-{number}", "richMenuId": ready}
        last = await api.call("POST", f"{MENU}/alias", body)
        assert last.status == (200 if number < 1000 else 400)
    await api.call("DELETE", f"{MENU}/alias/alias-7")
    assert (await api.call("POST", f"{MENU}/alias", body)).status == 200
