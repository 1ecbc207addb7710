"""Surveys as people and programs write and get them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hiiki.kit.forms import Wrong
from hiiki.kit.text import grapheme_length, utf16_length
from hiiki.surveys.present import LABEL, MAX_CHOICES

MAX_QUESTIONS = 50
TEXT = 5_000
"""UTF-16 units: what LINE takes in one text message."""

QuestionKind = Literal["choice", "choices", "text", "number", "date"]
Presentation = Literal["quick_reply", "buttons", "carousel"]


def _fits(text: str) -> str:
    if utf16_length(text) > TEXT:
        raise Wrong("Please shorten this to %(limit)s characters.", limit=f"{TEXT:,}")
    return text


class ChoiceSpec(BaseModel):
    """One answer that may be chosen, and what choosing it does."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: str = Field(default="", max_length=12, pattern=r"^[a-z0-9]*$")
    """Stays the same when the label changes; empty for a new choice."""
    label: str = Field(min_length=1)
    actions: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]], max_length=20)
    next: str | None = None
    """The id of a later question, "end", or nothing for the next in order."""

    @field_validator("label")
    @classmethod
    def _label(cls, label: str) -> str:
        # Messaging API reference, "Postback action": at most 20 characters in a button.
        if grapheme_length(label) > LABEL:
            raise Wrong(
                "LINE shows at most %(limit)s characters on a button; this has %(length)s.",
                limit=LABEL,
                length=grapheme_length(label),
            )
        return label

    @field_validator("next")
    @classmethod
    def _next(cls, value: str | None) -> str | None:
        return value or None


class QuestionSpec(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: str = Field(default="", max_length=64)
    """Its id; for a new question any word that `next` may refer to, or nothing."""
    kind: QuestionKind
    title: str = Field(min_length=1)
    presentation: Presentation = "quick_reply"
    attribute_id: UUID | None = None
    """The shop's own field in which the answer is kept."""
    choices: list[ChoiceSpec] = Field(default_factory=list[ChoiceSpec], max_length=MAX_CHOICES)

    @field_validator("attribute_id", mode="before")
    @classmethod
    def _attribute(cls, value: Any) -> Any:
        return value or None

    @field_validator("title")
    @classmethod
    def _title(cls, title: str) -> str:
        return _fits(title)


class SurveySpec(BaseModel):
    """A survey as it is written."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=100)
    intro: str = ""
    """Said before the first question."""
    thanks: str = ""
    """Said after the last."""
    questions: list[QuestionSpec] = Field(
        default_factory=list[QuestionSpec], max_length=MAX_QUESTIONS
    )
    finish_actions: list[dict[str, Any]] = Field(
        default_factory=list[dict[str, Any]], max_length=20
    )

    @field_validator("intro", "thanks")
    @classmethod
    def _texts(cls, text: str) -> str:
        return _fits(text)


class SurveyOut(SurveySpec):
    """A survey as it stands."""

    id: UUID
    state: Literal["draft", "live", "closed"]
    created_at: datetime
    updated_at: datetime


class SurveyLine(BaseModel):
    """A survey in a list."""

    id: UUID
    name: str
    state: Literal["draft", "live", "closed"]
    questions: int
    started: int
    finished: int
    updated_at: datetime


class AnswerCount(BaseModel):
    """How often one answer was given."""

    id: str
    """The choice's id; for a number or a date the value itself."""
    label: str
    count: int
    share: float
    """Of those who answered the question, 0 to 1."""


class QuestionResult(BaseModel):
    """How one question did."""

    id: UUID
    title: str
    kind: QuestionKind
    asked: int
    """How many people it was put to."""
    answered: int
    rate: float
    """`answered` of `asked`, 0 to 1: the question's response rate."""
    answers: list[AnswerCount]
    average: float | None = None
    """Of a number's answers."""


class Results(BaseModel):
    """What came of a survey."""

    survey_id: UUID
    started: int
    finished: int
    rate: float
    """`finished` of `started`, 0 to 1."""
    questions: list[QuestionResult]


class AnswerOut(BaseModel):
    """One person's answer to one question."""

    contact_id: UUID
    display_name: str
    question_id: UUID
    at: datetime
    choice_ids: list[str]
    labels: list[str]
    text: str | None
    number: float | None
    date: str | None


class AnswerPage(BaseModel):
    """A page of answers, newest first."""

    items: list[AnswerOut]
    next: str | None
    """Give it as `after` to get the next page."""
