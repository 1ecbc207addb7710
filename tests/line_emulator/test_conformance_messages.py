"""Messages made at random from LINE's schemas: whatever is valid there is taken.

The schemas give the shape: types, properties, enumerations, variants. What they cannot say (the
reference does) is in the tables below: what a string must look like, and which properties depend on
each other.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from line_emulator.validation import problem
from line_emulator.validation.requests import VALIDATE
from line_spec import Json, flat, needs_spec

pytestmark = needs_spec

FILE = "messaging-api"
PAGE = st.sampled_from(
    ["https://example.com/", "https://example.com/a%20b?c=d#e", "https://xn--r8jz45g.jp/x"]
)
LINK = st.one_of(PAGE, st.sampled_from(["http://example.com/", "tel:0312345678", "line://nv/chat"]))
WORDS = (
    st.lists(
        st.sampled_from([*"abc é\n\"\\<>&' ", "日本語", "😀", "👨‍👩‍👧‍👦"]), min_size=1, max_size=8
    )
    .map("".join)
    # The shortest limit is 20 UTF-16 units (a sender's name); a family of four takes eleven.
    .filter(lambda text: text.strip() and len(text.encode("utf-16-le")) <= 2 * 20)
)
COLOR = st.one_of(
    st.from_regex(r"#[0-9A-Fa-f]{6}", fullmatch=True),
    st.from_regex(r"#[0-9A-Fa-f]{8}", fullmatch=True),
)
RGB = st.from_regex(r"#[0-9A-Fa-f]{6}", fullmatch=True)
PX = st.one_of(st.integers(0, 999).map("{}px".format), st.just("23.5px"))
PERCENT = st.integers(0, 100).map("{}%".format)
STEPS = st.sampled_from(["none", "xs", "sm", "md", "lg", "xl", "xxl"])
SIZES = st.sampled_from(["xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl"])
LENGTH = st.one_of(PX, PERCENT)
SPACE = st.one_of(PX, STEPS)
PADDING = st.one_of(PX, PERCENT, STEPS)
OFFSET = st.one_of(PADDING, st.just("-4px"), st.just("-1.5%"))
FONT = st.one_of(PX, SIZES)
RATIO = st.sampled_from(["1:1", "20:13", "1.91:1", "1:3", "100000:1"])
AREA = st.integers(1, 1040)

STRINGS: dict[str, st.SearchStrategy[Any]] = {
    # by schema and property, or by property
    "QuickReplyItem.type": st.just("action"),
    "FlexImage.size": st.one_of(FONT, PERCENT, st.just("full")),
    "FlexBox.borderWidth": st.one_of(PX, st.sampled_from(["none", "light", "semi-bold", "bold"])),
    "FlexBox.width": LENGTH,
    "FlexBox.height": LENGTH,
    "ImagemapBaseSize.width": st.just(1040),
    "ImagemapArea.width": AREA,
    "ImagemapArea.height": AREA,
    "ImagemapBaseSize.height": AREA,
    "ButtonsTemplate.imageAspectRatio": st.sampled_from(["rectangle", "square"]),
    "CarouselTemplate.imageAspectRatio": st.sampled_from(["rectangle", "square"]),
    "angle": st.sampled_from(["0deg", "90deg", "359.9deg"]),
    "aspectRatio": RATIO,
    "backgroundColor": COLOR,
    "borderColor": COLOR,
    "centerColor": COLOR,
    "centerPosition": PERCENT,
    "clipboardText": WORDS,
    "color": COLOR,
    "cornerRadius": SPACE,
    "deliveryTag": st.just("tag_1"),
    "desktop": LINK,
    "duration": st.integers(1, 10**9),
    "emojiId": st.just("001"),
    "endColor": COLOR,
    "flex": st.integers(0, 2**31 - 1),
    "imageBackgroundColor": RGB,
    "imageSize": st.sampled_from(["cover", "contain"]),
    "latitude": st.floats(-90, 90),
    "lineSpacing": PX,
    "linkUri": LINK,
    "longitude": st.floats(-180, 180),
    "margin": SPACE,
    "maxHeight": LENGTH,
    "maxLines": st.integers(0, 2**31 - 1),
    "maxWidth": LENGTH,
    "offsetBottom": OFFSET,
    "offsetEnd": OFFSET,
    "offsetStart": OFFSET,
    "offsetTop": OFFSET,
    "paddingAll": PADDING,
    "paddingBottom": PADDING,
    "paddingEnd": PADDING,
    "paddingStart": PADDING,
    "paddingTop": PADDING,
    "productId": st.just("5ac1bfd5040ab15980c9b435"),
    "separatorColor": COLOR,
    "size": FONT,
    "spacing": SPACE,
    "startColor": COLOR,
    "trackingId": st.from_regex(r"[a-zA-Z0-9\-.=,+*()%$&;:@{}!?<>\[\]]{1,100}", fullmatch=True),
    "uri": LINK,
    "userId": st.just("U" + "0" * 32),
    "x": st.integers(0, 1040),
    "y": st.integers(0, 1040),
}
ONLY_IN_QUICK_REPLIES = ("camera", "cameraRoll", "location")
ONLY_IN_RICH_MENUS = ("richmenuswitch",)
IN_BASELINE = ("icon", "text", "filler")
IN_BOX = ("box", "button", "image", "text", "separator", "filler")
MUST = {
    # what the reference wants though the specification does not
    "PostbackAction": ["data"],
    "MessageAction": ["text"],
    "URIAction": ["uri"],
    "DatetimePickerAction": ["data", "mode"],
    "ImagemapVideo": ["originalContentUrl", "previewImageUrl", "area"],
    "ImagemapExternalLink": ["linkUri", "label"],
    "QuickReply": ["items"],
    "QuickReplyItem": ["action"],
    "Emoji": ["index", "productId", "emojiId"],
    "FlexBoxLinearGradient": ["angle", "startColor", "endColor"],
    "FlexText": ["text"],
    "FlexSpan": ["text"],
    "FlexBubble": ["body"],
}
MOMENTS = {"date": "2026-11-22", "time": "10:00", "datetime": "2026-11-22T10:00"}


class Maker:
    """Draws values of LINE's schemas."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.depth = 0

    def value(self, schema: Json, name: str, within: str = "", kinds: Any = None) -> Any:
        here = flat(FILE, schema, name)
        key = name.rpartition(".")[2]
        if here.kinds:
            return self.kind(here.kinds, within, kinds)
        strategy = STRINGS.get(name)
        if strategy is None and "enum" in here.limits:
            strategy = st.sampled_from(here.limits["enum"])
        strategy = strategy or STRINGS.get(key)
        if strategy is not None:
            return self.draw(strategy)
        if here.type == "string":
            return self.draw(PAGE if key.lower().endswith("url") else WORDS)
        if here.type == "boolean":
            return self.draw(st.booleans())
        if here.type in ("integer", "number"):
            return self.draw(st.integers(0, 100))
        if here.type == "array":
            assert here.items is not None
            most = min(here.limits.get("maxItems", 3), 3)
            count = self.draw(st.integers(1, most))
            return [self.value(here.items, f"{name}[]", within, kinds) for _ in range(count)]
        return self.object(here, within)

    def kind(self, mapping: Json, within: str, kinds: Any) -> Json:
        names = [one for one in mapping if kinds is None or one in kinds]
        if within != "quick reply":
            names = [one for one in names if one not in ONLY_IN_QUICK_REPLIES]
        names = [one for one in names if one not in ONLY_IN_RICH_MENUS]
        if self.depth > 4:
            names = [one for one in names if one != "box"] or names
        chosen = self.draw(st.sampled_from(names))
        made = self.object(flat(FILE, {"$ref": mapping[chosen]}), within)
        return made | {"type": chosen}

    def object(self, here: Any, within: str) -> Json:
        self.depth += 1
        needed = {*here.required, *MUST.get(here.name, [])}
        made: Json = {}
        for key, schema in here.properties.items():
            if key == "type" and here.name != "QuickReplyItem":
                continue
            if key in needed or (self.depth < 5 and self.draw(st.booleans())):
                made[key] = self.value(schema, f"{here.name}.{key}", *self.place(here, key, within))
        self.depth -= 1
        return AFTER.get(here.name, lambda _, made: made)(self, made)

    @staticmethod
    def place(here: Any, key: str, within: str) -> tuple[str, Any]:
        """Where the property's value stands, and of which kinds it may be."""
        if here.name == "QuickReplyItem":
            return "quick reply", None
        if here.name == "FlexBubble" and key in ("header", "body", "footer"):
            return within, ("box",)
        if here.name == "FlexBubble" and key == "hero":
            return within, ("box", "image")
        if here.name == "FlexVideo" and key == "altContent":
            return within, ("box", "image")
        if here.name == "FlexVideo" and key == "action":
            return within, ("uri",)
        if here.name == "FlexBox" and key == "contents":
            return within, IN_BOX
        return within, None


