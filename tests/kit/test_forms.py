"""Forms into models: nesting, every error at its field, and words in both languages."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, Field, field_validator

from hiiki.kit.errors import Invalid
from hiiki.kit.forms import Wrong, nested, parse, parse_as


class Choice(BaseModel):
    label: Annotated[str, Field(min_length=1, max_length=5)]


class Question(BaseModel):
    title: Annotated[str, BeforeValidator(str.strip), Field(min_length=1, max_length=10)]
    choices: Annotated[list[Choice], Field(min_length=1, max_length=2)] = []
    number: Annotated[int, Field(ge=1, le=9)] = 1

    @field_validator("title")
    @classmethod
    def _no_shouting(cls, value: str) -> str:
        if value.isupper():
            raise Wrong("Please do not shout, %(name)s.", name=value)
        return value


class Form(BaseModel):
    questions: list[Question]


def test_names_become_nested_data() -> None:
    assert nested(
        [
            ("name", "x"),
            ("on", "false"),
            ("on", "true"),
            ("tags[]", ""),
            ("tags[]", "a"),
            ("tags[]", "b"),
            ("none[]", ""),
            ("q.10.t", "eleventh"),
            ("q.2.t", "third"),
            ("q.2.c.0.l", "deep"),
        ]
    ) == {
        "name": "x",
        "on": "true",
        "tags": ["a", "b"],
        "none": [],
        "q": [{"t": "third", "c": [{"l": "deep"}]}, {"t": "eleventh"}],
    }


@pytest.mark.parametrize("name", ["", ".", "..", "a.", ".a", "a..b", "a.b[]", "[]"])
def test_strange_names_break_nothing(name: str) -> None:
    assert isinstance(nested([(name, "x"), ("a", "y"), ("a.b", "z"), ("a", "w")]), dict)


def test_every_error_is_at_its_field_in_both_languages() -> None:
    with pytest.raises(Invalid) as error:
        parse(
            Form,
            {
                "questions": [
                    {"title": " ", "choices": [{"label": "a" * 6}, {}]},
                    {"title": "a" * 11, "number": "many"},
                    {"title": "HEY", "number": 10, "choices": [{"label": "a"}] * 3},
                ]
            },
        )
    fields = error.value.fields
    assert {path: text.to("en") for path, text in fields.items()} == {
        "questions.0.title": "Please fill this in.",
        "questions.0.choices.0.label": "Please shorten this to 5 characters.",
        "questions.0.choices.1.label": "Please fill this in.",
        "questions.1.title": "Please shorten this to 10 characters.",
        "questions.1.number": "Please enter a whole number.",
        "questions.2.title": "Please do not shout, HEY.",
        "questions.2.number": "Please enter 9 or less.",
        "questions.2.choices": "Please give at most 2.",
    }
    assert fields["questions.1.title"].to("ja") == "10文字以内にしてください。"


def test_any_type_can_be_read() -> None:
    assert parse_as(list[int], ["1", 2]) == [1, 2]
    with pytest.raises(Invalid) as error:
        parse_as(Literal["a", "b"], "c")
    assert "'a'" in error.value.fields[""].to("en")
