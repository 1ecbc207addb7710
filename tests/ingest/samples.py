"""Webhook events as LINE's reference shows them, one or more of every type it documents.

Messaging API reference, "Webhook Event Objects" and "Message objects" therein.
"""

from __future__ import annotations

from typing import Any

USER = "U4af4980629abcdef0123456789abcdef"
GROUP = "Ca56f94637cabcdef0123456789abcdef"
ROOM = "Ra8dbf4673cabcdef0123456789abcdef"
AT = 1462629479859


def _event(number: int, kind: str, source: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": kind,
        "timestamp": AT + number,
        "mode": "active",
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC3{number:02d}",
        "deliveryContext": {"isRedelivery": False},
    }
    if source is not None:
        event["source"] = source
    return event | more


_user = {"type": "user", "userId": USER}
_group = {"type": "group", "groupId": GROUP, "userId": USER}
_room = {"type": "room", "roomId": ROOM, "userId": USER}
_token = {"replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"}
_provider = {"type": "line"}


def _message(number: int, source: dict[str, str], **content: Any) -> dict[str, Any]:
    return _event(number, "message", source, **_token, message={"id": f"3257{number}", **content})


FROM_USERS: list[dict[str, Any]] = [
    _message(
        1,
        _user,
        type="text",
        quoteToken="q3Plxr4AgKd...",
        markAsReadToken="30yhdy232...",
        text="@All @example Good Morning!! (love)",
        emojis=[
            {
                "index": 29,
                "length": 6,
                "productId": "5ac1bfd5040ab15980c9b435",
                "emojiId": "001",
            }
        ],
        mention={
            "mentionees": [
                {"index": 0, "length": 4, "type": "all"},
                {
                    "index": 5,
                    "length": 8,
                    "userId": "U49585cd0d5...",
                    "type": "user",
                    "isSelf": False,
                },
            ]
        },
        quotedMessageId="325000",
    ),
    _message(
        2,
        _user,
        type="image",
        quoteToken="q3Plxr4AgKd...",
        contentProvider=_provider,
        imageSet={"id": "E005D41A7288F41B65593ED38FF6E983", "index": 1, "total": 2},
    ),
    _message(
        3, _user, type="video", quoteToken="q3...", duration=60000,
        contentProvider={
            "type": "external",
            "originalContentUrl": "https://example.com/original.mp4",
            "previewImageUrl": "https://example.com/preview.jpg",
        },
    ),
    _message(4, _user, type="audio", duration=60000, contentProvider=_provider),
    _message(5, _user, type="file", fileName="file.txt", fileSize=2138),
    _message(
        6, _user, type="location", title="my location",
        address="日本、〒102-8282 東京都千代田区紀尾井町1番3号",
        latitude=35.67966, longitude=139.73669,
    ),
    _message(
        7, _user, type="sticker", quoteToken="q3...", packageId="446", stickerId="1988",
        stickerResourceType="MESSAGE", keywords=["cony", "sally"],
        text="Let's hang out this weekend!",
    ),
    _event(8, "unsend", _user, unsend={"messageId": "32571"}),
    _event(9, "follow", _user, **_token, follow={"isUnblocked": False}),
    _event(10, "unfollow", _user),
    _event(
        11, "postback", _user, **_token,
        postback={"data": "storeId=12345", "params": {"datetime": "2017-12-25T01:00"}},
    ),
    _event(
        12, "postback", _user, **_token,
        postback={
            "data": "richmenu-changed-to-b",
            "params": {"newRichMenuAliasId": "richmenu-alias-b", "status": "SUCCESS"},
        },
    ),
    _event(13, "videoPlayComplete", _user, **_token, videoPlayComplete={"trackingId": "track-id"}),
    _event(14, "beacon", _user, **_token, beacon={"hwid": "d41d8cd98f", "type": "enter"}),
    _event(15, "accountLink", _user, **_token, link={"result": "ok", "nonce": "xxxxxxxxxxxxxxx"}),
    _event(16, "membership", _user, **_token, membership={"type": "joined", "membershipId": 3189}),
    _event(17, "membership", _user, **_token, membership={"type": "left", "membershipId": 3189}),
    _event(18, "membership", _user, **_token, membership={"type": "renewed", "membershipId": 3189}),
]  # fmt: skip

FROM_ELSEWHERE: list[dict[str, Any]] = [
    _message(30, _group, type="text", text="Hello, everyone", quoteToken="q..."),
    _message(31, _room, type="text", text="Hello, room", quoteToken="q..."),
    _event(32, "join", {"type": "group", "groupId": GROUP}, **_token),
    _event(33, "leave", {"type": "group", "groupId": GROUP}),
    _event(
        34, "memberJoined", {"type": "group", "groupId": GROUP}, **_token,
        joined={"members": [_user]},
    ),
    _event(35, "memberLeft", {"type": "group", "groupId": GROUP}, left={"members": [_user]}),
    _event(36, "messageEdited", _group, message={"id": "325731", "type": "text", "text": "Hi"}),
    _event(
        37, "module", None,
        module={"type": "attached", "botId": USER, "scopes": ["message:send"]},
    ),
    _event(38, "activated", _user, chatControl={"expireAt": AT + 60000}),
    _event(39, "deactivated", _user),
    _event(40, "botSuspended", None),
    _event(41, "botResumed", None),
    _event(42, "delivery", None, delivery={"data": "15034552939884E28681A7D668CEA94C147C716C"}),
]  # fmt: skip

ALL = FROM_USERS + FROM_ELSEWHERE