def _postback(_: Maker, made: Json) -> Json:
    if "text" in made:
        made.pop("displayText", None)
    return labelled(made)


def labelled(made: Json) -> Json:
    return {"label": "l"} | made


def _picker(maker: Maker, made: Json) -> Json:
    for name in ("initial", "min", "max"):
        made.pop(name, None)
    made["initial"] = MOMENTS[made["mode"]]
    return labelled(made)


def _text(_: Maker, made: Json) -> Json:
    if "emojis" in made:
        made["text"] = "$" * len(made["emojis"]) + made["text"].replace("$", "")
        for index, emoji in enumerate(made["emojis"]):
            emoji["index"] = index
    return made


def _text_v2(maker: Maker, made: Json) -> Json:
    known = made.get("substitution")
    if known is None:
        return made
    substitution = flat(FILE, {"$ref": "#/components/schemas/SubstitutionObject"})
    made["substitution"] = {
        key: maker.kind(substitution.kinds, "", None) for key in ("user_1", "laugh")
    }
    made["text"] += " {user_1} {{ {laugh} }}"
    return made


def _box(maker: Maker, made: Json) -> Json:
    if made["layout"] == "baseline":
        component = flat(FILE, {"$ref": "#/components/schemas/FlexComponent"})
        made["contents"] = [maker.kind(component.kinds, "", IN_BASELINE) for _ in range(2)]
    return made | {"type": "box"}


