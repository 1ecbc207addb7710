"""LINE's published limits, by name, and the checks that keep messages within them.

Figures: Messaging API reference ("Message objects", "Action objects", "Rate limits").
Lengths count UTF-16 units, except labels and template texts, which count characters as
a person sees them ("Character counting in a text").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, cast
from urllib.parse import urlsplit

import orjson

from hiiki.kit.i18n import Text, _
from hiiki.kit.text import grapheme_length, utf16_length

# Sending ("Send push message", "Send multicast message", "Send reply message").
MAX_MESSAGES = 5
"""Message objects in one request."""
MAX_RECIPIENTS = 500
"""User ids in one multicast."""
REPLY_TOKEN_SECONDS = 60
"""A reply token is good for a minute after the webhook was received."""
RETRY_KEY_SECONDS = 24 * 3600
"""LINE remembers an accepted retry key for 24 hours ("Retrying an API request")."""

# Statistics ("Get statistics per unit", "Get statistics of sent messages").
UNITS_A_MONTH = 1_000
"""Different names for `customAggregationUnits` in a calendar month of LINE's; more are ignored."""
PEOPLE_TO_TELL = 20
"""LINE says nothing about what fewer people did."""
STATISTICS_DAYS = 14
"""For so long after a message was sent its statistics go on."""
STATISTICS_SPAN_DAYS = 30
"""The last day one asks about may be so long after the first."""
INSIGHT_PER_HOUR = 60
LINE_DAYS = timezone(timedelta(hours=9))
"""LINE's days and months are Japan's, wherever the shop is."""


def line_month(at: datetime) -> date:
    """Return the first day of the month to whose quota LINE counts what is sent at `at`."""
    return at.astimezone(LINE_DAYS).date().replace(day=1)


# Texts ("Text message", "Template messages", "Quick reply", "Action objects").
TEXT = 5_000
ALT_TEXT = 1_500
BUTTONS_TEXT = 160
BUTTONS_TEXT_WITH_PICTURE = 60
"""Also with a title. The same holds for a column of a carousel."""
CONFIRM_TEXT = 240
COLUMN_TEXT = 120
TITLE = 40
LABEL = 20
IMAGE_CAROUSEL_LABEL = 12
FLEX_LABEL = 40
POSTBACK_DATA = 300
ACTION_TEXT = 300
"""What a message action says, and a postback's displayText."""
CLIPBOARD_TEXT = 1_000
ACTION_URI = 1_000
MEDIA_URL = 2_000
SENDER_NAME = 20
LOCATION_TEXT = 100

# How many ("Template messages", "Quick reply", "Flex Message").
QUICK_REPLIES = 13
BUTTONS_ACTIONS = 4
COLUMNS = 10
COLUMN_ACTIONS = 3
BUBBLES = 12
BUBBLE_BYTES = 30 * 1024
CAROUSEL_BYTES = 50 * 1024

# Images ("Image message").
IMAGE_BYTES = 10 * 1024 * 1024
PREVIEW_BYTES = 1024 * 1024

WEBHOOK_URL = 500
"""Characters of a webhook address ("Set webhook endpoint URL")."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds, by channel and endpoint."""

    requests: int
    seconds: float


# "Rate limits"
PUSH_RATE = Rate(2_000, 1)
REPLY_RATE = Rate(2_000, 1)
MULTICAST_RATE = Rate(200, 1)
LOADING_RATE = Rate(100, 1)
OTHER_RATE = Rate(2_000, 1)

_SCHEMES = ("http", "https", "line", "tel")
_Json = Mapping[str, Any]
Errors = dict[str, Text]


def check_messages(messages: Sequence[_Json]) -> Errors:
    """Return path → what is wrong, for all that LINE would refuse; empty when all is well.

    Paths are those of a form: `0.text`, `1.template.actions.2.label`. Messages whose
    variables are not yet filled in are checked again when they are.
    """
    errors: Errors = {}
    if not 1 <= len(messages) <= MAX_MESSAGES:
        errors[""] = _("A message has one to %(max)s parts.", max=MAX_MESSAGES)
    for index, message in enumerate(messages):
        _Check(errors).message(message, str(index))
    return errors


