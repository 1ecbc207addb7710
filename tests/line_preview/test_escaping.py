"""Whatever JSON comes: no exception, no markup of the user's, nothing a policy would refuse."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from tests.line_preview import samples
from tests.line_preview.checks import Reading
from tests.line_preview.designs import FLEX, box, flex, text

from line_preview import render_message, render_messages, render_phone, render_said
from line_preview.style import ALLOWED, Look

EVIL = [
    "<lp-evil>",
    '"><script>alert(1)</script>',
    "' style='color:red' x='",
    'x" onerror="alert(1)',
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    " JavaScript:alert(1)",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "red;background:url(https://evil.example/)",
    "#fff;position:fixed",
    "10px;color:red",
    "linear-gradient(red,blue)",
    "--><!--",
    "{{7*7}} {x} {0}",
    "&lt;b&gt;&amp;",
    "\ud800",
    "\x00\x1f\x7f\ufffe",
    "a\r\nb\rc\u2028d",
    "99999999999999999999px",
    "-5px",
    "1e9%",
    "٣px",
    "#ＦＦＦＦＦＦ",
]
WORDS = [
    *["type", "text", "textV2", "flex", "bubble", "carousel", "box", "vertical", "horizontal"],
    *["baseline", "template", "buttons", "confirm", "image_carousel", "imagemap", "sticker"],
    *["image", "video", "audio", "location", "coupon", "span", "separator", "filler", "icon"],
    *["button", "uri", "message", "postback", "mention", "emoji", "user", "all", "giga", "nano"],
    *["full", "md", "xxl", "none", "absolute", "linearGradient", "primary", "link", "#ff0000"],
    *["10px", "50%", "20:13", "90deg", "https://example.com/a.png", "/a.png", "center"],
]
KEYS = [
    *["type", "text", "contents", "layout", "size", "flex", "margin", "spacing", "color", "url"],
    *["action", "actions", "label", "uri", "altUri", "data", "template", "columns", "header"],
    *["hero", "body", "footer", "styles", "background", "angle", "startColor", "endColor"],
    *["centerColor", "width", "height", "offsetTop", "position", "emojis", "index", "substitution"],
    *["quickReply", "items", "sender", "name", "iconUrl", "imageUrl", "thumbnailImageUrl", "title"],
    *["baseUrl", "baseSize", "area", "x", "y", "video", "externalLink", "linkUri", "duration"],
    *["latitude", "longitude", "aspectRatio", "maxLines", "lineSpacing", "wrap", "packageId"],
]

strings = st.sampled_from(EVIL) | st.sampled_from(WORDS) | st.text(max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | strings
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**400), 2**53, 0, -1, 1e308])
)
keys = st.sampled_from(KEYS) | strings
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=25,
)
whole_messages = list(samples.ALL.values()) + list(FLEX.values())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((*path, key))
        if isinstance(item, (dict, list)):
            found += _paths(item, (*path, key))
    return found


@st.composite
def spoilt_messages(draw: st.DrawFn) -> dict[str, Any]:
    """Good messages with a few values replaced by anything."""
    message = copy.deepcopy(draw(st.sampled_from(whole_messages)))
    for _ in range(draw(st.integers(1, 4))):
        *way, last = draw(st.sampled_from(_paths(message)))
        holder: Any = message
        for key in way:
            holder = holder[key]
        holder[last] = draw(json_values)
        if not _paths(message):
            break
    return message


def check(message: Any, lang: str = "ja") -> Reading:
    """Draw a message in every way, and check each piece of HTML."""
    for html in (
        render_messages([message, message], lang=lang, sender_name="<n>", sender_icon="x:y"),
        render_phone([message], title="<lp-evil>", lang=lang, sender_icon="javascript:x"),
        render_said(message, lang),
    ):
        Reading(html.encode().decode())
    html = render_message(message, lang=lang)
    assert isinstance(html, Markup)
    return Reading(html)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt_messages(), st.sampled_from(["ja", "en", "xx", ""]))
def test_spoilt_messages_are_drawn_safely(message: dict[str, Any], lang: str) -> None:
    check(message, lang)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values)
def test_any_json_is_drawn_safely(value: Any) -> None:
    check(value)
    check({"type": "flex", "contents": value})
    check({"type": "template", "template": value})


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1).filter(str.strip))
def test_text_arrives_unchanged(words: str) -> None:
    shown = Reading(render_said(words)).text
    printable = words.replace("\r\n", "\n").replace("\r", "\n")
    assert len(shown) == len(printable)
    assert all(a == b or b == "\ufffd" for a, b in zip(printable, shown, strict=True))


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_strings_stay_text(evil: str) -> None:
    message = flex({"type": "bubble", "body": box("vertical", text(evil, color=evil, size=evil))})
    reading = check(message)
    assert "lp-evil" not in {tag for tag, _ in reading.elements}
    check({"type": "image", "originalContentUrl": evil, "previewImageUrl": evil})
    check({"type": evil})


def test_markup_in_a_message_is_escaped_like_any_string() -> None:
    assert "<b>" not in render_said(Markup("<b>x</b>"))
    assert "<b>" not in render_message({"type": Markup("<b>"), "text": Markup("<b>")})


def test_numbers_too_long_to_print_are_ignored() -> None:
    check({"type": "audio", "duration": 10**5000})
    action = {"type": "postback", "label": "x", "data": 10**5000}
    html = render_messages([{"type": "text", "quickReply": {"items": [{"action": action}]}}])
    assert Reading(html).actions == [{"type": "postback", "label": "x", "data": None}]


def test_bottomless_nesting_is_cut_off() -> None:
    inner: dict[str, Any] = text("deep")
    for _ in range(3000):
        inner = {"type": "box", "layout": "vertical", "contents": [inner], "action": inner}
    reading = Reading(render_message(flex({"type": "bubble", "body": inner})))
    assert "入れ子が深すぎます" in reading.text
    action: dict[str, Any] = {"type": "postback"}
    for _ in range(3000):
        action = {"type": "postback", "more": action}
    Reading(render_messages([{"type": "text", "quickReply": {"items": [{"action": action}]}}]))


@pytest.mark.parametrize(
    ("address", "loads"),
    [
        ("https://example.com/a.png", True),
        ("http://example.com/a.png", True),
        ("/media/a.png?size=1", True),
        ("a.png", True),
        ("HTTPS://EXAMPLE.COM/", True),
        ("javascript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        ("data:image/png;base64,AAAA", False),
        ("blob:https://example.com/1", False),
        ("file:///etc/passwd", False),
        ("", False),
        (5, False),
        (None, False),
    ],
)
def test_only_web_images_are_loaded(address: Any, loads: bool) -> None:
    html = render_message({"type": "image", "previewImageUrl": address})
    pictures = [a for tag, a in Reading(html).elements if tag == "img"]
    assert bool(pictures) is loads
    assert all(a["referrerpolicy"] == "no-referrer" for a in pictures)


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", " https://x", 5, None])
def test_actions_never_carry_an_address_line_would_not_open(uri: Any) -> None:
    item = {"action": {"type": "uri", "label": "x", "uri": uri, "altUri": {"desktop": uri}}}
    html = render_messages([{"type": "text", "text": "x", "quickReply": {"items": [item]}}])
    assert Reading(html).actions == [{"type": "uri", "label": "x"}]


def test_actions_arrive_whole() -> None:
    action = {
        "type": "postback",
        "label": "\"<'&>",
        "data": 'a=1&b="é"\n',
        "inputOption": "openKeyboard",
        "fillInText": "日本",
    }
    html = render_messages(
        [{"type": "text", "text": "x", "quickReply": {"items": [{"action": action}]}}]
    )
    assert Reading(html).actions == [action]
    assert json.loads(Reading(html).of_class("lp-chip")[0]["data-lp-action"]) == action


def test_styles_outside_the_list_are_refused() -> None:
    look = Look("lp-x")
    assert look.declare("color", "#12345678")
    assert not look.declare("color", "#12345678;top:0")
    assert not look.declare("background-image", "url(https://example.com/)")
    assert not look.declare("width", "calc(1px)")
    with pytest.raises(KeyError):
        look.declare("position", "fixed")
    assert not any(pattern.fullmatch("") for pattern in ALLOWED.values())
