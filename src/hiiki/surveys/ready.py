"""Surveys that are ready to use: a shop takes one, changes what it likes, and publishes it.

Those of this room stand here; others bring their own (`Room.surveys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.kit.i18n import _
from hiiki.kit.road import Ask, MadeSurvey, ReadySurvey, road
from hiiki.surveys.schemas import SurveySpec
from hiiki.surveys.service import create_survey, questions_of

READY: Sequence[ReadySurvey] = (
    ReadySurvey(
        "purchase_motive",
        _("Why they bought"),
        _("Why people chose you, what else they considered, and what they missed."),
        _("Thank you for your purchase! May we ask you five quick questions?"),
        _("Thank you. Your answers make us better!"),
        (
            Ask(
                "choices",
                _("Why did you choose this product?"),
                (
                    _("Price"),
                    _("Quality"),
                    _("Design"),
                    _("Reviews"),
                    _("Recommended"),
                    _("Saw it in the shop"),
                    _("Already a regular"),
                ),
            ),
            Ask(
                "choice",
                _("Did you consider anything else?"),
                (
                    _("Another brand"),
                    _("Another shop"),
                    _("Not buying at all"),
                    _("No, only this"),
                ),
                "buttons",
            ),
            Ask("text", _("What did you compare it with, and what decided it?")),
            Ask(
                "choices",
                _("Was there anything you were not satisfied with?"),
                (
                    _("The price"),
                    _("The selection"),
                    _("The explanation"),
                    _("The service"),
                    _("Shipping"),
                    _("Nothing at all"),
                ),
            ),
            Ask(
                "choices",
                _("What do you value most about it?"),
                (
                    _("Easy to use"),
                    _("Saves time"),
                    _("Gives me joy"),
                    _("Lasts long"),
                    _("Peace of mind"),
                    _("Good value"),
                ),
            ),
        ),
    ),
    ReadySurvey(
        "curry_hotness",
        _("How hot they like it"),
        _("For restaurants: send each dish only to those who like it."),
        _("Tell us your taste, and we tell you of dishes made for you."),
        _("Thank you! We look forward to your visit."),
        (
            Ask(
                "choice",
                _("How hot do you like your curry?"),
                (_("Mild"), _("Medium hot"), _("Hot"), _("Very hot")),
                "buttons",
            ),
        ),
    ),
    ReadySurvey(
        "wedding_status",
        _("Where they stand with their wedding"),
        _("For wedding halls: the couple, the children, the plans."),
        _("So that we tell you only what fits, please answer three questions."),
        _("Thank you for telling us."),
        (
            Ask(
                "choice",
                _("Where do the two of you stand?"),
                (_("Engaged"), _("Married under 1 year"), _("Married 3 years +")),
                "buttons",
            ),
            Ask("choice", _("Do you have children?"), (_("With children"), _("No children"))),
            Ask(
                "choice",
                _("What about a wedding ceremony?"),
                (_("Considering it"), _("Planned"), _("Had it already")),
            ),
        ),
    ),
)


def ready_spec(key: str) -> SurveySpec:
    """Return a ready survey in the reader's language; raises `NotFound`."""
    found = road().surveys.get(key)
    if found is None:
        raise NotFound()
    questions: list[dict[str, Any]] = [
        {
            "kind": question.kind,
            "title": str(question.title),
            "presentation": question.presentation,
            "choices": [
                {"label": str(label), "next": "end" if place in question.ends else None}
                for place, label in enumerate(question.choices)
            ],
        }
        for question in found.questions
    ]
    return SurveySpec.model_validate(
        {
            "name": str(found.name),
            "intro": str(found.intro),
            "thanks": str(found.thanks),
            "questions": questions,
        }
    )


async def make_ready(session: WorkspaceSession, key: str) -> MadeSurvey:
    """Make a draft of a ready survey in the reader's language; raises `NotFound`."""
    survey = await create_survey(session, ready_spec(key))
    return MadeSurvey(
        id=survey.id,
        url=f"/surveys/{survey.id}/edit",
        questions=[
            (question.id, [str(choice["id"]) for choice in question.choices])
            for question in await questions_of(session, survey.id)
        ],
    )
