"""The rule tree: a question about people, as data.

Groups are `all`, `any` and `not`; everything else is a condition about one person. The
tree says nothing of SQL: `compiler` turns it into one statement, `check` into errors at
the field, `explain` into a sentence.

## True, false, and not known

What we do not know of a person is neither one thing nor the other (Kleene's logic):

* Conditions about what **exists** (`tag`, `event`, `answer`, `friendship`, `segment`,
  `everyone`) are always known. Their negation is everybody else in the workspace: who has
  not got the tag, who was never asked the question.
* Conditions that **compare a value** (`attribute`, `profile`) are true, false or unknown.
  A person without an age is neither over 30 nor not over 30: both leave her out.
  `not` keeps unknown unknown; `all` and `any` follow Kleene (unknown and false is false,
  unknown or true is true). Only people for whom the whole rule is true are in.
* `or_unknown` says otherwise. On a condition it counts the unknown as true. On a `not` it
  takes everybody for whom the inner rule is not true, the unknown among them.
* `known` and `unknown` ask about the value itself and are always known.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, LiteralString, cast, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from hiiki.kit.errors import Invalid
from hiiki.kit.forms import Wrong, explain
from hiiki.segments.comparisons import (
    MAX_CHOICES,
    MAX_TEXT,
    TESTS,
    Ever,
    Number,
    Part,
    Period,
    Some,
    Test,
    at_least_one,
)

MAX_DEPTH = 15
"""How many groups may stand inside one another; nobody can read more."""
MAX_CONDITIONS = 200
# --- conditions -------------------------------------------------------------------------


class Tagged(Part):
    """Has one of these tags at least, all of them, or none of them."""

    kind: Literal["tag"]
    op: Literal["has", "has_all", "has_not"] = "has"
    tag_ids: Annotated[
        list[UUID],
        Field(max_length=MAX_CHOICES, json_schema_extra={"minItems": 1}),
        AfterValidator(at_least_one),
    ]


class AttributeIs(Part):
    """The value of one of the shop's own fields (友だち情報) passes a test."""

    kind: Literal["attribute"]
    attribute_id: UUID
    test: Test
    or_unknown: bool = False


PROFILE_FIELDS = {
    "display_name": "text",
    "real_name": "text",
    "prefecture": "choice",
    "birthday": "date",
    "email": "text",
    "phone": "text",
    "language": "text",
    "is_purchaser": "flag",
}
"""What every contact has a place for, and the kind of its value."""


class ProfileIs(Part):
    """The value of a field that every contact has passes a test."""

    kind: Literal["profile"]
    field: Literal[
        "display_name",
        "real_name",
        "prefecture",
        "birthday",
        "email",
        "phone",
        "language",
        "is_purchaser",
    ]
    test: Test
    or_unknown: bool = False


class Befriended(Part):
    """Follows, or has blocked, an official account, and when she last added it."""

    kind: Literal["friendship"]
    status: Literal["following", "blocked", "either"] = "following"
    channel_id: UUID | None = None
    """None means any account of the workspace."""
    followed: Period = Ever()
    """When they last added (or unblocked) the account; `ever` also takes those who never did."""

    @field_validator("channel_id", mode="before")
    @classmethod
    def _any_channel(cls, value: Any) -> Any:
        return None if value == "" else value


class Answered(Part):
    """What somebody answered to a question of a survey; the latest answer counts."""

    kind: Literal["answer"]
    question_id: UUID
    op: Literal["answered", "choices", "contains"] = "choices"
    choice_ids: Annotated[list[Some], Field(default_factory=list, max_length=MAX_CHOICES)]
    """For `choices`: any of these."""
    text: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """For `contains`: this is part of the words that were written."""
    any_time: bool = False
    """Counts earlier answers as well, and not only the latest."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @field_validator("choice_ids")
    @classmethod
    def _some_choice(cls, choice_ids: list[str], info: ValidationInfo) -> list[str]:
        if info.data.get("op") == "choices" and not choice_ids:
            raise Wrong("Please choose at least one answer.")
        return choice_ids

    @field_validator("text")
    @classmethod
    def _some_text(cls, text: str, info: ValidationInfo) -> str:
        if info.data.get("op") == "contains" and not text:
            raise Wrong("Please fill this in.")
        return text


class Happened(Part):
    """How often something happened, or how much it came to.

    Somebody to whom it never happened has a count of 0 and a sum of 0, and no maximum: a
    comparison of the maximum is then not true.
    """

    kind: Literal["event"]
    event: Annotated[str, Field(min_length=1, max_length=60)]
    """The kind of event, such as `link_open`."""
    subject: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """What it was about; empty means anything."""
    channel_id: UUID | None = None
    period: Period = Ever()
    measure: Literal["count", "sum", "max"] = "count"
    op: Literal["at_least", "at_most", "exactly"] = "at_least"
    number: Number = Decimal(1)

    @field_validator("channel_id", mode="before")
    @classmethod
    def _any_channel(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("number")
    @classmethod
    def _whole(cls, number: Decimal, info: ValidationInfo) -> Decimal:
        if info.data.get("measure") == "count" and (number < 0 or number != int(number)):
            raise Wrong("Please enter a whole number.")
        return number


class InSegment(Part):
    """Is in another segment."""

    kind: Literal["segment"]
    segment_id: UUID


class Everyone(Part):
    """Every contact of the workspace, those who blocked it included."""

    kind: Literal["everyone"]


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


AnyRule = (
    AllOf
    | AnyOf
    | Not
    | Tagged
    | AttributeIs
    | ProfileIs
    | Befriended
    | Answered
    | Happened
    | InSegment
    | Everyone
)
Rule = Annotated[AnyRule, Field(discriminator="kind")]

for _group in (AllOf, AnyOf, Not):
    _group.model_rebuild()

CONDITIONS = (
    "tag",
    "attribute",
    "profile",
    "friendship",
    "answer",
    "event",
    "segment",
    "everyone",
)
"""The kinds of condition, in the order in which the builder offers them."""


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
                    loc=tuple(part for part in detail["loc"] if part not in _NO_FIELDS),
                    input=None,
                )
                for detail in error.errors(include_url=False, include_input=False)
            ],
        ) from error


GuardedRule = Annotated[Rule, WrapValidator(_plainly)]
"""A rule as it comes from outside. Use it, and not `Rule`, as a field of an API model."""

_RULE: TypeAdapter[AnyRule] = TypeAdapter(GuardedRule)
_NO_FIELDS = frozenset(
    {"all", "any", "not", "ever", "recent", "earlier", "dates", *CONDITIONS}
    | {op for model in TESTS for op in get_args(model.model_fields["op"].annotation)}
)


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
