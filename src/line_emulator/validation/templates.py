"""Template messages (reference, "Template messages")."""

from __future__ import annotations

from typing import Any, cast

from ..model import Json
from .actions import (
    DEFAULT_ACTION,
    IMAGE_CAROUSEL_ACTION,
    RGB,
    TEMPLATE_ACTION,
)
from .core import (
    Check,
    array,
    as_list,
    as_object,
    by_type,
    choice,
    grapheme_length,
    graphemes,
    obj,
    url,
)
from .report import Content, Path, Report

IMAGE = url(2000, "https")


def _short_beside_picture(limit: int) -> Any:
    def rule(column: Json, path: Path, report: Report) -> None:
        body = column.get("text")
        pictured = column.get("title") or column.get("thumbnailImageUrl")
        if pictured and isinstance(body, str) and grapheme_length(body) > limit:
            report.length((path, "text"), 0, limit)

    return rule


def _same_columns(template: Json, path: Path, report: Report) -> None:
    """All columns have as many actions, and all or none a title and an image (the note there)."""
    columns = [as_object(column) for column in as_list(template.get("columns"))]
    if not columns:
        return
    first = _shape(columns[0])
    for index, column in enumerate(columns):
        if _shape(column) != first:
            report.invalid(((path, "columns"), index), "invalid property")
            return


def _shape(column: Json) -> tuple[int, bool, bool]:
    return (
        len(as_list(column.get("actions"))),
        bool(column.get("title")),
        bool(column.get("thumbnailImageUrl")),
    )


_LOOK: dict[str, Check] = {
    "imageAspectRatio": choice("rectangle", "square"),
    "imageSize": choice("cover", "contain"),
}
_PICTURE: dict[str, Check] = {
    "thumbnailImageUrl": IMAGE,
    "imageBackgroundColor": RGB,
    "title": graphemes(40),
    "defaultAction": DEFAULT_ACTION,
}

BUTTONS = obj(
    {"text": graphemes(160), "actions": array(TEMPLATE_ACTION, 1, 4)},
    _PICTURE | _LOOK,
    _short_beside_picture(60),
)
CONFIRM = obj({"text": graphemes(240), "actions": array(TEMPLATE_ACTION, 2, 2)})
CAROUSEL_COLUMN = obj(
    {"text": graphemes(120), "actions": array(TEMPLATE_ACTION, 1, 3)},
    _PICTURE,
    _short_beside_picture(60),
)
CAROUSEL = obj({"columns": array(CAROUSEL_COLUMN, 1, 10)}, _LOOK, _same_columns)
IMAGE_CAROUSEL = obj(
    {"columns": array(obj({"imageUrl": IMAGE, "action": IMAGE_CAROUSEL_ACTION}), 1, 10)}
)

_template = by_type(
    {
        "buttons": BUTTONS,
        "confirm": CONFIRM,
        "carousel": CAROUSEL,
        "image_carousel": IMAGE_CAROUSEL,
    }
)


def template(value: Any, path: Path, report: Report) -> None:
    """The `template` property of a template message."""
    if not isinstance(value, dict):
        report.unreadable(path)
        return
    assert isinstance(path, tuple)
    _template(cast(Json, value), Content(path[0], "template"), report)
