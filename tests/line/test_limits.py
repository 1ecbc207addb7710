"""Every limit is tried at it and one past it."""

from __future__ import annotations

from typing import Any

import pytest

from hiiki.kit.i18n import speaking
from hiiki.line.limits import check_messages

URI = {"type": "uri", "label": "開く", "uri": "https://example.com/"}
HTTPS = "https://example.com/a.jpg"


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def buttons(**change: Any) -> dict[str, Any]:
    template = {"type": "buttons", "text": "本文", "actions": [URI], **change}
    return {"type": "template", "altText": "カレー", "template": template}


def carousel(*columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "template",
        "altText": "カレー",
        "template": {"type": "carousel", "columns": list(columns)},
    }


def column(**change: Any) -> dict[str, Any]:
    return {"text": "中辛", "actions": [URI], **change}


def flex(contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "flex", "altText": "カレー", "contents": contents}


def quick(n: int, label: str = "辛口") -> dict[str, Any]:
    action = {"type": "message", "label": label, "text": "辛口"}
    return {"items": [{"type": "action", "action": action}] * n}


BUBBLE = {
    "type": "bubble",
    "body": {
        "type": "box",
        "layout": "vertical",
        "contents": [
            {"type": "text", "text": "カレー"},
            {"type": "button", "action": URI},
            {"type": "image", "url": HTTPS},
        ],
    },
}

GOOD = [
    [text("あ" * 5000)],
    [text("😀" * 2500)],
    [text("x")] * 5,
    [text("x", quickReply=quick(13, "あ" * 20))],
    [text("x", sender={"name": "あ" * 20, "iconUrl": HTTPS})],
    [{"type": "image", "originalContentUrl": HTTPS, "previewImageUrl": HTTPS}],
    [buttons(text="👨‍👩‍👧" * 160, actions=[URI] * 4)],
    [buttons(text="あ" * 60, title="あ" * 40, thumbnailImageUrl=HTTPS)],
    [carousel(*[column(text="あ" * 120, actions=[URI] * 3)] * 10)],
    [flex(BUBBLE)],
    [flex({"type": "carousel", "contents": [BUBBLE] * 12})],
    [{"type": "sticker", "packageId": "446", "stickerId": "1988"}],
]
BAD = [
    ([], ""),
    ([text("x")] * 6, ""),
    ([text("あ" * 5001)], "0.text"),
    ([text("😀" * 2501)], "0.text"),
    ([text("")], "0.text"),
    ([text("x"), {"type": "text"}], "1.text"),
    ([{"type": "text", "text": 5}], "0.text"),
    ([{"type": "telepathy"}], "0.type"),
    ([text("x", quickReply=quick(14))], "0.quickReply.items"),
    ([text("x", quickReply=quick(1, "あ" * 21))], "0.quickReply.items.0.action.label"),
    ([text("x", sender={"name": "あ" * 21})], "0.sender.name"),
    (
        [{"type": "image", "originalContentUrl": "http://a/b", "previewImageUrl": HTTPS}],
        "0.originalContentUrl",
    ),
    ([{"type": "image", "originalContentUrl": HTTPS}], "0.previewImageUrl"),
    ([buttons(text="あ" * 161)], "0.template.text"),
    ([buttons(text="あ" * 61, title="題")], "0.template.text"),
    ([buttons(title="あ" * 41)], "0.template.title"),
    ([buttons(title="")], "0.template.title"),
    ([buttons(actions=[URI] * 5)], "0.template.actions"),
    ([buttons(actions=[])], "0.template.actions"),
    ([buttons(actions=[{**URI, "label": "あ" * 21}])], "0.template.actions.0.label"),
    ([buttons(actions=[{**URI, "uri": "ftp://x/"}])], "0.template.actions.0.uri"),
    ([buttons(actions=[{**URI, "uri": "https://x/" + "a" * 991}])], "0.template.actions.0.uri"),
    ([buttons(actions=[{"type": "postback", "label": "x", "data": "a" * 301}])],
     "0.template.actions.0.data"),
    ([{**buttons(), "altText": "あ" * 1501}], "0.altText"),
    ([carousel(*[column()] * 11)], "0.template.columns"),
    ([carousel(column(text="あ" * 121))], "0.template.columns.0.text"),
    ([carousel(column(), column(actions=[URI, URI]))], "0.template.columns.1"),
    ([carousel(column(), column(title="題"))], "0.template.columns.1"),
    ([flex({"type": "carousel", "contents": [BUBBLE] * 13})], "0.contents.contents"),
    ([flex({"type": "bubble", "body": {"type": "text", "text": "a" * 30 * 1024}})], "0.contents"),
    ([flex({"type": "bubble", "footer": {"type": "button", "action": {**URI, "label": "x" * 41}}})],
     "0.contents.footer.action.label"),
    ([flex({})], "0.contents"),
]  # fmt: skip


@pytest.mark.parametrize("messages", GOOD)
def test_at_the_limit(messages: list[dict[str, Any]]) -> None:
    assert check_messages(messages) == {}


@pytest.mark.parametrize(("messages", "path"), BAD)
def test_past_the_limit(messages: list[dict[str, Any]], path: str) -> None:
    errors = check_messages(messages)
    assert path in errors, errors
    with speaking("ja"):
        assert str(errors[path]) != errors[path].english
