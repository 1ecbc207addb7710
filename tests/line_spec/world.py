"""A world in which every operation of LINE's API can succeed, made piece by piece as needed.

`World.need("richMenuId")` creates what the name stands for, once, and returns it. `PARAMETERS`
names the pieces that path and query parameters ask for, by operation or by name.
"""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

Json = dict[str, Any]
HI = {"type": "text", "text": "hi"}
MENU: Json = {
    "size": {"width": 2500, "height": 843},
    "selected": False,
    "name": "Nice rich menu",
    "chatBarText": "Tap to open",
    "areas": [
        {
            "bounds": {"x": 0, "y": 0, "width": 2500, "height": 843},
            "action": {"type": "postback", "label": "a", "data": "action=buy"},
        }
    ],
}
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def png(width: int, height: int) -> bytes:
    """A white picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


class World:
    """What an emulator knows that `line` (the control API's client) drives.

    `bot` is the tests' bot whose webhook the channel uses.
    """

    def __init__(self, line: Any, session: aiohttp.ClientSession, bot: Any) -> None:
        self.line = line
        self.session = session
        self.bot = bot
        self._made: dict[str, Any] = {}

    @property
    def channel(self) -> Json:
        """The first channel: its ids and secrets."""
        return self.line.channel

    async def need(self, name: str) -> Any:
        """The piece of this name, made at first need. Raises KeyError for an unknown name."""
        if name not in self._made:
            self._made[name] = await PIECES[name](self)
        return self._made[name]

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: Any = None,
        content_type: str | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, Any]:
        """Status, parsed body (or bytes) and headers of a request to LINE's API."""
        sent = {"Authorization": f"Bearer {token or self.line.token}"} | (headers or {})
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = content_type or "application/json"
        elif content_type is not None:
            sent["Content-Type"] = content_type
        async with self.session.request(
            method, self.line.url + path, data=data, headers=sent
        ) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json" and raw
            return response.status, json.loads(raw) if is_json else raw, response.headers

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a request that must succeed."""
        status, found, _ = await self.call(method, path, body, **more)
        assert status in (200, 202), (method, path, status, found)
        return found

    def assertion(self, kid: str, **claims: Any) -> str:
        """A JWT by which the channel proves itself."""
        issuer = self.channel["channel_id"]
        body = {
            "iss": issuer,
            "sub": issuer,
            "aud": "https://api.line.me/",
            "exp": int(time.time()) + 1500,
            "token_exp": 86400,
        } | claims
        return jwt.encode(body, _KEY, algorithm="RS256", headers={"kid": kid})


# People


async def _friend(world: World) -> str:
    return await world.line.new_friend(name="花子")


async def _friends(world: World) -> list[str]:
    made = await world.line.create_users(120, state="friend")
    return [one["id"] for one in made]


async def _event(world: World, done: Json) -> Json:
    """The event that an act caused, as the bot got it."""
    await world.line.wait_webhooks_done()
    wanted = done["webhookEventIds"][0]
    return next(one for one in world.bot.events if one["webhookEventId"] == wanted)


async def _reply_token(world: World) -> str:
    event = await _event(world, await world.line.say(await world.need("friend"), "hello"))
    return event["replyToken"]


async def _group(world: World) -> str:
    people = [await world.need("friend"), *(await world.need("friends"))[:3]]
    made = await world.line.call(
        "POST", "/groups", {"kind": "group", "name": "旅行", "members": people, "invite": True}
    )
    return made["id"]


async def _room(world: World) -> str:
    people = [await world.need("friend"), *(await world.need("friends"))[:3]]
    made = await world.line.call(
        "POST", "/groups", {"kind": "room", "members": people, "invite": True}
    )
    return made["id"]


async def _said(world: World, kind: str) -> str:
    done = await world.line.act(
        user=await world.need("friend"), type="message", message={"type": kind}
    )
    return done["messageId"]


async def _read_token(world: World) -> str:
    await world.line.update_channel(world.channel["channel_id"], chat_mode="chat")
    event = await _event(world, await world.line.say(await world.need("friend"), "hello"))
    return event["message"]["markAsReadToken"]


# Things of the channel


async def _menu(world: World) -> str:
    menu = (await world.ask("POST", "/v2/bot/richmenu", MENU))["richMenuId"]
    await world.ask(
        "POST", f"/v2/bot/richmenu/{menu}/content", data=png(2500, 843), content_type="image/png"
    )
    return menu


async def _bare_menu(world: World) -> str:
    return (await world.ask("POST", "/v2/bot/richmenu", MENU))["richMenuId"]


async def _default_menu(world: World) -> str:
    menu = await world.need("menu")
    await world.ask("POST", f"/v2/bot/user/all/richmenu/{menu}")
    return menu


async def _linked(world: World) -> str:
    menu, friend = await world.need("menu"), await world.need("friend")
    await world.ask("POST", f"/v2/bot/user/{friend}/richmenu/{menu}")
    return friend


async def _alias(world: World) -> str:
    alias = {"richMenuAliasId": "alias-a", "richMenuId": await world.need("menu")}
    await world.ask("POST", "/v2/bot/richmenu/alias", alias)
    return "alias-a"


async def _batch(world: World) -> str:
    body = {"operations": [{"type": "link", "from": await world.need("menu"),
                            "to": await world.need("other menu")}]}  # fmt: skip
    status, _, headers = await world.call("POST", "/v2/bot/richmenu/batch", body)
    assert status == 202
    return headers["x-line-request-id"]


async def _audience(world: World) -> int:
    audiences = [{"id": one} for one in await world.need("friends")]
    made = await world.ask(
        "POST", "/v2/bot/audienceGroup/upload", {"description": "people", "audiences": audiences}
    )
    audience = made["audienceGroupId"]
    for _ in range(50):
        await world.line.clock(advance=60)
        found = await world.ask("GET", f"/v2/bot/audienceGroup/{audience}")
        if found["audienceGroup"]["status"] == "READY":
            return audience
    raise AssertionError(found)


async def _broadcast(world: World) -> str:
    await world.need("friends")
    status, _, headers = await world.call("POST", "/v2/bot/message/broadcast", {"messages": [HI]})
    assert status == 200
    return headers["x-line-request-id"]


async def _narrowcast(world: World) -> str:
    await world.need("friends")
    status, _, headers = await world.call("POST", "/v2/bot/message/narrowcast", {"messages": [HI]})
    assert status == 202
    request = headers["x-line-request-id"]
    for _ in range(50):
        await world.line.clock(advance=10)
        path = f"/v2/bot/message/progress/narrowcast?requestId={request}"
        found = await world.ask("GET", path)
        if found["phase"] == "succeeded":
            return request
    raise AssertionError(found)


async def _unit(world: World) -> str:
    await world.ask(
        "POST",
        "/v2/bot/message/push",
        {"to": await world.need("friend"), "messages": [HI], "customAggregationUnits": ["unit_a"]},
    )
    return "unit_a"


COUPON: Json = {
    "title": "Friends-only coupon",
    "description": "Show this at the till.",
    "reward": {"type": "discount", "priceInfo": {"type": "fixed", "fixedAmount": 100}},
    "acquisitionCondition": {"type": "normal"},
    "startTimestamp": 0,
    "endTimestamp": 1924959599,
    "imageUrl": "https://example.com/coupon.jpg",
    "timezone": "ASIA_TOKYO",
    "visibility": "UNLISTED",
    "maxUseCountPerTicket": 1,
}


async def _coupon(world: World) -> str:
    return (await world.ask("POST", "/v2/bot/coupon", COUPON))["couponId"]


async def _membership(world: World) -> int:
    plan = {"title": "Club", "description": "Nice", "price": 500, "benefits": ["Cake"]}
    made = await world.line.call("PUT", "/memberships", {"plans": [plan]})
    return made["plans"][0]["membershipId"]


async def _member(world: World) -> str:
    friend = await world.need("friend")
    plan = await world.need("membership")
    await world.line.act(user=friend, type="membership_join", plan=plan)
    return friend


async def _liff(world: World) -> str:
    body = {"view": {"type": "full", "url": "https://example.com/app"}}
    token = await world.need("login token")
    return (await world.ask("POST", "/liff/v1/apps", body, token=token))["liffId"]


# Tokens


async def _kid(world: World) -> str:
    public = json.loads(RSAAlgorithm.to_jwk(_KEY.public_key()))
    key = {"kty": public["kty"], "alg": "RS256", "use": "sig", "n": public["n"], "e": public["e"]}
    path = f"/channels/{world.channel['channel_id']}/assertion-keys"
    return (await world.line.call("POST", path, key))["kid"]


async def _assertion(world: World) -> str:
    return world.assertion(await world.need("kid"))


async def _token(world: World, path: str, fields: dict[str, str]) -> str:
    return (await world.ask("POST", path, data=fields))["access_token"]


async def _token_v2_1(world: World) -> str:
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": await world.need("assertion"),
    }
    return await _token(world, "/oauth2/v2.1/token", fields)


async def _short_token(world: World) -> str:
    fields = {
        "grant_type": "client_credentials",
        "client_id": world.channel["channel_id"],
        "client_secret": world.channel["channel_secret"],
    }
    return await _token(world, "/v2/oauth/accessToken", fields)


async def _webhook_url(world: World) -> str:
    return world.bot.url


async def _id_file(world: World) -> bytes:
    return "\n".join(await world.need("friends")).encode()


async def _phone_hash(world: World) -> str:
    friend = await world.need("friend")
    return (await world.line.call("GET", f"/users/{friend}/telephone"))["sha256"]


def _contract(**granted: Any) -> Callable[[World], Awaitable[Any]]:
    async def make(world: World) -> Any:
        await world.line.call("PATCH", "/contracts", granted)
        return granted

    return make


async def _module_code(world: World) -> str:
    await world.need("module")
    return (await world.line.call("POST", "/contracts/module-code", {}))["code"]


def _day(days: int) -> str:
    """A day by LINE's calendar, which is UTC+9."""
    return (datetime.now(UTC) + timedelta(hours=9, days=days)).strftime("%Y%m%d")


async def _login_channel(world: World) -> Json:
    found = (await world.line.call("GET", "/login/channels"))["channels"]
    return found[0]


async def _login_token(world: World) -> str:
    login = await world.need("login channel")
    fields = {
        "grant_type": "client_credentials",
        "client_id": login["channel_id"],
        "client_secret": login["channel_secret"],
    }
    return await _token(world, "/v2/oauth/accessToken", fields)


def _just(value: Any) -> Callable[[World], Awaitable[Any]]:
    async def make(_: World) -> Any:
        return value

    return make


def _of_channel(name: str) -> Callable[[World], Awaitable[Any]]:
    async def make(world: World) -> Any:
        return world.channel[name]

    return make


def _message(kind: str) -> Callable[[World], Awaitable[Any]]:
    async def make(world: World) -> Any:
        return await _said(world, kind)

    return make


PIECES: dict[str, Callable[[World], Awaitable[Any]]] = {
    "friend": _friend,
    "friends": _friends,
    "reply token": _reply_token,
    "read token": _read_token,
    "group": _group,
    "room": _room,
    "image": _message("image"),
    "video": _message("video"),
    "menu": _menu,
    "other menu": _menu,
    "bare menu": _bare_menu,
    "default menu": _default_menu,
    "linked": _linked,
    "alias": _alias,
    "batch": _batch,
    "audience": _audience,
    "broadcast": _broadcast,
    "narrowcast": _narrowcast,
    "unit": _unit,
    "coupon": _coupon,
    "membership": _membership,
    "member": _member,
    "liff": _liff,
    "kid": _kid,
    "assertion": _assertion,
    "token v2.1": _token_v2_1,
    "short token": _short_token,
    "login channel": _login_channel,
    "login token": _login_token,
    "assertion type": _just("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    "client id": _of_channel("channel_id"),
    "client secret": _of_channel("channel_secret"),
    "module": _contract(module=True),
    "module code": _module_code,
    "mission": _contract(mission=True, sticker_sets=["17839"]),
    "notification": _contract(
        notification=True,
        notification_templates=True,
        templates={"shipment_completed_ja": "発送しました"},
        items={"date_002_ja": "日付"},
        buttons={"check_delivery_status_ja": "確認"},
    ),
    "old read": _contract(mark_as_read=True),
    "bot id": _of_channel("bot_user_id"),
    "phone hash": _phone_hash,
    "webhook url": _webhook_url,
    "id file": _id_file,
    "yesterday": _just(_day(-1)),
    "last week": _just(_day(-7)),
    "1": _just("1"),
    "10": _just("10"),
}

PARAMETERS: dict[str, str] = {
    # by operation
    "getMembershipSubscription.userId": "member",
    "getRichMenuIdOfUser.userId": "linked",
    "unlinkRichMenuIdFromUser.userId": "linked",
    "getRichMenuBatchProgress.requestId": "batch",
    "getNarrowcastProgress.requestId": "narrowcast",
    "getMessageEvent.requestId": "broadcast",
    "setRichMenuImage.richMenuId": "bare menu",
    "getMessageContentTranscodingByMessageId.messageId": "video",
    "verifyChannelTokenByJWT.access_token": "token v2.1",
    "acquireChatControl.chatId": "friend",
    "releaseChatControl.chatId": "friend",
    # by name
    "userId": "friend",
    "groupId": "group",
    "roomId": "room",
    "messageId": "image",
    "richMenuId": "menu",
    "richMenuAliasId": "alias",
    "audienceGroupId": "audience",
    "membershipId": "membership",
    "couponId": "coupon",
    "liffId": "liff",
    "date": "yesterday",
    "from": "last week",
    "to": "yesterday",
    "customAggregationUnit": "unit",
    "page": "1",
    "size": "10",
    "limit": "10",
    "client_assertion_type": "assertion type",
    "client_assertion": "assertion",
}
SITUATIONS: dict[str, str] = {
    "getDefaultRichMenuId": "default menu",
    "getMembershipList": "membership",
    "getAllLIFFApps": "liff",
    "getsAllValidChannelAccessTokenKeyIds": "token v2.1",
    "getFollowers": "friend",
    "detachModule": "module",
    "acquireChatControl": "module",
    "releaseChatControl": "module",
    "getModules": "module",
    "attachModule": "module",
    "missionStickerV3": "mission",
    "pushMessagesByPhone": "notification",
    "getPNPMessageStatistics": "notification",
    "markMessagesAsRead": "old read",
    "push_templated_messages_by_phone": "notification",
    "get_pnp_templated_message_statistics": "notification",
}
"""What must be there though no parameter names it."""


_ALWAYS = ("date", "limit", "size")
"""Given though the specification calls them optional."""


async def address(world: World, op: Any) -> tuple[str, dict[str, str]]:
    """The operation's path with real ids, and its required query parameters."""
    if op.id in SITUATIONS:
        await world.need(SITUATIONS[op.id])
    path, query = op.path, {}
    for one in op.parameters:
        if one.place == "header" or not (one.required or one.name in _ALWAYS):
            continue
        piece = PARAMETERS.get(f"{op.id}.{one.name}") or PARAMETERS[one.name]
        value = str(await world.need(piece))
        if one.place == "path":
            path = path.replace("{" + one.name + "}", quote(value, safe=""))
        else:
            query[one.name] = value
    return path, query


def basic(user: str, password: str) -> str:
    """The header of HTTP's basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
