"""Action objects (reference, "Action objects"): what a tap does, and how long its label may be.

"Specifications of the label" there: the limit and whether a label is required depend on where the
action is set, so each place has its own schema, all made by `actions`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, cast

from ..model import Json
from .core import Check, by_type, choice, graphemes, obj, pattern, terse, text, url
from .report import Path, Report

SCHEMES = ("http", "https", "line", "tel")
"""What a URI action may open (reference, "URI action")."""
MAX_URI = 1000

_FORMATS = {
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "time": re.compile(r"\d{2}:\d{2}"),
    "datetime": re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}"),
}


def _moment(mode: str, value: Any) -> str | None:
    """The value in a form that sorts, or None if it is no moment of this mode."""
    if not isinstance(value, str) or not _FORMATS[mode].fullmatch(value):
        return None
    try:
        if mode == "date":
            year = date.fromisoformat(value).year
        elif mode == "time":
            datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - a time of day has no zone
            year = 2000
        else:
            year = datetime.fromisoformat(value.upper()).year
    except ValueError:
        return None
    return value.upper() if 1900 <= year <= 2100 else None


def _picker_range(action: Json, path: Path, report: Report) -> None:
    mode = action.get("mode")
    if not isinstance(mode, str) or mode not in _FORMATS:
        return
    moments: dict[str, str] = {}
    for name in ("initial", "max", "min"):
        value = action.get(name)
        if value is None:
            continue
        moment = _moment(mode, value)
        if moment is None:
            report.invalid((path, name), "invalid datetime format for the specified mode")
        else:
            moments[name] = moment
    low, high, start = (moments.get(name) for name in ("min", "max", "initial"))
    if (
        (low is not None and high is not None and low >= high)
        or (start is not None and low is not None and start < low)
        or (start is not None and high is not None and start > high)
    ):
        report.invalid(path, "invalid date time order")


def _one_text(action: Json, path: Path, report: Report) -> None:
    if action.get("text") is not None and action.get("displayText") is not None:
        report.invalid((path, "text"), "displayText and text can't be used at the same time")


def actions(
    label: int, *, required: bool, quick_reply: bool = False, only: tuple[str, ...] = ()
) -> Check:
    """The schema of actions at one place: labels of up to `label` graphemes."""
    label_check = graphemes(label)
    need = {"label": label_check} if required else {}
    may = {} if required else {"label": label_check}
    spoken = graphemes(300)
    data = text(300, low=0)
    uri = url(MAX_URI, *SCHEMES)
    kinds = {
        "postback": obj(
            need | {"data": data},
            may
            | {
                "displayText": spoken,
                "text": spoken,
                "inputOption": choice("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"),
                "fillInText": spoken,
            },
            _one_text,
        ),
        "message": obj(need | {"text": spoken}, may),
        "uri": obj(need | {"uri": uri}, may | {"altUri": obj({}, {"desktop": uri})}),
        "datetimepicker": obj(
            need | {"data": data, "mode": choice("date", "time", "datetime")}, may, _picker_range
        ),
        "clipboard": obj(need | {"clipboardText": text(1000)}, may),
    }
    if quick_reply:
        own = obj({"label": graphemes(20)})
        kinds |= {"camera": own, "cameraRoll": own, "location": own}
    if only:
        kinds = {name: kinds[name] for name in only}
    return by_type(kinds)


TEMPLATE_ACTION = actions(20, required=True)
IMAGE_CAROUSEL_ACTION = actions(12, required=False)
DEFAULT_ACTION = actions(20, required=False)
QUICK_REPLY_ACTION = terse(actions(20, required=True, quick_reply=True))
FLEX_ACTION = actions(40, required=False)
FLEX_VIDEO_ACTION = actions(40, required=True, only=("uri",))


def FLEX_BUTTON_ACTION(value: Any, path: Path, report: Report) -> None:
    """An action with a label, which a Flex button asks for in words of its own."""
    FLEX_ACTION(value, path, report)
    if isinstance(value, dict) and cast(Json, value).get("label") is None:
        report.invalid((path, "label"), "`label` must be specified")


COLOR = pattern(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
RGB = pattern(r"#[0-9A-Fa-f]{6}")
