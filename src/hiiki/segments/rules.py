"""The rule tree: a question about people, as data.

Groups are `all`, `any` and `not`; everything else is a condition about one person. The
tree says nothing of SQL: `compiler` turns it into one statement, `check` into errors at
the field, `explain` into a sentence.

## True, false, and not known

What we do not know of a person is neither one thing nor the other (Kleene's logic):

* Conditions about what **exists or happened** (`tag`, `friendship`, `answer`, `event`,
  `first_or_last`, `sequence`, `message`, `segment`, `list`, `random`, `everyone`) are always
  known. Their negation is everybody else in the workspace: who has not got the tag, who was
  never asked the question.
* Conditions that **compare a value** (`attribute`, `profile`, `field`) are true, false or
  unknown. Where a field says what holds for people without a row (nothing was bought: 0), that
  is known of them.
  A person without an age is neither over 30 nor not over 30: both leave her out.
  `not` keeps unknown unknown; `all` and `any` follow Kleene (unknown and false is false,
  unknown or true is true). Only people for whom the whole rule is true are in.
* `or_unknown` says otherwise. On a condition it counts the unknown as true. On a `not` it
  takes everybody for whom the inner rule is not true, the unknown among them.
* `known` and `unknown` ask about the value itself and are always known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, LiteralString, cast

from pydantic import (
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from hiiki.kit.errors import Invalid
from hiiki.kit.forms import Wrong, explain
from hiiki.segments.comparisons import Part
from hiiki.segments.conditions import AnyCondition

MAX_DEPTH = 15
"""How many groups may stand inside one another; nobody can read more."""
MAX_CONDITIONS = 200

# --- groups -----------------------------------------------------------------------------


class AllOf(Part):
    """Every one of these is true."""

    kind: Literal["all"]
    rules: Annotated[list[Rule], Field(min_length=1, max_length=MAX_CONDITIONS)]


class AnyOf(Part):
    """At least one of these is true."""

    kind: Literal["any"]
    rules: Annotated[list[Rule], Field(min_length=1, max_length=MAX_CONDITIONS)]


class Not(Part):
    """This is false; with `or_unknown`, this is not true."""

    kind: Literal["not"]
    rule: Rule
    or_unknown: bool = False


AnyRule = AllOf | AnyOf | Not | AnyCondition
Rule = Annotated[AnyRule, Field(discriminator="kind")]

for _group in (AllOf, AnyOf, Not):
    _group.model_rebuild()

# --- in and out -------------------------------------------------------------------------


def _guard(data: Any) -> Any:
    """Refuse a tree that is too deep or too big before anything walks it by recursion."""
    if isinstance(data, BaseModel):
        return data
    conditions = 0
    waiting: list[tuple[Any, int]] = [(data, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, dict):
            fields = cast("dict[Any, Any]", node)
            if fields.get("kind") in ("all", "any", "not"):
                depth += 1
            elif "kind" in fields:
                conditions += 1
            waiting.extend((value, depth) for value in fields.values())
        elif isinstance(node, list):
            waiting.extend((value, depth) for value in cast("list[Any]", node))
        elif isinstance(node, str):
            _storable(node)
        if depth > MAX_DEPTH:
            raise Wrong(
                "Groups can stand at most %(limit)s deep inside one another."
                " Please simplify the segment, or make a segment of a part of it.",
                limit=MAX_DEPTH,
            )
        # Periods have a kind as well, hence twice the number.
        if conditions > 2 * MAX_CONDITIONS:
            raise Wrong("A segment can have at most %(limit)s conditions.", limit=MAX_CONDITIONS)
    return data


def _storable(text: str) -> None:
    # PostgreSQL stores neither NUL nor half a surrogate pair.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Wrong("This contains characters that cannot be stored.")


def _few(rule: AnyRule) -> AnyRule:
    if sum(not isinstance(part, AllOf | AnyOf | Not) for _, part in walk(rule)) > MAX_CONDITIONS:
        raise Wrong("A segment can have at most %(limit)s conditions.", limit=MAX_CONDITIONS)
    return rule


def _plainly(data: Any, handler: ValidatorFunctionWrapHandler) -> AnyRule:
    """Validate, and leave the names of union members out of the errors' paths."""
    try:
        return _few(handler(_guard(data)))
    except ValidationError as error:
        raise ValidationError.from_exception_data(
            error.title,
            [
                InitErrorDetails(
                    type=PydanticCustomError(
                        cast("LiteralString", detail["type"]), "wrong", detail.get("ctx")
                    ),
                    loc=_without_members(detail["loc"], data),
                    input=None,
                )
                for detail in error.errors(include_url=False, include_input=False)
            ],
        ) from error


GuardedRule = Annotated[Rule, WrapValidator(_plainly)]
"""A rule as it comes from outside. Use it, and not `Rule`, as a field of an API model."""

_RULE: TypeAdapter[AnyRule] = TypeAdapter(GuardedRule)


def _without_members(path: Sequence[int | str], data: Any) -> tuple[int | str, ...]:
    """Leave the names of union members out of a path: each comes once, ahead of its fields."""
    found: list[int | str] = []
    here, is_named = data, False
    for part in path:
        fields = cast("dict[Any, Any]", here) if isinstance(here, dict) else {}
        if not is_named and part == fields.get("kind", fields.get("op")):
            is_named = True
            continue
        found.append(part)
        inner: Any = fields.get(part)
        if isinstance(here, list) and isinstance(part, int):
            inner = cast("list[Any]", here)[part]
        here, is_named = inner, False
    return tuple(found)


def read_rule(data: Any) -> AnyRule:
    """Return JSON as a rule; raises `Invalid` with each error at its path (`rules.0.test.low`)."""
    try:
        return _RULE.validate_python(data)
    except ValidationError as error:
        raise Invalid(fields=explain(error)) from error


def stored_rule(data: Any) -> AnyRule | None:
    """Return a rule from the database, or None for one that cannot be read (any more)."""
    try:
        return read_rule(data)
    except Invalid:
        return None


def dump_rule(rule: AnyRule) -> dict[str, Any]:
    """Return a rule as JSON, as it is stored."""
    return rule.model_dump(mode="json")


def walk(rule: AnyRule, path: str = "") -> Iterator[tuple[str, AnyRule]]:
    """Yield every part of the tree with its path, from the top down; the top's path is ""."""
    yield path, rule
    dot = f"{path}." if path else ""
    if isinstance(rule, AllOf | AnyOf):
        for index, part in enumerate(rule.rules):
            yield from walk(part, f"{dot}rules.{index}")
    elif isinstance(rule, Not):
        yield from walk(rule.rule, f"{dot}rule")
