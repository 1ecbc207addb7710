"""Each message type shows what a friend would see, and carries the right taps."""

from typing import Any

import pytest
from tests.line_preview import samples
from tests.line_preview.checks import Reading
from tests.line_preview.samples import say

from line_preview import (
    css,
    css_path,
    js_path,
    render_message,
    render_messages,
    render_phone,
    render_sticker_picture,
)
from line_preview import render_said as said


def read(message: dict[str, Any], lang: str = "ja") -> Reading:
    return Reading(render_message(message, lang=lang))


@pytest.mark.parametrize("name", samples.ALL)
def test_every_type_is_drawn(name: str) -> None:
    reading = read(samples.ALL[name])
    assert "lp-unknown" not in reading.classes
    assert "lp-noimage" not in reading.classes or name == "carousel"


def test_text_keeps_lines_and_marks_addresses() -> None:
    reading = read(
        {"type": "text", "text": "見て\nhttps://example.com/a?b=1。続き (http://x.jp/)."}
    )
    assert reading.text == "見て\nhttps://example.com/a?b=1。続き (http://x.jp/)."
    assert [action["uri"] for action in reading.actions] == [
        "https://example.com/a?b=1",
        "http://x.jp/",
    ]


def test_emojis_replace_their_dollar_signs_only() -> None:
    # The face before the second sign counts as two, as LINE counts.
    emojis = [{"index": index, "productId": "p", "emojiId": "1"} for index in (0, 4, 5)]
    reading = read({"type": "text", "text": "$ 😀$x$", "emojis": emojis})
    assert reading.text == " 😀x$"
    assert len(reading.of_class("lp-emoji")) == 2


def test_text_v2_substitutes() -> None:
    message = {
        "type": "textV2",
        "text": "{all} {e} {{x}} {unknown}",
        "substitution": {
            "all": {"type": "mention", "mentionee": {"type": "all"}},
            "e": {"type": "emoji", "productId": "p", "emojiId": "1"},
        },
    }
    assert read(message).text == "@全員  {x} {unknown}"
    assert read(message, "en").text == "@All  {x} {unknown}"
    mentionee = {"type": "user", "userId": "U1"}
    message["substitution"] = {"all": {"type": "mention", "mentionee": mentionee}}
    assert read(message, "en").text.startswith("@User ")
    mentionee["name"] = "<i>花子"
    assert read(message, "en").text.startswith("@<i>花子 ")


def test_empty_text_says_so() -> None:
    assert read({"type": "text", "text": "  "}).text == "（本文がありません）"
    assert read({"type": "text"}, "en").text == "(No text)"


def test_sticker_shows_its_ids() -> None:
    reading = read(samples.STICKER)
    assert reading.of_class("lp-sticker")[0]["title"] == "スタンプ 446 / 1988"
    other = read({**samples.STICKER, "stickerId": "1990"})
    assert other.words == reading.words == []
    assert str(render_sticker_picture("446", "1988")) != str(render_sticker_picture("446", "1990"))


@pytest.mark.parametrize(
    ("duration", "shown"),
    [(63000, "1:03"), (999, "0:01"), (0, "0:00"), ("x", "-:--"), (-1, "-:--")],
)
def test_audio_shows_its_length(duration: object, shown: str) -> None:
    assert shown in read({**samples.AUDIO, "duration": duration}).text


def test_video_can_be_played() -> None:
    (player,) = [a for _, a in read(samples.VIDEO).elements if "data-lp-play" in a]
    assert (player["data-lp-play"], player["data-lp-src"]) == ("video", "/img/video.mp4")


def test_location_shows_title_and_address() -> None:
    assert "カレー食堂 ひだまり" in read(samples.LOCATION).text
    assert "東京都台東区谷中3-12-5" in read(samples.LOCATION).text


def test_imagemap_areas_are_percentages_of_its_base_size() -> None:
    reading = read(samples.IMAGEMAP)
    styles = [area["data-lp-style"] for area in reading.of_class("lp-imagemap-area")]
    assert styles[1] == "left:50.000%;top:0.000%;width:50.000%;height:100.000%"
    assert reading.actions == [
        {"type": "message", "label": "左", "text": "左"},
        {"type": "uri", "label": "右", "linkUri": "https://example.com/right"},
    ]
    assert reading.of_class("lp-imagemap-img")[0]["src"] == "/img/map/1040"


