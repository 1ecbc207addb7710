"""The error answers that LINE's reference shows, word for word, each provoked as it says there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from line_spec.bodies import filled
from line_spec.world import COUPON, HI, MENU, World

Json = dict[str, Any]
NOBODY = "U" + "0" * 32
NO_REQUEST = "00000000-0000-4000-8000-000000000000"
NO_MENU = "richmenu-" + "0" * 32
SEND = "/v2/bot/message/"
AUDIENCE = "/v2/bot/audienceGroup/"
MENUS = "/v2/bot/richmenu"


def many(*details: tuple[str, str]) -> Json:
    return {
        "message": f"The request body has {len(details)} error(s)",
        "details": [{"message": one, "property": place} for one, place in details],
    }


def said(message: str) -> Json:
    return {"message": message}


def audience(message: str, code: str, **more: str) -> Json:
    return {"message": message, "details": [{"message": code} | more]}


PICKY = {"type": "uri", "uri": "ftp://example.com/"}
CASES: list[tuple[str, str, Any, int, Json]] = [
    ("POST", SEND + "push", {"to": "<friend>", "messages": [{"type": "text", "text": ""}]}, 400,
     many(("May not be empty", "messages[0].text"))),
    ("POST", SEND + "validate/push", {"messages": [HI] * 6}, 400,
     many(("Size must be between 1 and 5", "messages"))),
    ("POST", SEND + "validate/push", {"messages": [{"type": "text", "text": "a" * 5001}]}, 400,
     many(("Length must be between 0 and 5000", "messages[0].text"))),
    ("POST", SEND + "reply", {"replyToken": "x" * 32, "messages": [HI]}, 400,
     said("Invalid reply token")),
    ("POST", SEND + "push", {"to": NOBODY, "messages": [HI]}, 400, said("Failed to send messages")),
    ("POST", SEND + "multicast", {"to": ["<friend>", "nobody"], "messages": [HI]}, 400,
     said("The property, to[1], in the request body is invalid (line: -, column: -)")),
    ("POST", SEND + "narrowcast",
     {"messages": [HI], "recipient": {"type": "audience", "audienceGroupId": 12345}}, 400,
     said("Invalid audience group id: 12345")),
    ("POST", SEND + "narrowcast",
     {"messages": [HI], "recipient": {"type": "redelivery", "requestId": "x-1"}}, 400,
     said("Invalid request id: x-1")),
    ("POST", SEND + "narrowcast", {"messages": [HI], "limit": {"forbidPartialDelivery": True}}, 400,
     said("The option forbidPartialDelivery must be used with upToRemainingQuota.")),
    ("POST", SEND + "narrowcast",
     {"messages": [HI], "filter": {"demographic": {"type": "gender", "oneOf": ["male"]}}}, 403,
     said("Your account does not have enough friends")),
    ("GET", SEND + f"progress/narrowcast?requestId={NO_REQUEST}", None, 404, said("Not found")),
    ("GET", SEND + "delivery/push?date=1", None, 400,
     said("The value for the 'date' parameter is invalid")),
    ("POST", "/v2/bot/chat/loading/start", {"chatId": "<friend>", "loadingSeconds": 61}, 400,
     many(("Must be between 5 and 60", "loadingSeconds"),
          ("must be a multiple of five", "loadingSeconds"))),
    ("POST", "/v2/bot/chat/loading/start", {"chatId": "<group>"}, 400,
     many(("Only user id is acceptable, please confirm if there are any group/room ids or illegal "
           "ids.", "chatId"))),
    ("POST", "/v2/bot/chat/markAsRead", {"markAsReadToken": "x"}, 400,
     said("Invalid markAsReadToken. Tokens must be used by the bot that received them via "
          "Webhook.")),
    ("GET", "/v2/bot/profile/x", None, 400,
     said("The value for the 'userId' parameter is invalid")),
    ("GET", f"/v2/bot/profile/{NOBODY}", None, 404, said("Not found")),
    ("GET", "/v2/bot/group/x/summary", None, 400,
     said("The value for the 'groupId' parameter is invalid")),
    ("GET", "/v2/bot/room/x/members/count", None, 400,
     said("The value for the 'roomId' parameter is invalid")),
    ("PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": "nowhere"}, 400,
     said("Invalid webhook endpoint URL")),
    ("GET", SEND + "1/content", None, 404, said("not found")),
    ("POST", MENUS, {key: one for key, one in MENU.items() if key != "name"}, 400,
     many(("must be specified", "name"))),
    ("POST", MENUS, MENU | {"areas": [MENU["areas"][0] | {"action": PICKY}]}, 400,
     many(("invalid uri", "areas[0].action.uri"))),
    ("POST", "/v2/bot/user/all/richmenu/<bare menu>", None, 400,
     {"message": "must upload richmenu image before applying it to user", "details": []}),
    ("GET", "/v2/bot/user/all/richmenu", None, 404,
     {"message": "no default richmenu", "details": []}),
    ("GET", "/v2/bot/user/<friend>/richmenu", None, 404,
     {"message": "the user has no richmenu", "details": []}),
    ("POST", f"/v2/bot/user/<friend>/richmenu/{NO_MENU}", None, 404, said("Not found")),
    ("POST", MENUS + "/bulk/link", {"richMenuId": "<menu>", "userIds": ["x"]}, 400,
     said("The property, 'userIds[0]', in the request body is invalid (line: -, column: -)")),
    ("POST", MENUS + "/bulk/link", {"richMenuId": "x", "userIds": ["<friend>"]}, 400,
     many(("invalid richMenuId", "richMenuId"))),
    ("POST", MENUS + "/bulk/link", {"richMenuId": NO_MENU, "userIds": ["<friend>"]}, 404,
     {"message": "richmenu not found", "details": []}),
    ("GET", MENUS + "/alias/nothing", None, 404,
     {"message": "richmenu alias not found", "details": []}),
    ("POST", AUDIENCE + "upload", {"description": "a" * 121}, 400,
     audience("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER")),
    ("PUT", AUDIENCE + "upload",
     {"audienceGroupId": "<audience>", "audiences": [{"id": "x"}]}, 400,
     audience("Invalid audience id format", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT",
              property="audiences")),
    ("GET", AUDIENCE + "999", None, 400,
     audience("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")),
    ("GET", AUDIENCE + "list?page=1&size=41", None, 400,
     audience("size: must be less than or equal to 40", "TOO_HIGH")),
    ("GET", "/v2/bot/insight/followers", None, 400, said("date is required")),
    ("POST", "/v2/bot/coupon", COUPON | {"title": "a" * 61}, 400,
     many(("Size must be between 1 and 60", "title"))),
    ("POST", "/v2/bot/coupon", COUPON | {"reward": {"type": "nothing"}}, 400,
     many(("Must be one of the following values: [discount,free,gift,cashBack,others]",
           "reward.type"))),
    ("POST", "/v2/bot/coupon", COUPON | {"reward": {"type": "discount", "priceInfo":
     {"type": "percentage", "percentage": 10, "fixedAmount": 100}}}, 400,
     many(("Must not be specified", "reward.priceInfo.fixedAmount"))),
    ("GET", "/v2/bot/coupon?status=GONE", None, 400,
     many(("Must be one of the following values: [DRAFT,RUNNING,CLOSED]", "status"))),
    ("GET", "/v2/bot/coupon?limit=101", None, 400,
     many(("Must be less than or equal to 100", "limit"))),
    ("GET", "/v2/bot/coupon/01JYNW8JMQVFBNWF1APF8Z3FS7", None, 404,
     many(("coupon not found", ""))),
    ("GET", f"/v2/bot/membership/subscription/{NOBODY}", None, 404, said("Not found")),
    ("GET", "/v2/bot/membership/99/users/ids", None, 404, said("Membership ID is not found")),
    ("GET", "/v2/bot/membership/list", None, 404, said("Membership plan not found")),
    ("GET", "/v2/bot/message/aggregation/list?start=x", None, 400, said("Invalid start param")),
]  # fmt: skip


@pytest_asyncio.fixture
async def world(line, bot) -> AsyncIterator[World]:
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    async with aiohttp.ClientSession() as session:
        yield World(line, session, bot)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    CASES,
    ids=[f"{one[0]} {one[1]} {number}" for number, one in enumerate(CASES)],
)
async def test_error(world, method, path, body, status, expected):
    for piece in re.findall(r"<([^>]+)>", path):
        path = path.replace(f"<{piece}>", str(await world.need(piece)))
    found, answer, _ = await world.call(method, path, await filled(world, body))
    assert (found, answer) == (status, expected)
