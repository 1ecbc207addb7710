"""Ways to break a value that a schema allows, one at a time."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import Flat, Json, Place, walk


@dataclass(frozen=True)
class Broken:
    """A body with one thing wrong: `rule` of the schema `schema` at `place`."""

    schema: str
    property: str
    rule: str
    place: Place
    body: Any

    def __str__(self) -> str:
        where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in self.place)
        return f"{self.schema}.{self.property} {self.rule} at {where or 'the body'}"


def breakings(file: str, schema: Json, body: Any, name: str) -> Iterator[Broken]:
    """`body` broken in every way that its schema speaks of, each rule once for each schema."""
    done: set[tuple[str, str, str]] = set()
    for place, here, value in walk(file, schema, body, name):
        owner, _, last = here.name.rpartition(".")
        for rule, changed, key in _changes(here, value):
            mark = (here.name, key, rule) if key else (owner or here.name, last, rule)
            if mark in done:
                continue
            done.add(mark)
            where = (*place, key) if key else place
            yield Broken(*mark, where, _replaced(body, place, changed))


_GONE = object()


def _changes(here: Flat, value: Any) -> Iterator[tuple[str, Any, str]]:
    if isinstance(value, dict):
        for key in here.required:
            if key in value:
                yield "required", {k: v for k, v in value.items() if k != key}, key
    wrong = {"string": {}, "integer": "many", "number": "many", "boolean": "maybe",
             "array": "none", "object": "none"}.get(here.type or "", _GONE)  # fmt: skip
    if wrong is not _GONE:
        yield "type", wrong, ""
    limits = here.limits
    if isinstance(value, str):
        if "maxLength" in limits:
            yield "maxLength", _longer(value, limits["maxLength"]), ""
        if limits.get("minLength", 0) > 0:
            yield "minLength", value[: limits["minLength"] - 1], ""
        if "pattern" in limits and not re.fullmatch(limits["pattern"], "#! "):
            yield "pattern", "#! "[: limits.get("maxLength", 3)], ""
        if "enum" in limits:
            yield "enum", "no_such_value", ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if "minimum" in limits:
            yield "minimum", limits["minimum"] - 1, ""
        if "maximum" in limits:
            yield "maximum", limits["maximum"] + 1, ""
    if isinstance(value, list):
        if "maxItems" in limits and value:
            yield "maxItems", (value * (limits["maxItems"] + 1))[: limits["maxItems"] + 1], ""
        if limits.get("minItems", 0) > 0:
            yield "minItems", value[: limits["minItems"] - 1], ""


def _longer(value: str, limit: int) -> str:
    return value + "a" * (limit + 1 - len(value))


def _replaced(body: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    made = copy.deepcopy(body)
    node = made
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    return made
