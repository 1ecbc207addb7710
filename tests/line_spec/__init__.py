"""LINE's own OpenAPI files, read for tests: operations, schemas, and how to break what they allow.

The files lie beside the project, in `../shared/line-openapi`; tests that need them are skipped
where they are absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

Json = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "line-openapi"
FILES = (
    "messaging-api", "manage-audience", "insight", "channel-access-token", "liff", "module",
    "module-attach", "shop",
)  # fmt: skip
METHODS = ("get", "post", "put", "delete")

needs_spec = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="LINE's OpenAPI files are not in ../shared/line-openapi"
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation; `place` is path, query or header."""

    name: str
    place: str
    required: bool
    schema: Json


@dataclass(frozen=True)
class Op:
    """One operation of LINE's API as its specification has it."""

    file: str
    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    content_type: str | None
    body: Json | None
    body_required: bool
    body_example: Any
    answers: Json = field(hash=False, compare=False)

    @property
    def success(self) -> int:
        """The status of the good answer."""
        return min(int(status) for status in self.answers if status.startswith("2"))

    def answer_schema(self, status: int) -> Json | None:
        """The schema of the JSON answer with this status, if there is one."""
        content = self.answers.get(str(status), {}).get("content", {})
        return content.get("application/json", {}).get("schema")


@cache
def document(file: str) -> Json:
    """One of LINE's files, parsed."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / f"{file}.yml").read_bytes(), Loader=loader)


@cache
def operations() -> tuple[Op, ...]:
    """Every operation of the eight files; none where the files are absent."""
    if not FOLDER.is_dir():
        return ()
    return tuple(op for file in FILES for op in _operations_of(file))


def _operations_of(file: str) -> Iterator[Op]:
    for path, item in document(file)["paths"].items():
        for method in METHODS:
            found = item.get(method)
            if found is None:
                continue
            given = item.get("parameters", []) + found.get("parameters", [])
            content = found.get("requestBody", {}).get("content", {})
            content_type, media = next(iter(content.items()), (None, {}))
            yield Op(
                file=file,
                id=found["operationId"],
                method=method.upper(),
                path=path,
                parameters=tuple(
                    Parameter(one["name"], one["in"], one.get("required", False), one["schema"])
                    for one in given
                ),
                content_type=content_type,
                body=media.get("schema"),
                body_required=found.get("requestBody", {}).get("required", False),
                body_example=media.get("example"),
                answers=found["responses"],
            )


@dataclass
class Flat:
    """A schema with its parents merged in. `name` says where it is from."""

    name: str
    type: str | None = None
    properties: Json = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    rest: Json | None = None
    items: Json | None = None
    limits: Json = field(default_factory=dict)
    kinds: Json = field(default_factory=dict)
    """References by the value of the property `kind_property`."""
    kind_property: str = "type"
    nullable: bool = False


LIMITS = (
    "maxLength", "minLength", "pattern", "enum", "minimum", "maximum", "maxItems", "minItems",
)  # fmt: skip


def referred(file: str, schema: Json) -> tuple[str | None, Json]:
    """The schema a `$ref` leads to, with its name; the schema itself if it is none."""
    if "$ref" not in schema:
        return None, schema
    name = schema["$ref"].rsplit("/", 1)[-1]
    return name, document(file)["components"]["schemas"][name]


def flat(file: str, schema: Json, name: str = "") -> Flat:
    """The schema with everything it inherits."""
    own_name, found = referred(file, schema)
    result = Flat(own_name or name)
    _merge(file, result, found)
    kinds = found.get("discriminator", {})
    result.kinds = kinds.get("mapping", {})
    result.kind_property = kinds.get("propertyName", "type")
    return result


def _merge(file: str, into: Flat, schema: Json) -> None:
    for parent in schema.get("allOf", []):
        _merge(file, into, referred(file, parent)[1])
    if isinstance(schema.get("type"), str):
        into.type = schema["type"]
    into.properties |= schema.get("properties", {})
    into.required += [one for one in schema.get("required", []) if one not in into.required]
    into.items = schema.get("items", into.items)
    into.nullable = schema.get("nullable", into.nullable)
    rest = schema.get("additionalProperties")
    into.rest = rest if isinstance(rest, dict) else into.rest
    into.limits |= {key: schema[key] for key in LIMITS if key in schema}
    if into.properties and into.type is None:
        into.type = "object"


Place = tuple[str | int, ...]


def walk(file: str, schema: Json, value: Any, name: str) -> Iterator[tuple[Place, Flat, Any]]:
    """Every place of `value` with the schema that rules there, outermost first."""
    yield from _walk(file, schema, value, (), name)


def _one_of(file: str, schema: Json, value: Any) -> Json:
    """The first alternative of a `oneOf` whose required properties are all there."""
    _, found = referred(file, schema)
    if isinstance(value, dict):
        for one in found.get("oneOf", []):
            if set(flat(file, one).required) <= set(value):
                return one
    return schema


def _walk(
    file: str, schema: Json, value: Any, place: Place, name: str
) -> Iterator[tuple[Place, Flat, Any]]:
    schema = _one_of(file, schema, value)
    here = flat(file, schema, name)
    if here.kinds and isinstance(value, dict):
        kind = here.kinds.get(value.get(here.kind_property))
        if kind is not None:
            here = flat(file, {"$ref": kind})
    yield place, here, value
    if isinstance(value, dict):
        for key, inner in value.items():
            ruled = here.properties.get(key, here.rest)
            if ruled is not None:
                yield from _walk(file, ruled, inner, (*place, key), f"{here.name}.{key}")
    elif isinstance(value, list) and here.items is not None:
        for index, inner in enumerate(value):
            yield from _walk(file, here.items, inner, (*place, index), f"{here.name}[]")


def reachable(file: str, schema: Json, name: str) -> dict[str, set[str]]:
    """The named object schemas below `schema`, each with the names of its properties."""
    found: dict[str, set[str]] = {}
    waiting = [(schema, name)]
    seen: set[str] = set()
    while waiting:
        one, called = waiting.pop()
        reference = one.get("$ref")
        if reference in seen:
            continue
        if reference is not None:
            seen.add(reference)
        here = flat(file, one, called)
        waiting += [({"$ref": kind}, here.name) for kind in here.kinds.values()]
        waiting += [(kind, here.name) for kind in referred(file, one)[1].get("oneOf", [])]
        if here.properties and not here.kinds:
            found[here.name] = set(here.properties)
        waiting += [(inner, f"{here.name}.{key}") for key, inner in here.properties.items()]
        waiting += [(inner, f"{here.name}[]") for inner in (here.items, here.rest) if inner]
    return found


def examples(file: str, schema: Json) -> Iterator[tuple[str, Any]]:
    """The examples that the specification gives for properties of a body, by their names."""
    for key, inner in flat(file, schema).properties.items():
        found = referred(file, inner)[1]
        if "example" in found:
            yield key, found["example"]


def json_schema(file: str, schema: Json) -> Json:
    """The schema as plain JSON Schema, with `nullable` put into its words."""
    return {
        **_plain(schema),
        "components": {"schemas": _plain(document(file)["components"]["schemas"])},
    }


def _plain(node: Any) -> Any:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _plain(inner) for key, inner in node.items() if key not in ("example", "examples")}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]
    return made