def _columns(_: Maker, made: Json) -> Json:
    first = made["columns"][0]
    made["columns"] = [first] * len(made["columns"])
    return made


def _confirm(_: Maker, made: Json) -> Json:
    return made | {"actions": (made["actions"] * 2)[:2]}


def _carousel(_: Maker, made: Json) -> Json:
    return made | {"contents": [one | {"size": "mega"} for one in made["contents"]]}


AFTER: dict[str, Any] = {
    "PostbackAction": _postback,
    "MessageAction": lambda _, made: labelled(made),
    "URIAction": lambda _, made: labelled(made),
    "ClipboardAction": lambda _, made: labelled(made),
    "CameraAction": lambda _, made: labelled(made),
    "CameraRollAction": lambda _, made: labelled(made),
    "LocationAction": lambda _, made: labelled(made),
    "DatetimePickerAction": _picker,
    "TextMessage": _text,
    "TextMessageV2": _text_v2,
    "FlexBox": _box,
    "FlexSpan": lambda _, made: made | {"type": "span"},
    "FlexBubble": lambda _, made: made | {"type": "bubble"},
    "CarouselTemplate": _columns,
    "ConfirmTemplate": _confirm,
    "FlexCarousel": _carousel,
}


@st.composite
def messages(draw: Any) -> Json:
    """A message that the reference allows."""
    schema = {"$ref": "#/components/schemas/Message"}
    return Maker(draw).value(schema, "Message")


@given(messages())
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_the_schemas_allow_is_taken(message: Json):
    assert problem(VALIDATE, {"messages": [message]}) is None
