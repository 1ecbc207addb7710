"""One message of every type."""

from typing import Any

from tests.line_preview.designs import uri

Json = dict[str, Any]


def say(label: str) -> Json:
    return {"type": "message", "label": label, "text": label}


def _column(image: str, title: str) -> Json:
    return {
        "thumbnailImageUrl": image,
        "title": title,
        "text": "この週末だけの特別なお席をご用意しました。",
        "defaultAction": uri("詳しく"),
        "actions": [{"type": "postback", "label": "予約する", "data": "book"}, uri("詳しく見る")],
    }


TEXT: Json = {
    "type": "text",
    "text": "こんにちは！$\n本日のおすすめはこちらです。\nhttps://example.com/menu?day=1",
    "emojis": [{"index": 6, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}],
}
TEXT_V2: Json = {
    "type": "textV2",
    "text": "{who}さん、お久しぶりです {smile} {{10%}}引きです",
    "substitution": {
        "who": {"type": "mention", "mentionee": {"type": "user", "userId": "U1"}},
        "smile": {"type": "emoji", "productId": "p", "emojiId": "002"},
    },
}
STICKER: Json = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
IMAGE: Json = {
    "type": "image",
    "originalContentUrl": "/img/sea.svg",
    "previewImageUrl": "/img/sea.svg",
}
VIDEO: Json = {
    "type": "video",
    "originalContentUrl": "/img/video.mp4",
    "previewImageUrl": "/img/curry.svg",
}
AUDIO: Json = {"type": "audio", "originalContentUrl": "/img/sound.m4a", "duration": 63000}
LOCATION: Json = {
    "type": "location",
    "title": "カレー食堂 ひだまり",
    "address": "東京都台東区谷中3-12-5",
    "latitude": 35.7271,
    "longitude": 139.7654,
}
IMAGEMAP: Json = {
    "type": "imagemap",
    "baseUrl": "/img/map",
    "altText": "お店のご案内",
    "baseSize": {"width": 1040, "height": 585},
    "actions": [
        {
            "type": "message",
            "label": "左",
            "text": "左",
            "area": {"x": 0, "y": 0, "width": 520, "height": 585},
        },
        {
            "type": "uri",
            "label": "右",
            "linkUri": "https://example.com/right",
            "area": {"x": 520, "y": 0, "width": 520, "height": 585},
        },
    ],
}
BUTTONS: Json = {
    "type": "template",
    "altText": "ご予約",
    "template": {
        "type": "buttons",
        "thumbnailImageUrl": "/img/curry.svg",
        "imageBackgroundColor": "#ffffff",
        "title": "ご予約",
        "text": "日時をお選びください",
        "actions": [
            {"type": "datetimepicker", "label": "日時を選ぶ", "data": "d", "mode": "datetime"},
            {"type": "postback", "label": "やめる", "data": "no"},
        ],
    },
}
CONFIRM: Json = {
    "type": "template",
    "altText": "確認",
    "template": {
        "type": "confirm",
        "text": "この内容で予約しますか？",
        "actions": [say("はい"), say("いいえ")],
    },
}
CAROUSEL: Json = {
    "type": "template",
    "altText": "お席",
    "template": {
        "type": "carousel",
        "columns": [
            _column("/img/curry.svg", "カウンター"),
            _column("/img/sea.svg", "海の見えるテラス"),
            _column("ftp://example.com/x.png", "個室"),
        ],
    },
}
IMAGE_CAROUSEL: Json = {
    "type": "template",
    "altText": "写真",
    "template": {
        "type": "image_carousel",
        "columns": [
            {"imageUrl": "/img/curry.svg", "action": say("カレー")},
            {"imageUrl": "/img/sea.svg", "action": say("テラス")},
        ],
    },
}
COUPON: Json = {"type": "coupon", "couponId": "01JYNW8JMQVFBNWF1APF8Z3FS7"}
QUICK: Json = {
    "type": "text",
    "text": "辛さはどれになさいますか？",
    "quickReply": {
        "items": [
            {"type": "action", "imageUrl": "/img/star.svg", "action": say("甘口")},
            {"type": "action", "action": say("中辛")},
            {"type": "action", "action": say("大辛")},
            {"type": "action", "action": {"type": "location", "label": "現在地を送る"}},
            {"type": "action", "action": {"type": "camera", "label": "写真を撮る"}},
        ]
    },
}

ALL: dict[str, Json] = {
    "text": TEXT,
    "textV2": TEXT_V2,
    "sticker": STICKER,
    "image": IMAGE,
    "video": VIDEO,
    "audio": AUDIO,
    "location": LOCATION,
    "imagemap": IMAGEMAP,
    "buttons": BUTTONS,
    "confirm": CONFIRM,
    "carousel": CAROUSEL,
    "image_carousel": IMAGE_CAROUSEL,
    "coupon": COUPON,
    "quick": QUICK,
}
