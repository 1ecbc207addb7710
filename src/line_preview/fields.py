"""Reading fields out of JSON that nobody has checked yet.

A preview is drawn while somebody is still typing, and in the emulator from whatever a bot sent.
So nothing here trusts a value's type or size: each reader returns what was asked for or a harmless
default, and never raises.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

Fields = Mapping[str, Any]

_EMPTY: Fields = {}
# Surrogates cannot be encoded as UTF-8 and NUL is not allowed in HTML; both would break the page.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MAX_INTEGER = 2**53
_ACTION_DEPTH = 6


def clean(value: str) -> str:
    """Return `value` as a plain string without characters that HTML or UTF-8 cannot carry.

    Plain on purpose: a `Markup` that slipped into a message would otherwise not be escaped.
    """
    return _UNPRINTABLE.sub("\ufffd", str(value).replace("\r\n", "\n").replace("\r", "\n"))


def fields(value: object) -> Fields:
    """Return `value` if it is a JSON object, otherwise an empty one."""
    return cast(Fields, value) if isinstance(value, Mapping) else _EMPTY


def items(value: object) -> Sequence[Any]:
    """Return `value` if it is a JSON array, otherwise an empty one."""
    return cast(Sequence[Any], value) if isinstance(value, (list, tuple)) else ()


def text(source: Fields, key: str) -> str:
    """Return a string field, or the empty string."""
    value = source.get(key)
    return clean(value) if isinstance(value, str) else ""


def keyword(source: Fields, key: str, allowed: frozenset[str], default: str = "") -> str:
    """Return a string field if it is one of the allowed words."""
    value = source.get(key)
    return value if isinstance(value, str) and value in allowed else default


def number(source: Fields, key: str) -> float | None:
    """Return a finite number field of a size a browser can handle, or None."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Compared before any conversion: float() of a huge int raises.
    if not -_MAX_INTEGER < value < _MAX_INTEGER or not math.isfinite(value):
        return None
    return float(value)


def integer(source: Fields, key: str, default: int = 0) -> int:
    """Return a whole-number field, or the default."""
    value = number(source, key)
    return int(value) if value is not None and value == int(value) else default


def flag(source: Fields, key: str) -> bool:
    """Return whether a field is exactly true."""
    return source.get(key) is True


def to_json(source: Fields) -> str:
    """Return strict JSON of an object: no NaN, no bottomless nesting, no lone surrogates."""
    return json.dumps(_plain(source, _ACTION_DEPTH), ensure_ascii=False, separators=(",", ":"))


def _plain(value: object, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (int, float)):
        small = -_MAX_INTEGER < value < _MAX_INTEGER and math.isfinite(value)
        return value if small else None
    if depth <= 0:
        return None
    if isinstance(value, Mapping):
        pairs = cast(Mapping[object, object], value).items()
        return {clean(key): _plain(item, depth - 1) for key, item in pairs if isinstance(key, str)}
    return [_plain(item, depth - 1) for item in items(value)]