def test_imagemap_video_lies_in_its_area() -> None:
    video = {
        "originalContentUrl": "https://example.com/v.mp4",
        "previewImageUrl": "https://example.com/v.jpg",
        "area": {"x": 0, "y": 0, "width": 1040, "height": 585},
        "externalLink": {"linkUri": "https://example.com/more", "label": "続き"},
    }
    reading = read({**samples.IMAGEMAP, "video": video, "actions": []})
    assert reading.of_class("lp-imagemap-video")[0]["data-lp-src"] == "https://example.com/v.mp4"
    assert reading.actions == [{"type": "uri", "uri": "https://example.com/more"}]


def test_buttons_carry_their_actions() -> None:
    reading = read(samples.BUTTONS)
    assert [action["label"] for action in reading.actions] == ["日時を選ぶ", "やめる"]
    assert "ご予約日時をお選びください" in reading.text


def test_template_images_follow_their_settings() -> None:
    template = {
        **samples.BUTTONS["template"],
        "imageAspectRatio": "square",
        "imageSize": "contain",
        "imageBackgroundColor": "#ff0000",
        "defaultAction": say("全体"),
    }
    reading = read({"type": "template", "template": template})
    (thumb,) = reading.of_class("lp-thumb")
    assert thumb["class"] == "lp-thumb lp-thumb-square lp-thumb-contain"
    assert thumb["data-lp-style"] == "background-color:#ff0000"
    assert [action["label"] for action in reading.actions][:2] == ["全体", "全体"]


def test_carousels_show_every_column() -> None:
    assert len(read(samples.CAROUSEL).of_class("lp-card")) == 3
    assert len(read(samples.IMAGE_CAROUSEL).of_class("lp-tile")) == 2
    assert [action["text"] for action in read(samples.IMAGE_CAROUSEL).actions] == [
        "カレー",
        "テラス",
    ]


def test_confirm_has_its_two_answers() -> None:
    assert [action["text"] for action in read(samples.CONFIRM).actions] == ["はい", "いいえ"]


def test_coupon_can_be_opened() -> None:
    coupon = samples.COUPON["couponId"]
    assert read(samples.COUPON).actions == [{"type": "coupon", "couponId": coupon}]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "hologram"},
        {"type": ["text"]},
        {"type": "template"},
        {"type": "template", "template": {"type": "carousel", "columns": []}},
        {"type": "flex"},
        {"type": "flex", "contents": {"type": "carousel", "contents": []}},
        {"type": "flex", "contents": {"type": "bubble"}},
    ],
)
def test_what_cannot_be_drawn_is_named(message: dict[str, Any]) -> None:
    assert "lp-unknown" in read(message).classes


def test_a_run_shows_icon_and_name_once_and_only_the_last_quick_replies() -> None:
    run = [samples.QUICK, samples.IMAGE, samples.QUICK]
    reading = Reading(render_messages(run, sender_name="店", sender_icon="/i.png", at="12:34"))
    assert len(reading.of_class("lp-face")) == 1
    assert len(reading.of_class("lp-name")) == 1
    assert len(reading.of_class("lp-time")) == 3
    assert len(reading.of_class("lp-chips")) == 1
    assert reading.actions[0]["label"] == "甘口"
    assert not Reading(render_messages([samples.QUICK, samples.TEXT])).of_class("lp-chips")


def test_a_message_may_bring_its_own_sender() -> None:
    own = {**samples.TEXT, "sender": {"name": "店長", "iconUrl": "https://example.com/i.png"}}
    reading = Reading(render_messages([samples.TEXT, own, own], sender_name="店"))
    assert len(reading.of_class("lp-face")) == 2
    assert reading.of_class("lp-face-img")[0]["src"] == "https://example.com/i.png"


def test_what_the_user_said_is_on_the_other_side() -> None:
    assert "lp-said" in Reading(said("はい", at="9:00")).classes
    assert Reading(said("はい")).text == "はい"
    assert Reading(said(samples.STICKER, "en")).of_class("lp-sticker")


def test_phone_shows_title_and_messages() -> None:
    reading = Reading(render_phone([samples.TEXT], title="A & B", lang="en"))
    assert "A & B" in reading.text
    assert "こんにちは" in reading.text
    assert "No messages yet" in Reading(render_phone([], title="x", lang="en")).text


def test_assets_are_where_they_are_said_to_be() -> None:
    assert css_path().read_text(encoding="utf-8") == css()
    assert js_path().name == "line-preview.js"
    assert js_path().is_file()
