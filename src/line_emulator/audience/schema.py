"""Bodies and queries of the audience operations, and LINE's error codes for what is wrong.

Bodies are read as everywhere (`validation.core`); what is then refused has a code in
`details[].message` (reference, "Details of the error related to audience management").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from ..api.operation import Call, LineError
from ..model import Json
from ..validation.core import Check, boolean, integer, obj, text, url, utf16_length
from ..validation.report import Path, Report

MAX_NAME = 120
MAX_UPLOAD_DESCRIPTION = 300
MAX_IDS_JSON = 10_000
MAX_IDS_FILE = 1_500_000
MAX_PAGE_SIZE = 40
PAGE_SIZE = 20
_LONG = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_TEXTS = {
    "AUDIENCE_GROUP_NAME_SIZE_OVER": "size over audienceGroupName",
    "AUDIENCE_GROUP_NAME_WRONG": "wrong audienceGroupName",
    "AUDIENCE_GROUP_NAME_EMPTY": "empty audienceGroupName",
    "AUDIENCE_GROUP_NOT_FOUND": "audience group not found",
    "AUDIENCE_GROUP_COUNT_MAX_OVER": "audience group count max over",
    "AUDIENCE_GROUP_REQUESTID_DUPLICATE": "audience group requestId duplicate",
    "AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER": "size over uploadDescription",
    "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED": "audience group is expired",
    "REQUEST_NOT_FOUND": "request not found",
    "TOO_OLD_MESSAGES": "too old messages",
    "WRONG_BOT_ID": "wrong bot id",
    "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT": "Invalid audience id format",
    "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS": "No valid audience ids",
    "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS": "Too many audience ids",
}


def refuse(code: str, property: str | None = None, message: str | None = None) -> NoReturn:
    """Raise LINE's 400 with this code."""
    detail = {"message": code}
    if property is not None:
        detail["property"] = property
    raise LineError(400, {"message": message or _TEXTS.get(code, code), "details": [detail]})


def _any_text(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, str):
        report.unreadable(path)


def _ids(value: Any, path: Path, report: Report) -> None:
    if not isinstance(value, list):
        report.unreadable(path)
        return
    for index, one in enumerate(cast(list[Any], value)):
        if not isinstance(one, dict):
            report.unreadable((path, index))
        elif not isinstance(cast(Json, one).get("id"), str):
            report.missing(((path, index), "id"))


AUDIENCE_ID: Check = integer(0, _LONG)
_NAME: dict[str, Check] = {"description": _any_text}
_REQUEST: dict[str, Check] = {"requestId": text(200)}
UPLOAD = obj({}, _NAME | {"isIfaAudience": boolean, "uploadDescription": _any_text,
                          "audiences": _ids})  # fmt: skip
ADD = obj({"audienceGroupId": AUDIENCE_ID, "audiences": _ids}, {"uploadDescription": _any_text})
CLICK = obj(_REQUEST, _NAME | {"clickUrl": url(2000, "https", "http")})
IMP = obj(_REQUEST, _NAME)
RENAME = obj({}, _NAME)


def name(body: Mapping[str, Any]) -> str:
    """The audience's name, checked. Raises LineError."""
    given = str(body.get("description") or "")
    if not given.strip():
        refuse("AUDIENCE_GROUP_NAME_EMPTY")
    if _CONTROL.search(given):
        refuse("AUDIENCE_GROUP_NAME_WRONG")
    if utf16_length(given) > MAX_NAME:
        refuse("AUDIENCE_GROUP_NAME_SIZE_OVER")
    return given


def upload_description(body: Mapping[str, Any]) -> str | None:
    """The job's description, checked. Raises LineError."""
    given: str | None = body.get("uploadDescription")
    if given is not None and utf16_length(given) > MAX_UPLOAD_DESCRIPTION:
        refuse("AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER")
    return given


# Queries

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _query(name: str, message: str, code: str) -> NoReturn:
    """Raise LINE's 400 for a query parameter (reference, "Get data for multiple audiences")."""
    raise LineError(400, {"message": f"{name}: {message}", "details": [{"message": code}]})


def number(call: Call, name: str, default: int | None, high: int) -> int:
    """A query parameter from 1 to `high`. Raises LineError."""
    given = call.query.get(name)
    if given is None:
        if default is None:
            _query(name, "must not be empty", "REQUIRED")
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", given, re.ASCII):
        _query(name, "must be a number", "INVALID_VALUE")
    value = int(given)
    if value < 1:
        _query(name, "must be greater than or equal to 1", "TOO_LOW")
    if value > high:
        _query(name, f"must be less than or equal to {high}", "TOO_HIGH")
    return value


def chosen(call: Call, name: str, values: tuple[str, ...]) -> set[str] | None:
    """The values of a query parameter that may be given several times; None if it is absent.

    Empty is as good as absent: SDKs without optional values send `status=`.
    """
    given = [one for one in call.query_all(name) if one]
    for one in given:
        if one not in values:
            _query(name, f"must be one of {', '.join(values)}", "INVALID_VALUE")
    return set(given) or None


def flag(call: Call, name: str, default: bool) -> bool:
    """A query parameter that is true or false; 1 or 0 in PHP's SDK. Raises LineError."""
    given = call.query.get(name)
    if not given:
        return default
    if given not in _FLAGS:
        _query(name, "must be one of true, false", "INVALID_VALUE")
    return _FLAGS[given]
