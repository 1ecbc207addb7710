"""What must hold before a survey is put before people: LINE's limits and whole references."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from hiiki.actions.checks import check_actions
from hiiki.contacts.models import Attribute
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _
from hiiki.kit.text import grapheme_length
from hiiki.surveys.present import (
    BUTTONS,
    BUTTONS_TEXT,
    COLUMN_TEXT,
    QUICK_REPLIES,
    TICKED_LABEL,
)
from hiiki.surveys.schemas import ChoiceSpec, QuestionSpec, SurveySpec

FITTING_KINDS: Mapping[str, tuple[str, ...]] = {
    "choice": ("choice", "text"),
    "choices": ("choices",),
    "text": ("text",),
    "number": ("number",),
    "date": ("date",),
}
"""Question kind → kinds of attribute that can keep its answer."""


async def check(session: WorkspaceSession, spec: SurveySpec) -> dict[str, Text]:
    """Return field path → what is wrong, for all that a survey may never have."""
    found: dict[str, Text] = {}
    attributes = {row.id: row for row in await session.scalars(select(Attribute))}
    ids = [question.id for question in spec.questions if question.id]
    if len(set(ids)) < len(ids):
        found["questions"] = _("Two questions have the same id.")
    for place, question in enumerate(spec.questions):
        path = f"questions.{place}"
        found |= _check_title(question, path)
        found |= _check_choices(question, path)
        if question.attribute_id is not None:
            found |= _check_attribute(question, attributes.get(question.attribute_id), path)
        later = {q.id for q in spec.questions[place + 1 :] if q.id}
        for number, choice in enumerate(question.choices):
            here = f"{path}.choices.{number}"
            found |= _check_next(choice, question, later, here)
            found |= await check_actions(session, choice.actions, f"{here}.actions")
    found |= await check_actions(session, spec.finish_actions, "finish_actions")
    return found


def check_live(spec: SurveySpec) -> dict[str, Text]:
    """Return field path → what is still missing for the survey to go live."""
    found: dict[str, Text] = {}
    if not spec.questions:
        found["questions"] = _("Please add at least one question.")
    for place, question in enumerate(spec.questions):
        if question.kind in ("choice", "choices") and len(question.choices) < 2:
            found[f"questions.{place}.choices"] = _("Please give at least two choices.")
    return found


def _check_title(question: QuestionSpec, path: str) -> dict[str, Text]:
    length = grapheme_length(question.title)
    uses_buttons = question.kind in ("choice", "choices", "date")
    limit = None
    if question.presentation == "buttons" and uses_buttons:
        limit = BUTTONS_TEXT
    if question.presentation == "carousel" and question.kind in ("choice", "choices"):
        limit = COLUMN_TEXT - 10  # room for "(1/4)" behind it
    if limit is None or length <= limit:
        return {}
    return {
        f"{path}.title": _(
            "Shown this way, LINE allows %(limit)s characters in a question; this has %(length)s.",
            limit=limit,
            length=length,
        )
    }


def _check_choices(question: QuestionSpec, path: str) -> dict[str, Text]:
    found: dict[str, Text] = {}
    if question.kind not in ("choice", "choices"):
        return found
    if question.presentation == "buttons" and len(question.choices) > BUTTONS:
        found[f"{path}.choices"] = _(
            "Buttons take at most %(limit)s choices. Please show them as quick replies"
            " or as a carousel.",
            limit=BUTTONS,
        )
    seen: set[str] = set()
    ids: set[str] = set()
    for number, choice in enumerate(question.choices):
        here = f"{path}.choices.{number}"
        if choice.label.casefold() in seen:
            found[f"{here}.label"] = _("This choice is there twice.")
        seen.add(choice.label.casefold())
        if choice.id and choice.id in ids:
            found[f"{here}.id"] = _("Two choices have the same id.")
        ids.add(choice.id)
        if choice.id == "done":
            found[f"{here}.id"] = _("This id is kept for the end of the question.")
        if question.kind == "choices" and grapheme_length(choice.label) > TICKED_LABEL:
            found[f"{here}.label"] = _(
                "Where several may be chosen, a tick stands before the label:"
                " %(limit)s characters at most; this has %(length)s.",
                limit=TICKED_LABEL,
                length=grapheme_length(choice.label),
            )
    return found


def _check_attribute(
    question: QuestionSpec, attribute: Attribute | None, path: str
) -> dict[str, Text]:
    if attribute is None:
        return {f"{path}.attribute_id": _("This field does not exist (any more).")}
    if attribute.kind not in FITTING_KINDS[question.kind]:
        return {
            f"{path}.attribute_id": _(
                "The field “%(field)s” cannot keep answers of this kind.", field=attribute.label
            )
        }
    if attribute.kind in ("choice", "choices"):
        known = {str(value) for value in attribute.choices}
        missing = [choice.label for choice in question.choices if choice.label not in known]
        if missing:
            return {
                f"{path}.attribute_id": _(
                    "The field “%(field)s” does not have these values: %(labels)s.",
                    field=attribute.label,
                    labels="、".join(missing),
                )
            }
    return {}


def _check_next(
    choice: ChoiceSpec, question: QuestionSpec, later: set[str], path: str
) -> dict[str, Text]:
    if choice.next is None:
        return {}
    if question.kind == "choices":
        return {
            f"{path}.next": _("Where several may be chosen, no single one can decide what is next.")
        }
    if choice.next != "end" and choice.next not in later:
        return {f"{path}.next": _("Please choose a question that comes after this one.")}
    return {}


def falls_to_carousel(question: QuestionSpec) -> bool:
    """True when there are more choices than quick replies can show."""
    room = QUICK_REPLIES - (question.kind == "choices")
    return question.presentation == "quick_reply" and len(question.choices) > room
