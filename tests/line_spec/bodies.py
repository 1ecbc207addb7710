"""A good request body for every operation that takes one, with all that its schema allows.

A string such as `"<menu>"` stands for a piece of `world.PIECES`. Where one body cannot show every
variant, there are several: an operation's tests break each of them.
"""

from __future__ import annotations

from typing import Any

from .world import COUPON, HI, MENU, World

Json = dict[str, Any]

IMAGE = "https://example.com/a.jpg"
VIDEO = "https://example.com/a.mp4"
_AREA = {"x": 0, "y": 0, "width": 520, "height": 454}


async def filled(world: World, value: Any) -> Any:
    """`value` with every `"<piece>"` replaced by the piece."""
    if isinstance(value, dict):
        return {key: await filled(world, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [await filled(world, inner) for inner in value]
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return await world.need(value[1:-1])
    return value


def _action(kind: str, **more: Any) -> Json:
    own: Json = {
        "postback": {"data": "a=1", "displayText": "A", "inputOption": "openKeyboard",
                     "fillInText": "x"},
        "message": {"text": "yes"},
        "uri": {"uri": "https://example.com/", "altUri": {"desktop": "https://example.com/pc"}},
        "datetimepicker": {"data": "d", "mode": "datetime", "initial": "2026-11-22T10:00",
                           "min": "2026-01-01T00:00", "max": "2027-01-01T00:00"},
        "clipboard": {"clipboardText": "ABC"},
    }.get(kind, {})  # fmt: skip
    return {"type": kind, "label": "はい"} | own | more


_PLACED = {
    "margin": "md", "position": "relative", "offsetTop": "1px", "offsetBottom": "-2px",
    "offsetStart": "5%", "offsetEnd": "xs",
}  # fmt: skip
_FONT = {
    "size": "lg", "color": "#112233", "weight": "bold", "style": "italic",
    "decoration": "underline",
}  # fmt: skip
_FLEX_TEXT: Json = {
    "type": "text", "text": "a", "flex": 1, "align": "center", "gravity": "top", "wrap": True,
    "lineSpacing": "4px", "maxLines": 2, "action": _action("postback"),
    "adjustMode": "shrink-to-fit", "scaling": True,
    "contents": [{"type": "span", "text": "s"} | _FONT],
} | _PLACED | _FONT  # fmt: skip
_FLEX_IMAGE: Json = {
    "type": "image", "url": IMAGE, "flex": 0, "align": "start", "gravity": "bottom",
    "size": "full", "aspectRatio": "20:13", "aspectMode": "cover", "backgroundColor": "#000000",
    "action": _action("uri"), "animated": True,
} | _PLACED  # fmt: skip
_BASELINE: Json = {
    "type": "box",
    "layout": "baseline",
    "contents": [
        {"type": "icon", "url": IMAGE, "size": "sm", "aspectRatio": "1:1", "scaling": True}
        | _PLACED,
        {"type": "text", "text": "b"},
        {"type": "filler", "flex": 1},
    ],
}
_BOX: Json = {
    "type": "box", "layout": "vertical", "flex": 1, "spacing": "sm", "backgroundColor": "#00000080",
    "borderColor": "#000000", "borderWidth": "light", "cornerRadius": "10px", "width": "50%",
    "maxWidth": "200px", "height": "100px", "maxHeight": "50%", "paddingAll": "lg",
    "paddingTop": "1px", "paddingBottom": "2%", "paddingStart": "none", "paddingEnd": "xxl",
    "action": _action("message"), "justifyContent": "space-evenly", "alignItems": "flex-end",
    "background": {"type": "linearGradient", "angle": "90deg", "startColor": "#000000",
                   "endColor": "#ffffff", "centerColor": "#888888", "centerPosition": "10%"},
    "contents": [
        _FLEX_TEXT, _FLEX_IMAGE, _BASELINE, {"type": "separator", "margin": "md",
                                             "color": "#000000"},
        {"type": "button", "action": _action("uri"), "flex": 1, "color": "#000000",
         "style": "primary", "gravity": "center", "height": "sm", "adjustMode": "shrink-to-fit",
         "scaling": False} | _PLACED,
    ],
} | _PLACED  # fmt: skip
_STYLE = {"backgroundColor": "#ffffff", "separator": True, "separatorColor": "#000000"}
BUBBLE: Json = {
    "type": "bubble", "size": "giga", "direction": "rtl", "header": _BASELINE, "body": _BOX,
    "footer": _BASELINE, "action": _action("uri"),
    "styles": dict.fromkeys(("header", "hero", "body", "footer"), _STYLE),
    "hero": {"type": "video", "url": VIDEO, "previewUrl": IMAGE, "altContent": _FLEX_IMAGE,
             "aspectRatio": "16:9", "action": _action("uri")},
}  # fmt: skip
_SMALL: Json = {"type": "bubble", "body": _BASELINE}


def _template(template: Json) -> Json:
    return {"type": "template", "altText": "x", "template": template}


_COLUMN: Json = {
    "thumbnailImageUrl": IMAGE, "imageBackgroundColor": "#FFFFFF", "title": "t", "text": "a",
    "defaultAction": _action("uri"), "actions": [_action("postback"), _action("clipboard")],
}  # fmt: skip
_LOOK = {"imageAspectRatio": "rectangle", "imageSize": "cover"}

MESSAGES: list[Json] = [
    {"type": "text", "text": "$ hi", "quoteToken": "q",
     "emojis": [{"index": 0, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}],
     "sender": {"name": "Cony", "iconUrl": IMAGE},
     "quickReply": {"items": [
         {"type": "action", "imageUrl": IMAGE, "action": _action(kind)} for kind in
         ("postback", "message", "uri", "datetimepicker", "clipboard", "camera", "cameraRoll",
          "location")]}},
    {"type": "textV2", "text": "{you} {all} {smile}", "quoteToken": "q", "substitution": {
        "you": {"type": "mention", "mentionee": {"type": "user", "userId": "<friend>"}},
        "all": {"type": "mention", "mentionee": {"type": "all"}},
        "smile": {"type": "emoji", "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "002"}}},
    {"type": "sticker", "packageId": "446", "stickerId": "1988", "quoteToken": "q",
     "quickReply": {"items": [{"type": "action", "action":
                               {"type": "postback", "label": "l", "data": "d", "text": "t"}}]}},
    {"type": "image", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE},
    {"type": "video", "originalContentUrl": VIDEO, "previewImageUrl": IMAGE, "trackingId": "t"},
    {"type": "audio", "originalContentUrl": "https://example.com/a.m4a", "duration": 60000},
    {"type": "location", "title": "t", "address": "a", "latitude": 35.6, "longitude": 139.7},
    {"type": "coupon", "couponId": "<coupon>", "deliveryTag": "spring"},
    {"type": "imagemap", "baseUrl": "https://example.com/rm001", "altText": "x",
     "baseSize": {"width": 1040, "height": 1040},
     "video": {"originalContentUrl": VIDEO, "previewImageUrl": IMAGE, "area": _AREA,
               "externalLink": {"linkUri": "https://example.com/", "label": "More"}},
     "actions": [{"type": "uri", "label": "l", "linkUri": "https://example.com/", "area": _AREA},
                 {"type": "message", "label": "l", "text": "hi", "area": _AREA},
                 {"type": "clipboard", "label": "l", "clipboardText": "hi", "area": _AREA}]},
    _template({"type": "buttons", "actions": [_action("message"), _action("datetimepicker")],
               "thumbnailImageUrl": IMAGE, "imageBackgroundColor": "#FFFFFF", "title": "t",
               "text": "a", "defaultAction": _action("uri")} | _LOOK),
    _template({"type": "confirm", "text": "?", "actions": [_action("message")] * 2}),
    _template({"type": "carousel", "columns": [_COLUMN, _COLUMN]} | _LOOK),
    _template({"type": "image_carousel",
               "columns": [{"imageUrl": IMAGE, "action": _action("uri")}]}),
    {"type": "flex", "altText": "x", "contents": BUBBLE},
    {"type": "flex", "altText": "x", "contents": {"type": "carousel", "contents": [_SMALL] * 2}},
]  # fmt: skip
"""A message of every type, with every property."""

_RICH_ACTIONS = [
    _action("postback"), _action("message"), _action("uri"), _action("datetimepicker"),
    _action("clipboard"),
    {"type": "richmenuswitch", "label": "l", "richMenuAliasId": "alias-a", "data": "to=a"},
]  # fmt: skip
_BOUNDS = {"x": 0, "y": 0, "width": 400, "height": 400}
_FULL_MENU = MENU | {"areas": [{"bounds": _BOUNDS, "action": one} for one in _RICH_ACTIONS]}
_QUIET = {"notificationDisabled": True}
_UNITS = {"customAggregationUnits": ["promotion_a"]}

_AUDIENCE = {"type": "audience", "audienceGroupId": "<audience>"}
_DEMOGRAPHY: list[Json] = [
    {"type": "gender", "oneOf": ["male", "female"]},
    {"type": "age", "gte": "age_20", "lt": "age_25"},
    {"type": "appType", "oneOf": ["android", "ios"]},
    {"type": "area", "oneOf": ["jp_34", "jp_05"]},
    {"type": "subscriptionPeriod", "gte": "day_7", "lt": "day_30"},
]
_NARROWCAST: Json = {
    "messages": [HI],
    "recipient": {"type": "operator", "and": [
        _AUDIENCE,
        {"type": "operator", "not": {"type": "operator", "or": [
            {"type": "redelivery", "requestId": "<narrowcast>"}, _AUDIENCE]}}]},
    "filter": {"demographic": {"type": "operator", "or": [
        *_DEMOGRAPHY[:2], {"type": "operator", "and": _DEMOGRAPHY[2:4]},
        {"type": "operator", "not": _DEMOGRAPHY[4]}]}},
    "limit": {"max": 100, "upToRemainingQuota": True, "forbidPartialDelivery": True},
    "notificationDisabled": True,
}  # fmt: skip

_ALL_COUPON = COUPON | {
    "barcodeImageUrl": "https://example.com/bar.jpg", "couponCode": "code123",
    "usageCondition": "Once a day.",
    "acquisitionCondition": {"type": "lottery", "lotteryProbability": 50, "maxAcquireCount": 100},
}  # fmt: skip
_COUPONS: list[Json] = [
    _ALL_COUPON,
    *[
        COUPON | {"reward": reward}
        for reward in (
            {"type": "discount", "priceInfo": {"type": "percentage", "percentage": 10}},
            {"type": "discount", "priceInfo": {"type": "explicit", "priceAfterDiscount": 80,
                                               "originalPrice": 100}},
            {"type": "cashBack", "priceInfo": {"type": "fixed", "fixedAmount": 100}},
            {"type": "cashBack", "priceInfo": {"type": "percentage", "percentage": 10}},
            {"type": "free"}, {"type": "gift"}, {"type": "others"},
        )
    ],
]  # fmt: skip

_LIFF: Json = {
    "view": {"type": "full", "url": "https://example.com/app", "moduleMode": True},
    "description": "A nice app",
    "features": {"ble": False, "qrCode": True},
    "permanentLinkPattern": "concat",
    "scope": ["openid", "email", "profile", "chat_message.write"],
    "botPrompt": "normal",
}
_JWT = {
    "grant_type": "client_credentials",
    "client_assertion_type": "<assertion type>",
    "client_assertion": "<assertion>",
}
_SECRET = {
    "grant_type": "client_credentials",
    "client_id": "<client id>",
    "client_secret": "<client secret>",
}
_BATCH: list[Json] = [
    {"operations": [{"type": "link", "from": "<menu>", "to": "<other menu>"},
                    {"type": "unlink", "from": "<other menu>"}], "resumeRequestKey": "abc-1_X"},
    {"operations": [{"type": "unlinkAll"}]},
]  # fmt: skip

BODIES: dict[str, list[Any]] = {
    "setWebhookEndpoint": [{"endpoint": "https://example.com/hook"}],
    "testWebhookEndpoint": [{"endpoint": "<webhook url>"}],
    "replyMessage": [{"replyToken": "<reply token>", "messages": [HI]} | _QUIET],
    "pushMessage": [{"to": "<friend>", "messages": [HI]} | _QUIET | _UNITS],
    "multicast": [{"to": ["<friend>"], "messages": [HI]} | _QUIET | _UNITS],
    "narrowcast": [_NARROWCAST],
    "broadcast": [{"messages": [HI]} | _QUIET],
    "validateReply": [{"messages": [one]} for one in MESSAGES],
    "validatePush": [{"messages": [HI]}],
    "validateMulticast": [{"messages": [HI]}],
    "validateNarrowcast": [{"messages": [HI]}],
    "validateBroadcast": [{"messages": [HI]}],
    "createRichMenu": [_FULL_MENU],
    "validateRichMenuObject": [_FULL_MENU],
    "createRichMenuAlias": [{"richMenuAliasId": "alias-b", "richMenuId": "<menu>"}],
    "updateRichMenuAlias": [{"richMenuId": "<other menu>"}],
    "linkRichMenuIdToUsers": [{"richMenuId": "<menu>", "userIds": ["<friend>"]}],
    "unlinkRichMenuIdFromUsers": [{"userIds": ["<friend>"]}],
    "richMenuBatch": _BATCH,
    "validateRichMenuBatchRequest": _BATCH,
    "markMessagesAsRead": [{"chat": {"userId": "<friend>"}}],
    "markMessagesAsReadByToken": [{"markAsReadToken": "<read token>"}],
    "pushMessagesByPhone": [{"to": "<phone hash>", "messages": [HI]} | _QUIET],
    "createCoupon": _COUPONS,
    "showLoadingAnimation": [{"chatId": "<friend>", "loadingSeconds": 10}],
    "createAudienceGroup": [{"description": "audience_01", "isIfaAudience": False,
                             "uploadDescription": "first", "audiences": [{"id": "<friend>"}]}],
    "addAudienceToAudienceGroup": [{"audienceGroupId": "<audience>", "uploadDescription": "more",
                                    "audiences": [{"id": "<friend>"}]}],
    "createClickBasedAudienceGroup": [{"description": "clicks", "requestId": "<broadcast>",
                                       "clickUrl": "https://example.com/"}],
    "createImpBasedAudienceGroup": [{"description": "imps", "requestId": "<broadcast>"}],
    "updateAudienceGroupDescription": [{"description": "renamed"}],
    "issueStatelessChannelToken": [_JWT, _SECRET],
    "issueChannelTokenByJWT": [_JWT],
    "revokeChannelTokenByJWT": [{"client_id": "<client id>", "client_secret": "<client secret>",
                                 "access_token": "<token v2.1>"}],
    "issueChannelToken": [_SECRET],
    "verifyChannelToken": [{"access_token": "<short token>"}],
    "revokeChannelToken": [{"access_token": "<short token>"}],
    "addLIFFApp": [_LIFF],
    "updateLIFFApp": [_LIFF],
    "detachModule": [{"botId": "<bot id>"}],
    "acquireChatControl": [{"expired": True, "ttl": 3600}],
    "attachModule": [{"grant_type": "authorization_code", "code": "<module code>",
                      "redirect_uri": "https://example.com/", "code_verifier": "v",
                      "client_id": "<client id>", "client_secret": "<client secret>",
                      "region": "JP", "basic_search_id": "@example", "scope": "message:send",
                      "brand_type": "premium"}],
    "missionStickerV3": [{"to": "<friend>", "productId": "17839", "productType": "STICKER",
                          "sendPresentMessage": False}],
}  # fmt: skip

FILES: dict[str, dict[str, Any]] = {
    "createAudienceForUploadingUserIds": {"description": "by file", "isIfaAudience": "false",
                                          "uploadDescription": "first", "file": "<id file>"},
    "addUserIdsToAudience": {"audienceGroupId": "<audience>", "uploadDescription": "more",
                             "file": "<id file>"},
}  # fmt: skip
"""Operations that take a form with a file."""
