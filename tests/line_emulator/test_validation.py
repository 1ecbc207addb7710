"""Message objects: what is taken, what is refused, and in which words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from line_emulator.validation import problem
from line_emulator.validation.requests import PUSH, VALIDATE, VALIDATE_FOR_MANY

Json = dict[str, Any]
IMAGE = "https://example.com/a.jpg"
PEOPLE = "👨‍👩‍👧‍👦"
"""A family: 1 grapheme, 11 UTF-16 units."""


def action(kind: str = "message", label: str | None = "はい", **more: Any) -> Json:
    base: Json = {"type": kind} | ({} if label is None else {"label": label})
    return base | ({"text": "yes"} if kind == "message" and not more else more)


def buttons(**more: Any) -> Json:
    template: Json = {"type": "buttons", "text": "?", "actions": [action()]} | more
    return {"type": "template", "altText": "x", "template": template}


def carousel(*columns: Json) -> Json:
    return {
        "type": "template",
        "altText": "x",
        "template": {"type": "carousel", "columns": list(columns)},
    }


def flex(contents: Json) -> Json:
    return {"type": "flex", "altText": "x", "contents": contents}


def bubble(*contents: Json, **more: Any) -> Json:
    body = {"type": "box", "layout": "vertical", "contents": list(contents)}
    return {"type": "bubble", "body": body} | more


def quick(*actions: Json) -> Json:
    items = [{"type": "action", "action": one} for one in actions]
    return {"type": "text", "text": "?", "quickReply": {"items": items}}


AREA = {"x": 0, "y": 0, "width": 100, "height": 100}
IMAGEMAP: Json = {
    "type": "imagemap",
    "baseUrl": "https://example.com/rm001",
    "altText": "x",
    "baseSize": {"width": 1040, "height": 1040},
    "actions": [
        {"type": "uri", "linkUri": "https://example.com/", "area": AREA},
        {"type": "message", "text": "hi", "area": AREA},
        {"type": "clipboard", "clipboardText": "hi", "area": AREA},
    ],
}
GOOD: list[Json] = [
    {"type": "text", "text": "a"},
    {"type": "text", "text": "$ x", "emojis": [{"index": 0, "productId": "p", "emojiId": "1"}]},
    {"type": "text", "text": "a", "notKnownToAnyone": {"x": [1]}, "quickReply": None},
    {"type": "textV2", "text": "{{a}} {who}",
     "substitution": {"who": {"type": "emoji", "productId": "p", "emojiId": "1"}}},
    {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    {"type": "image", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE},
    {"type": "image", "originalContentUrl": "http://127.0.0.1:8000/a.png",
     "previewImageUrl": "http://127.0.0.1:8000/a.png"},
    {"type": "video", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE, "trackingId": "t-1"},
    {"type": "audio", "originalContentUrl": IMAGE, "duration": 60000},
    {"type": "location", "title": "t", "address": "a", "latitude": 35, "longitude": 139.5},
    {"type": "coupon", "couponId": "c", "deliveryTag": "spring_1"},
    {"type": "video", "originalContentUrl": IMAGE, "previewImageUrl": IMAGE,
     "trackingId": "aZ0-.=,+*()%$&;:@{}!?<>[]"},
    flex(bubble({"type": "text", "text": "a", "position": "relative", "offsetTop": "-3.5px",
                 "offsetEnd": "-10%"})),
    flex(bubble({"type": "text", "text": "", "contents": [{"type": "span", "text": "a"}]})),
    IMAGEMAP,
    buttons(),
    buttons(text="あ" * 160, actions=[action()] * 4),
    buttons(title="あ" * 40, text="あ" * 60, thumbnailImageUrl=IMAGE),
    buttons(text=PEOPLE * 160),
    buttons(actions=[action(label=PEOPLE * 20)]),
    buttons(actions=[action("datetimepicker", data="d", mode="datetime",
                            initial="2026-11-22t10:00", min="2026-01-01T00:00")]),
    buttons(actions=[action("uri", uri="tel:0312345678")]),
    carousel(*[{"text": "あ" * 120, "actions": [action()] * 3}] * 10),
    {"type": "template", "altText": "x", "template":
        {"type": "confirm", "text": "あ" * 240, "actions": [action(), action()]}},
    {"type": "template", "altText": "x", "template": {"type": "image_carousel", "columns":
        [{"imageUrl": IMAGE, "action": action(label=None, text="x")}]}},
    quick(*[action()] * 13),
    quick(action("camera"), action("cameraRoll"), action("location"),
          action("clipboard", clipboardText="x")),
    flex(bubble({"type": "text", "text": "a", "size": "23px", "color": "#00000080"})),
    flex(bubble()),
    flex({"type": "carousel", "contents": [bubble()] * 12}),
    flex(bubble(hero={"type": "video", "url": IMAGE, "previewUrl": IMAGE,
                      "altContent": {"type": "image", "url": IMAGE}})),
    flex(bubble({"type": "box", "layout": "baseline", "contents":
                 [{"type": "icon", "url": IMAGE}, {"type": "text", "text": "a"}]},
                {"type": "text", "contents": [{"type": "span", "text": "a"}]},
                {"type": "button", "action": action(label="あ" * 40)},
                {"type": "separator", "margin": "xl"})),
]  # fmt: skip


@pytest.mark.parametrize("message", GOOD, ids=lambda m: m["type"])
def test_good(message):
    assert problem(VALIDATE, {"messages": [message]}) is None


def first(message: Json) -> tuple[str, str]:
    """Property and message of the first detail."""
    answer = problem(VALIDATE, {"messages": [message]})
    assert answer is not None, "it was accepted"
    assert "details" in answer, answer
    assert all(detail["message"] and detail["property"] for detail in answer["details"]) or (
        answer["details"][0]["property"] == ""
    )
    return answer["details"][0]["property"], answer["details"][0]["message"]


BODY: list[tuple[Json, str, str]] = [
    ({"type": "text"}, "messages[0].text", "May not be empty"),
    ({"type": "text", "text": ""}, "messages[0].text", "May not be empty"),
    ({"type": "text", "text": "a" * 5001}, "messages[0].text",
     "Length must be between 0 and 5000"),
    ({"type": "text", "text": "😀" * 2501}, "messages[0].text",
     "Length must be between 0 and 5000"),
    ({"text": "a"}, "messages[0].type", "May not be empty"),
    ({"type": "text", "text": "a", "sender": {"name": "x" * 21}}, "messages[0].sender.name",
     "Length must be between 0 and 20"),
    ({"type": "text", "text": "ab", "emojis": [{"index": 0, "productId": "p", "emojiId": "1"}]},
     "messages[0].emojis[0].index", "Invalid index"),
    ({"type": "image", "originalContentUrl": IMAGE}, "messages[0].previewImageUrl",
     "May not be empty"),
    ({"type": "image", "originalContentUrl": "http://example.com/a", "previewImageUrl": IMAGE},
     "messages[0].originalContentUrl", "invalid uri scheme"),
    ({"type": "image", "originalContentUrl": IMAGE + "x" * 2000, "previewImageUrl": IMAGE},
     "messages[0].originalContentUrl", "Size must be between 0 and 2000"),
    ({"type": "audio", "originalContentUrl": IMAGE, "duration": 0}, "messages[0].duration",
     "Must be between 1 and 9007199254740992"),
    ({"type": "location", "title": "t" * 101, "address": "a", "latitude": 1, "longitude": 1},
     "messages[0].title", "Length must be between 0 and 100"),
    ({"type": "location", "title": "t", "address": "a", "latitude": 91, "longitude": 1},
     "messages[0].latitude", "Must be between -90 and 90"),
    ({"type": "coupon"}, "messages[0].couponId", "May not be empty"),
    (IMAGEMAP | {"actions": IMAGEMAP["actions"] * 17}, "messages[0].actions",
     "Size must be between 1 and 50"),
    (IMAGEMAP | {"baseSize": {"width": 1000, "height": 1}}, "messages[0].baseSize.width",
     "Must be 1040"),
    ({"type": "flex", "contents": bubble()}, "messages[0].altText", "May not be empty"),
    ({"type": "flex", "altText": "x" * 1501, "contents": bubble()}, "messages[0].altText",
     "Length must be between 0 and 1500"),
    (quick(*[action()] * 14), "messages[0].quickReply.items", "Size must be between 1 and 13"),
    (quick(action(label="あ" * 21)), "messages[0].quickReply.items[0].action.label",
     "must not be longer than 20 characters"),
    (quick(action(label=None, text="x")), "messages[0].quickReply.items[0].action.label",
     "must be specified"),
    ({"type": "text", "text": "?", "quickReply": {"items": [{"type": "x", "action": action()}]}},
     "messages[0].quickReply.items[0].type", "Must be one of the following values: [action]"),
    ({"type": "image", "originalContentUrl": "/a.png", "previewImageUrl": IMAGE},
     "messages[0].originalContentUrl", "invalid uri"),
    (quick(action("richmenuswitch", data="x")), "messages[0].quickReply.items[0].action.type",
     "invalid property"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "where", "what"), BODY)
def test_wrong_in_the_body(message, where, what):
    assert first(message) == (where, what)
    answer = problem(VALIDATE, {"messages": [message]})
    assert answer is not None
    assert answer["message"] == f"The request body has {len(answer['details'])} error(s)"


LABEL = "must not be longer than 20 characters"
CONTENT: list[tuple[Json, str, str]] = [
    (buttons(actions=[action(label="あ" * 21)]), "template/actions/0/label", LABEL),
    (buttons(actions=[action(label=PEOPLE * 21)]), "template/actions/0/label", LABEL),
    (buttons(actions=[action(label=None, text="x")]), "template/actions/0/label",
     "must be specified"),
    (buttons(actions=[action()] * 5), "template/actions", "must not be more than 4 items"),
    (buttons(text="あ" * 161), "template/text", "must not be longer than 160 characters"),
    (buttons(text="あ" * 61, title="t"), "template/text", "must not be longer than 60 characters"),
    (buttons(text=""), "template/text", "must be non-empty text"),
    (buttons(title="あ" * 41), "template/title", "must not be longer than 40 characters"),
    (buttons(actions=[action("uri", uri="javascript:alert(1)")]), "template/actions/0/uri",
     "invalid uri scheme"),
    (buttons(actions=[action("uri", uri="https://example.com/" + "x" * 981)]),
     "template/actions/0/uri", "size must be between 0 and 1000"),
    (buttons(actions=[action("uri", uri="https://")]), "template/actions/0/uri", "invalid uri"),
    (buttons(actions=[action("uri", uri="https://a b")]), "template/actions/0/uri", "invalid uri"),
    (buttons(actions=[action("postback", data="あ" * 301)]), "template/actions/0/data",
     "must not be longer than 300 characters"),
    (buttons(actions=[action("camera")]), "template/actions/0/type", "invalid property"),
    (buttons(actions=[action("datetimepicker", data="d", mode="date", initial="2026-02-30")]),
     "template/actions/0/initial", "invalid datetime format for the specified mode"),
    (buttons(actions=[action("datetimepicker", data="d", mode="time", min="10:00", max="09:00")]),
     "template/actions/0", "invalid date time order"),
    (buttons(actions=[action("uri", uri="example.com/a")]), "template/actions/0/uri",
     "invalid uri"),
    (buttons(actions=[action("uri", uri=" https://example.com/")]), "template/actions/0/uri",
     "invalid uri"),
    (carousel(*[{"text": "a", "actions": [action()]}] * 11), "template/columns",
     "must not be more than 10 items"),
    (carousel({"text": "a", "actions": [action()]}, {"text": "a", "actions": [action()] * 2}),
     "template/columns/1", "invalid property"),
    (carousel({"text": "あ" * 121, "actions": [action()]}), "template/columns/0/text",
     "must not be longer than 120 characters"),
    ({"type": "template", "altText": "x", "template":
        {"type": "confirm", "text": "?", "actions": [action()]}}, "template/actions",
     "must not be less than 2 items"),
    ({"type": "template", "altText": "x", "template": {"type": "image_carousel", "columns":
        [{"imageUrl": IMAGE, "action": action(label="あ" * 13)}]}},
     "template/columns/0/action/label", "must not be longer than 12 characters"),
    ({"type": "template", "altText": "x", "template": {"type": "list"}}, "template/type",
     "invalid property"),
    (flex(bubble({"type": "text"})), "/body/contents/0/text",
     "`text` or `contents` must be specified"),
    (flex({"type": "bubble"}), "/", "At least one block must be specified"),
    (flex(bubble({"type": "text", "text": "a", "margin": "5%"})), "/body/contents/0/margin",
     "invalid unit"),
    (flex(bubble({"type": "text", "text": "a", "size": "-1px"})), "/body/contents/0/size",
     "lower limit exceeded"),
    (flex(bubble({"type": "text", "text": "a", "flex": -1})), "/body/contents/0/flex",
     "must be greater than or equal to 0"),
    (flex(bubble({"type": "button", "action": action(label=None, text="x")})),
     "/body/contents/0/action/label", "`label` must be specified"),
    (flex(bubble({"type": "box", "layout": "vertical", "contents": [], "background":
     {"type": "linearGradient", "angle": "360deg", "startColor": "#000000", "endColor": "#000000",
      "centerPosition": "101%"}})), "/body/contents/0/background/angle", "upper limit exceeded"),
    (flex({"type": "carousel", "contents": [bubble(hero={"type": "video", "url": IMAGE,
      "previewUrl": IMAGE, "altContent": {"type": "image", "url": IMAGE}})]}),
     "/contents", "embedding videos in messages is not allowed"),
    ({"type": "textV2", "text": "{!owe}"}, "text",
     "The key '!owe' enclosed in '{}' does not match the pattern '^[a-zA-Z0-9_]{1,20}$'."),
    ({"type": "textV2", "text": "{"}, "text", "'{' and '}' must be used in pairs."),
    ({"type": "textV2", "text": "{owe}"}, "text",
     "The key 'owe' enclosed in '{}' is not in 'substitution'."),
    (flex(bubble({"type": "text", "text": ""})), "/body/contents/0/text",
     "must be non-empty text"),
    (flex(bubble({"type": "text", "text": 5})), "/body/contents/0/text", "invalid property"),
    (flex(bubble({"type": "text", "text": "a", "color": "red"})), "/body/contents/0/color",
     "invalid property"),
    (flex(bubble({"type": "icon", "url": IMAGE})), "/body/contents/0", "invalid property"),
    (flex(bubble({"type": "span", "text": "a"})), "/body/contents/0", "invalid property"),
    (flex(bubble({"type": "image", "url": IMAGE, "aspectRatio": "1:4"})),
     "/body/contents/0/aspectRatio", "aspect ratio must be in the range (0 < (h/w) <= 3)"),
    (flex(bubble({"type": "image", "url": IMAGE, "aspectRatio": "4"})),
     "/body/contents/0/aspectRatio", "invalid property"),
    (flex(bubble({"type": "button", "action": action(label="あ" * 41)})),
     "/body/contents/0/action/label", "must not be longer than 40 characters"),
    (flex({"type": "carousel", "contents": [bubble()] * 13}), "/contents",
     "must not be more than 12 items"),
    (flex({"type": "carousel", "contents": [bubble(), bubble(size="giga")]}),
     "/contents/1/size", "invalid property"),
    (flex({"type": "bubble", "body": {"type": "box", "layout": "diagonal", "contents": []}}),
     "/body/layout", "invalid property"),
    (flex(bubble(size="micro", hero={"type": "video", "url": IMAGE, "previewUrl": IMAGE,
                                     "altContent": {"type": "image", "url": IMAGE}})),
     "/hero", "invalid property"),
    (flex({"type": "card"}), "/type", "invalid property"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "where", "what"), CONTENT)
def test_wrong_inside_a_message(message, where, what):
    assert first(message) == (where, what)
    good = {"type": "text", "text": "a"}
    answer = problem(VALIDATE, {"messages": [good, message]})
    assert answer is not None
    assert answer["message"] == "A message (messages[1])\u00a0in the request body is invalid"


UNREADABLE: list[tuple[Any, str]] = [
    ({"type": "text", "text": 5}, "messages[0].text"),
    ({"type": "text", "text": ["a"]}, "messages[0].text"),
    ({"type": 5}, "messages[0].type"),
    ("text", "messages[0]"),
    ({"type": "audio", "originalContentUrl": IMAGE, "duration": "long"}, "messages[0].duration"),
    ({"type": "audio", "originalContentUrl": IMAGE, "duration": True}, "messages[0].duration"),
    ({"type": "text", "text": "a", "quickReply": []}, "messages[0].quickReply"),
    ({"type": "flex", "altText": "x", "contents": []}, "messages[0].contents"),
    ({"type": "template", "altText": "x", "template": "buttons"}, "messages[0].template"),
]


@pytest.mark.parametrize(("message", "where"), UNREADABLE)
def test_wrong_types(message, where):
    assert problem(VALIDATE, {"messages": [message]}) == {
        "message": f"The property, '{where}', in the request body is invalid (line: -, column: -)"
    }


def test_the_example_of_the_reference():
    body = {"messages": [{"type": "text", "text": ""}, {"type": "letter"}]}
    answer = problem(VALIDATE, body)
    assert answer is not None
    assert answer["message"] == "The request body has 2 error(s)"
    assert answer["details"][0] == {"message": "May not be empty", "property": "messages[0].text"}
    assert answer["details"][1]["property"] == "messages[1].type"
    assert answer["details"][1]["message"].startswith("Must be one of the following values: [text")


TOO_LARGE = "Too large flex message. The maximum size of JSON data that defines a {} is {} KB."


def test_flex_sizes():
    text = {"type": "text", "text": "x" * 1000}
    big = bubble(*[text] * 30)
    assert first(flex(big))[1] == TOO_LARGE.format("bubble", 30)
    half = bubble(*[text] * 15)
    assert problem(
        VALIDATE, {"messages": [flex({"type": "carousel", "contents": [half] * 3})]}
    ) is (None)
    four = flex({"type": "carousel", "contents": [half] * 4})
    assert first(four)[1] == TOO_LARGE.format("carousel", 50)


def test_eleven_animated_images_are_too_many():
    image = {"type": "image", "url": IMAGE, "animated": True}
    assert problem(VALIDATE, {"messages": [flex(bubble(*[image] * 10))]}) is None
    assert first(flex(bubble(*[image] * 11)))[1] == "must not be more than 10 animated images"


def test_boxes_nested_without_end():
    box: Json = {"type": "box", "layout": "vertical", "contents": []}
    inner = box
    for _ in range(400):
        inner["contents"].append({"type": "box", "layout": "vertical", "contents": []})
        inner = inner["contents"][0]
    assert problem(VALIDATE, {"messages": [flex({"type": "bubble", "body": box})]}) is not None


REQUIRED = [
    (message, name)
    for message in GOOD
    for name in message
    if name in ("text", "packageId", "stickerId", "originalContentUrl", "previewImageUrl",
                "duration", "title", "address", "latitude", "longitude", "couponId", "baseUrl",
                "altText", "baseSize", "actions", "template", "contents", "type")
]  # fmt: skip


@pytest.mark.parametrize(("message", "name"), REQUIRED)
def test_leaving_out_what_is_required(message, name):
    without = copy.deepcopy(message)
    del without[name]
    assert first(without) == (f"messages[0].{name}", "May not be empty")


def test_push_asks_for_a_recipient():
    answer = problem(PUSH, {"messages": [GOOD[0]]})
    assert answer is not None
    assert answer["details"] == [{"message": "May not be empty", "property": "to"}]


def test_mentions_are_for_replies_and_pushes():
    mention = {"type": "mention", "mentionee": {"type": "all"}}
    message = {"type": "textV2", "text": "{x}", "substitution": {"x": mention}}
    assert problem(VALIDATE, {"messages": [message]}) is None
    answer = problem(VALIDATE_FOR_MANY, {"messages": [message]})
    assert answer is not None
    assert answer["details"][0]["property"] == "messages[0].substitution.x"


def test_units():
    body = {"to": "U" + "0" * 32, "messages": [GOOD[0]]}
    assert problem(PUSH, body | {"customAggregationUnits": ["a_1"]}) is None
    for wrong in (["a", "b"], ["a-b"], ["x" * 31]):
        assert problem(PUSH, body | {"customAggregationUnits": wrong}) is not None
