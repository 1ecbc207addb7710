"""What this room adds to the road."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from hiiki.actions.checks import refers_to
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import (
    ActionContext,
    ActionKind,
    EventKind,
    NavItem,
    Option,
    Picker,
    Reaction,
    Room,
    Usage,
)
from hiiki.surveys import api, editing, views
from hiiki.surveys.flow import hear_message, hear_tap, start
from hiiki.surveys.models import Question, Survey
from hiiki.surveys.ready import READY, make_ready


class SurveyParams(BaseModel):
    """Which survey to start."""

    survey_id: UUID = Field(title="Survey", json_schema_extra={"picker": "survey"})


async def _start(context: ActionContext, params: SurveyParams) -> None:
    await start(context, params.survey_id)


async def _surveys(session: WorkspaceSession) -> list[Option]:
    rows = await session.execute(select(Survey.id, Survey.name).order_by(Survey.id.desc()))
    return [Option(str(ident), name) for ident, name in rows]


async def _questions(session: WorkspaceSession) -> list[Option]:
    rows = await session.execute(
        select(Question.id, Question.title, Survey.name)
        .join(Survey, Survey.id == Question.survey_id)
        .order_by(Survey.id.desc(), Question.position)
    )
    return [Option(str(ident), title, group=name) for ident, title, name in rows]


async def _answers(session: WorkspaceSession) -> list[Option]:
    rows = await session.execute(
        select(Question.id, Question.title, Question.choices).order_by(
            Question.survey_id.desc(), Question.position
        )
    )
    return [
        Option(f"{ident}:{choice['id']}", str(choice["label"]), group=title)
        for ident, title, choices in rows
        for choice in choices
    ]


async def _uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    """Where a survey uses a tag, an attribute, a coupon or another survey."""
    wanted = str(ident)
    found: list[Usage] = []
    surveys = {survey.id: survey for survey in await session.scalars(select(Survey))}
    users = {
        question.survey_id
        for question in await session.scalars(select(Question))
        if str(question.attribute_id) == wanted
        or any(refers_to(choice.get("actions"), wanted) for choice in question.choices)
    }
    for survey in surveys.values():
        if kind == "survey" and survey.id == ident:
            continue
        if survey.id in users or refers_to(survey.finish_actions, wanted):
            label = _("Survey “%(name)s”", name=survey.name)
            found.append(Usage(str(label), f"/surveys/{survey.id}/edit"))
    return found


room = Room(
    name="surveys",
    pages=(*views.HANDLERS, *editing.HANDLERS),
    api=api.HANDLERS,
    nav=(NavItem("surveys", _("Surveys"), "clipboard-text", "/surveys"),),
    events=(
        EventKind("survey_start", _("Started a survey"), "message-question", subject="survey"),
        EventKind(
            "survey_answer",
            _("Answered a question"),
            "checkbox",
            subject="question",
            tally="subject",
        ),
        EventKind("survey_finish", _("Finished a survey"), "checks", subject="survey"),
    ),
    actions=(
        ActionKind("survey_start", _("Start a survey"), "message-question", SurveyParams, _start),
    ),
    reactions=(
        Reaction("message", hear_message),
        Reaction("postback", hear_tap),
    ),
    pickers=(
        Picker("survey", _("Survey"), _surveys),
        Picker("question", _("Question"), _questions),
        Picker("answer", _("Answer"), _answers),
    ),
    surveys=READY,
    make_survey=make_ready,
    uses=_uses,
)
