"""Bodies of rich-menu requests (reference, "Rich menu object" and the operations' sections).

LINE words what is wrong in a rich menu object as it does for action objects ("must be specified"),
though it names the place as in any body ("areas[0].action.uri").

LINE publishes neither wording nor rule for numbers out of range. Sizes follow what the reference
says of `size`. An area has to lie within the menu, give or take a pixel: the areas in LINE's own
guides overhang by one.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, cast

from ..ids import USER_ID
from ..model import Json
from ..validation.actions import MAX_URI, SCHEMES, actions
from ..validation.core import (
    Check,
    array,
    as_list,
    as_object,
    boolean,
    by_type,
    graphemes,
    obj,
    pattern,
    terse,
    text,
    url,
)
from ..validation.report import Path, Report, Unreadable

MENU_ID = re.compile(r"richmenu-[0-9a-f]{32}")
ALIAS_ID = re.compile(r"[a-z0-9_-]{1,32}")
MIN_WIDTH, MAX_WIDTH, MIN_HEIGHT = 800, 2500, 250
MIN_RATIO = 1.45
"""Width by height (reference, "size object")."""
MAX_AREAS = 20
MAX_BULK = 500
MAX_OPERATIONS = 1000
_OVERHANG = 1
_MAX_INT = 2_147_483_647


def well_shaped(width: int, height: int) -> bool:
    """Whether a menu or its image may have this size in pixels."""
    return (
        MIN_WIDTH <= width <= MAX_WIDTH
        and height >= MIN_HEIGHT
        # In whole numbers: 1450 by 1000 is allowed, and must not depend on rounding.
        and width * 100 >= height * 145
    )


def _whole(low: int, high: int = _MAX_INT) -> Check:
    if high == _MAX_INT:
        message = f"must be greater than or equal to {low}"
    else:
        message = f"must be between {low} and {high}"

    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            report.unreadable(path)
        elif not low <= value <= high:
            report.invalid(path, message)

    return check


def _ratio(size: Json, path: Path, report: Report) -> None:
    width, height = size.get("width"), size.get("height")
    if report:
        return  # one of them is missing or no number
    if not well_shaped(int(cast(float, width)), int(cast(float, height))):
        report.invalid(path, f"aspect ratio (width / height) must be at least {MIN_RATIO}")


def _within(menu: Json, path: Path, report: Report) -> None:
    if report:
        return  # then the numbers cannot be relied on
    size = as_object(menu.get("size"))
    for index, area in enumerate(as_list(menu.get("areas"))):
        bounds = area["bounds"]
        place = (((path, "areas"), index), "bounds")
        for start, length in (("x", "width"), ("y", "height")):
            if bounds[start] + bounds[length] > size[length] + _OVERHANG:
                report.invalid((place, length), "must be within the size of the rich menu")


_LABEL = graphemes(20)
_URL = url(MAX_URI, *SCHEMES)
_URI_LENGTH = text(MAX_URI)


def _uri(value: Any, path: Path, report: Report) -> None:
    """A URI as in any action, but whatever is wrong with it is an "invalid uri" here."""
    before = Report()
    _URI_LENGTH(value, path, report)
    if isinstance(value, str) and value:
        _URL(value, path, before)
        if before and len(value) <= MAX_URI:
            report.invalid(path, "invalid uri")


_USUAL = actions(20, required=False)
_LABELLED = obj({}, {"label": _LABEL})
_OWN: dict[str, Check] = {
    "uri": obj({"uri": _uri}, {"label": _LABEL, "altUri": obj({}, {"desktop": _uri})}),
    "richmenuswitch": obj(
        {"richMenuAliasId": text(32, low=0), "data": text(300, low=0)}, {"label": _LABEL}
    ),
    # The reference has these three for quick replies only; LINE's API takes them here as well.
    "camera": _LABELLED,
    "cameraRoll": _LABELLED,
    "location": _LABELLED,
}


def _action(value: Any, path: Path, report: Report) -> None:
    kind = as_object(value).get("type")
    own = _OWN.get(kind) if isinstance(kind, str) else None
    (own or _USUAL)(value, path, report)


_KEPT = (
    "type",
    "label",
    "data",
    "displayText",
    "text",
    "inputOption",
    "fillInText",
    "uri",
    "mode",
    "initial",
    "max",
    "min",
    "richMenuAliasId",
    "clipboardText",
)


def known(action: Json) -> Json:
    """A checked action without the properties that LINE does not know, nor nulls."""
    kept = {name: action[name] for name in _KEPT if action.get(name) is not None}
    desktop = as_object(action.get("altUri")).get("desktop")
    return kept if desktop is None else kept | {"altUri": {"desktop": desktop}}


_BOUNDS = obj({"x": _whole(0), "y": _whole(0), "width": _whole(1), "height": _whole(1)})
_SIZE = obj({"width": _whole(MIN_WIDTH, MAX_WIDTH), "height": _whole(MIN_HEIGHT)}, None, _ratio)

RICH_MENU = terse(
    obj(
        {
            "size": _SIZE,
            "selected": boolean,
            "name": graphemes(300),
            "chatBarText": graphemes(14),
            "areas": array(obj({"bounds": _BOUNDS, "action": _action}), 0, MAX_AREAS),
        },
        None,
        _within,
    )
)
"""A rich menu object, for "Create rich menu" and "Validate rich menu object"."""


def _person(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        raise Unreadable(path)


_MENU_ID = pattern(MENU_ID.pattern, "invalid richMenuId")
_PEOPLE = array(_person, 1, MAX_BULK)

BULK_LINK = obj({"richMenuId": _MENU_ID, "userIds": _PEOPLE})
BULK_UNLINK = obj({"userIds": _PEOPLE})

NEW_ALIAS = obj(
    {
        "richMenuAliasId": pattern(ALIAS_ID.pattern, "invalid richMenuAliasId"),
        "richMenuId": _MENU_ID,
    }
)
CHANGED_ALIAS = obj({"richMenuId": _MENU_ID})


def _alone_and_once(body: Json, path: Path, report: Report) -> None:
    """`unlinkAll` stands alone, and no menu is the source of two operations."""
    operations = [as_object(one) for one in as_list(body.get("operations"))]
    kinds = {one.get("type") for one in operations if isinstance(one.get("type"), str)}
    if "unlinkAll" in kinds and len(kinds) > 1:
        message = "'unlinkAll' type can't be combined with other type"
        report.invalid((path, "operations[].type"), message)
    sources = Counter(one["from"] for one in operations if isinstance(one.get("from"), str))
    for source, times in sources.items():
        if times > 1:
            report.invalid((path, "operations[].from"), f"from richmenu ({source}) is duplicated")


BATCH = obj(
    {
        "operations": array(
            by_type(
                {
                    "link": obj({"from": _MENU_ID, "to": _MENU_ID}),
                    "unlink": obj({"from": _MENU_ID}),
                    "unlinkAll": obj(),
                }
            ),
            1,
            MAX_OPERATIONS,
        )
    },
    {"resumeRequestKey": pattern(r"[0-9a-zA-Z_-]{1,100}", "invalid resumeRequestKey")},
    _alone_and_once,
)
