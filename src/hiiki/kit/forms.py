"""What people type: HTML forms and JSON into Pydantic models, errors into words.

A form's nested names (`questions.0.title`) become nested lists and objects; Pydantic
says everything that is wrong at once; each error keeps the path of its field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _

M = TypeVar("M", bound=BaseModel)


class Wrong(PydanticCustomError):
    """Raise it in a validator to refuse a value with a sentence of your own."""

    def __new__(cls, english: str, **values: Any) -> Wrong:
        return super().__new__(cls, "hiiki", "{english}", {"english": english, "values": values})

    def __init__(self, english: str, **values: Any) -> None:
        """Take `english` and what fills its gaps; `__new__` has kept them."""


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return form fields as nested data: dots go into objects, numbers into lists.

    A name that ends in `[]` always gives a list; any other name keeps its last value,
    so that a hidden field before a checkbox serves as its "off".
    """
    tree: dict[str, Any] = {}
    for name, value in pairs:
        many = name.endswith("[]")
        *path, last = name.removesuffix("[]").split(".")
        node = tree
        for part in path:
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = cast("dict[str, Any]", below)
        if many:
            node.setdefault(last, [])
            if value != "":
                node[last].append(value)
        else:
            node[last] = value
    return cast("dict[str, Any]", _listed(tree))


def _listed(node: Any) -> Any:
    if isinstance(node, dict):
        items = cast("dict[str, Any]", node)
        if items and all(key.isdigit() for key in items):
            return [_listed(items[key]) for key in sorted(items, key=int)]
        return {key: _listed(value) for key, value in items.items()}
    return node


def parse(model: type[M], data: Any) -> M:
    """Return `data` as a `model`; raises `Invalid` with every error at its field's path."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(fields=explain(error)) from error


def parse_as(kind: Any, data: Any) -> Any:
    """Return `data` as any type that Pydantic knows, such as a union; raises `Invalid`."""
    try:
        return TypeAdapter[Any](kind).validate_python(data)
    except ValidationError as error:
        raise Invalid(fields=explain(error)) from error


def explain(error: ValidationError) -> dict[str, Text]:
    """Return field path → sentence for every error, in a person's words."""
    return explain_details(error.errors(include_url=False))


def explain_details(details: Iterable[ErrorDetails]) -> dict[str, Text]:
    """Return the same for errors that Pydantic has already listed."""
    found: dict[str, Text] = {}
    for detail in details:
        path = ".".join(str(part) for part in _path(detail["loc"]))
        found.setdefault(path, _sentence(detail))
    return found


def _path(loc: Sequence[int | str]) -> list[int | str]:
    # Pydantic puts the chosen member of a union into the path; a form has no such field.
    return [part for part in loc if not (isinstance(part, str) and part.startswith("kind:"))]


_SENTENCES: Mapping[str, str] = {
    "missing": "Please fill this in.",
    "string_too_short": "Please enter at least %(min_length)s characters.",
    "string_too_long": "Please shorten this to %(max_length)s characters.",
    "string_pattern_mismatch": "This is not in the form that is expected.",
    "int_parsing": "Please enter a whole number.",
    "int_type": "Please enter a whole number.",
    "int_from_float": "Please enter a whole number.",
    "float_parsing": "Please enter a number.",
    "decimal_parsing": "Please enter a number.",
    "greater_than": "Please enter a number above %(gt)s.",
    "greater_than_equal": "Please enter %(ge)s or more.",
    "less_than": "Please enter a number below %(lt)s.",
    "less_than_equal": "Please enter %(le)s or less.",
    "too_short": "Please give at least %(min_length)s.",
    "too_long": "Please give at most %(max_length)s.",
    "literal_error": "Please choose one of: %(expected)s.",
    "enum": "Please choose one of: %(expected)s.",
    "union_tag_invalid": "This kind is not known: %(tag)s.",
    "union_tag_not_found": "Please choose a kind.",
    "date_from_datetime_parsing": "Please enter a date, such as 2026-11-21.",
    "date_parsing": "Please enter a date, such as 2026-11-21.",
    "datetime_parsing": "Please enter a date and time.",
    "datetime_from_date_parsing": "Please enter a date and time.",
    "uuid_parsing": "Please choose one from the list.",
    "uuid_type": "Please choose one from the list.",
    "bool_parsing": "Please choose yes or no.",
    "url_parsing": "Please enter an address that begins with https://.",
    "url_scheme": "Please enter an address that begins with https://.",
}


def _sentence(detail: ErrorDetails) -> Text:
    context = detail.get("ctx", {})
    if detail["type"] == "hiiki":
        return Text(str(context["english"]), cast("Mapping[str, Any]", context["values"]))
    kind = detail["type"]
    if kind in ("too_short", "too_long") and isinstance(detail.get("input"), str):
        kind = f"string_{kind}"  # Pydantic's name for it where a validator stands before
    known = _SENTENCES.get(kind)
    if known is None:
        return _("This value cannot be taken.")
    if kind == "string_too_short" and context.get("min_length") == 1:
        return _("Please fill this in.")
    return Text(known, {name: str(value) for name, value in context.items()})