class _Check:
    """Collects errors; every method looks at one kind of object."""

    def __init__(self, errors: Errors) -> None:
        self.errors = errors

    def wrong(self, path: str, text: Text) -> None:
        self.errors.setdefault(path, text)

    def message(self, message: _Json, path: str) -> None:
        kinds: dict[str, Callable[[_Json, str], None]] = {
            "text": lambda m, p: self.text(m, "text", p, TEXT),
            "textV2": lambda m, p: self.text(m, "text", p, TEXT),
            "sticker": self._sticker,
            "image": self._picture,
            "video": self._picture,
            "audio": lambda m, p: self.url(m, "originalContentUrl", p),
            "location": self._location,
            "coupon": lambda m, p: self.text(m, "couponId", p, 500),
            "template": self._template,
            "flex": self._flex,
            "imagemap": self._imagemap,
        }
        kind = kinds.get(str(message.get("type")))
        if kind is None:
            self.wrong(_at(path, "type"), _("LINE knows no such kind of message."))
            return
        kind(message, path)
        if (sender := _object(message.get("sender"))) is not None:
            self.text(sender, "name", _at(path, "sender"), SENDER_NAME, required=False)
            self.url(sender, "iconUrl", _at(path, "sender"), required=False)
        if (quick := _object(message.get("quickReply"))) is not None:
            here = _at(path, "quickReply.items")
            for at, item in self.items(quick, "items", here, 1, QUICK_REPLIES):
                self.url(item, "imageUrl", at, required=False)
                self.action(item.get("action"), _at(at, "action"), LABEL)

    def text(
        self,
        owner: _Json,
        name: str,
        path: str,
        most: int,
        *,
        required: bool = True,
        count: Callable[[str], int] = utf16_length,
    ) -> None:
        value = owner.get(name)
        here = _at(path, name)
        if value is None or value == "":
            # LINE refuses an empty text even where it could be left out.
            if required or value == "":
                self.wrong(here, _("Please fill this in."))
        elif not isinstance(value, str):
            self.wrong(here, _("This must be a text."))
        elif len(value) * 2 > most and (length := count(value)) > most:
            self.wrong(
                here,
                _(
                    "LINE takes at most %(max)s characters here; this has %(n)s.",
                    max=most,
                    n=length,
                ),
            )

    def label(self, owner: _Json, path: str, most: int, *, required: bool) -> None:
        self.text(owner, "label", path, most, required=required, count=grapheme_length)

    def url(
        self,
        owner: _Json,
        name: str,
        path: str,
        *,
        required: bool = True,
        schemes: Sequence[str] = ("https",),
        most: int = MEDIA_URL,
    ) -> None:
        value = owner.get(name)
        here = _at(path, name)
        self.text(owner, name, path, most, required=required)
        if here in self.errors or not isinstance(value, str):
            return
        try:
            parts = urlsplit(value)
            good = parts.scheme.lower() in schemes and (
                parts.scheme.lower() not in ("http", "https") or bool(parts.hostname)
            )
        except ValueError:
            good = False
        if not good or any(c.isspace() or c in '"<>' for c in value):
            names = ", ".join(f"{scheme}:" for scheme in schemes)
            self.wrong(
                here, _("Please enter an address that begins with %(schemes)s", schemes=names)
            )

    def items(
        self, owner: _Json, name: str, path: str, least: int, most: int
    ) -> list[tuple[str, _Json]]:
        value = owner.get(name)
        listed = cast("list[Any]", value) if isinstance(value, list) else []
        if not least <= len(listed) <= most:
            self.wrong(
                path,
                _("LINE takes %(min)s to %(max)s here; these are %(n)s.", min=least, max=most,
                  n=len(listed)),
            )  # fmt: skip
        return [(f"{path}.{i}", _object(item) or {}) for i, item in enumerate(listed)]

    def action(self, given: Any, path: str, label: int, *, named: bool = True) -> None:
        action = _object(given)
        if action is None:
            self.wrong(path, _("Please choose what a tap does."))
            return
        self.label(action, path, label, required=named)
        match action.get("type"):
            case "uri":
                self.url(action, "uri", path, schemes=_SCHEMES, most=ACTION_URI)
            case "message":
                self.text(action, "text", path, ACTION_TEXT, count=grapheme_length)
            case "postback":
                self.text(action, "data", path, POSTBACK_DATA)
                for name in ("displayText", "text", "fillInText"):
                    self.text(
                        action, name, path, ACTION_TEXT, required=False, count=grapheme_length
                    )
            case "datetimepicker":
                self.text(action, "data", path, POSTBACK_DATA)
                if action.get("mode") not in ("date", "time", "datetime"):
                    self.wrong(_at(path, "mode"), _("Please choose date, time or both."))
            case "clipboard":
                self.text(action, "clipboardText", path, CLIPBOARD_TEXT)
            case "camera" | "cameraRoll" | "location" | "richmenuswitch":
                pass
            case _:
                self.wrong(_at(path, "type"), _("LINE knows no such kind of action."))

    def _sticker(self, message: _Json, path: str) -> None:
        self.text(message, "packageId", path, 50)
        self.text(message, "stickerId", path, 50)

    def _picture(self, message: _Json, path: str) -> None:
        self.url(message, "originalContentUrl", path)
        self.url(message, "previewImageUrl", path)

    def _location(self, message: _Json, path: str) -> None:
        self.text(message, "title", path, LOCATION_TEXT)
        self.text(message, "address", path, LOCATION_TEXT)
        for name, most in (("latitude", 90), ("longitude", 180)):
            value = message.get(name)
            if not isinstance(value, (int, float)) or not -most <= value <= most:
                self.wrong(
                    _at(path, name),
                    _("Please enter a number from %(min)s to %(max)s.", min=-most, max=most),
                )

    def _imagemap(self, message: _Json, path: str) -> None:
        self.url(message, "baseUrl", path)
        self.text(message, "altText", path, ALT_TEXT)
        self.items(message, "actions", _at(path, "actions"), 1, 50)

    def _template(self, message: _Json, path: str) -> None:
        self.text(message, "altText", path, ALT_TEXT)
        template = _object(message.get("template")) or {}
        here = _at(path, "template")
        match template.get("type"):
            case "buttons":
                self._card(template, here, BUTTONS_TEXT, BUTTONS_ACTIONS)
            case "confirm":
                self.text(template, "text", here, CONFIRM_TEXT, count=grapheme_length)
                for at, action in self.items(template, "actions", _at(here, "actions"), 2, 2):
                    self.action(action, at, LABEL)
            case "carousel":
                columns = self.items(template, "columns", _at(here, "columns"), 1, COLUMNS)
                for at, column in columns:
                    self._card(column, at, COLUMN_TEXT, COLUMN_ACTIONS)
                self._alike(columns)
            case "image_carousel":
                for at, column in self.items(template, "columns", _at(here, "columns"), 1, COLUMNS):
                    self.url(column, "imageUrl", at)
                    self.action(
                        column.get("action"), _at(at, "action"), IMAGE_CAROUSEL_LABEL, named=False
                    )
            case _:
                self.wrong(_at(here, "type"), _("LINE knows no such kind of message."))

    def _card(self, card: _Json, path: str, text: int, actions: int) -> None:
        pictured = card.get("title") or card.get("thumbnailImageUrl")
        most = BUTTONS_TEXT_WITH_PICTURE if pictured else text
        self.text(card, "text", path, most, count=grapheme_length)
        self.text(card, "title", path, TITLE, required=False, count=grapheme_length)
        self.url(card, "thumbnailImageUrl", path, required=False)
        if card.get("defaultAction") is not None:
            self.action(card["defaultAction"], _at(path, "defaultAction"), LABEL, named=False)
        for at, action in self.items(card, "actions", _at(path, "actions"), 1, actions):
            self.action(action, at, LABEL)

    def _alike(self, columns: Sequence[tuple[str, _Json]]) -> None:
        shapes = [
            (
                len(cast("list[Any]", column.get("actions") or [])),
                bool(column.get("title")),
                bool(column.get("thumbnailImageUrl")),
            )
            for _path, column in columns
        ]
        for (path, _column), shape in zip(columns, shapes, strict=True):
            if shape != shapes[0]:
                self.wrong(
                    path,
                    _(
                        "All cards need the same number of buttons, "
                        "and all or none a title and an image."
                    ),
                )

    def _flex(self, message: _Json, path: str) -> None:
        self.text(message, "altText", path, ALT_TEXT)
        here = _at(path, "contents")
        contents = _object(message.get("contents"))
        if contents is None or contents.get("type") not in ("bubble", "carousel"):
            self.wrong(here, _("A Flex message needs a bubble or a carousel."))
            return
        bubbles = [(here, contents)]
        if contents["type"] == "carousel":
            self._size(contents, here, CAROUSEL_BYTES)
            bubbles = self.items(contents, "contents", _at(here, "contents"), 1, BUBBLES)
        for at, bubble in bubbles:
            self._size(bubble, at, BUBBLE_BYTES)
            self._components(bubble, at)

    def _size(self, container: _Json, path: str, most: int) -> None:
        try:
            size = len(orjson.dumps(container))
        except TypeError:
            size = most + 1  # nested beyond what can be written is as good as too large
        if size > most:
            kilobytes = most // 1024
            self.wrong(path, _("This is larger than LINE's %(kb)s KB.", kb=kilobytes))

    def _components(self, bubble: _Json, path: str) -> None:
        """Look at what taps do and what is loaded, wherever it stands in the bubble."""
        waiting: list[tuple[str, Any]] = [(path, bubble)]
        while waiting:
            at, node = waiting.pop()
            if isinstance(node, list):
                waiting += [(f"{at}.{i}", one) for i, one in enumerate(cast("list[Any]", node))]
            elif isinstance(node, dict):
                item = cast("dict[str, Any]", node)
                kind = item.get("type")
                if kind in ("image", "icon"):
                    self.url(item, "url", at)
                if "action" in item or kind == "button":
                    self.action(
                        item.get("action"), _at(at, "action"), FLEX_LABEL, named=kind == "button"
                    )
                if kind == "text" and not item.get("contents"):
                    self.text(item, "text", at, CAROUSEL_BYTES)
                waiting += [(_at(at, k), v) for k, v in item.items() if k != "action"]


def _object(value: Any) -> _Json | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
