"""Writing surveys: making, changing, publishing, closing, deleting them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from hiiki.actions.checks import tidy
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.ids import code, uuid7
from hiiki.kit.road import road
from hiiki.surveys.checks import check, check_live
from hiiki.surveys.models import Question, Response, Survey
from hiiki.surveys.schemas import ChoiceSpec, QuestionSpec, SurveyLine, SurveyOut, SurveySpec


async def create_survey(session: WorkspaceSession, spec: SurveySpec) -> Survey:
    """Make a draft of `spec`; raises `Invalid` with every error at its field's path."""
    survey = Survey()
    await _write(session, survey, spec, {})
    session.add(survey)
    await session.flush()
    return survey


async def update_survey(session: WorkspaceSession, survey_id: UUID, spec: SurveySpec) -> Survey:
    """Change a survey to `spec`, at any time; raises `Invalid`.

    Questions and choices are known by their ids: whoever is in the middle of the survey
    goes on, and what was answered stays answered. A question that something uses (a
    segment, say) cannot be taken out.
    """
    survey = await session.one(Survey, survey_id)
    if survey.state == "live" and (missing := check_live(spec)):
        raise Invalid(fields=missing)
    before = {question.id: question for question in await questions_of(session, survey_id)}
    await _write(session, survey, spec, before)
    await session.flush()
    return survey


async def publish(session: WorkspaceSession, survey_id: UUID) -> Survey:
    """Put a survey before people; raises `Invalid` when it is not whole yet."""
    survey = await session.one(Survey, survey_id)
    spec = await spec_of(session, survey)
    wrong = check_live(spec) | await check(session, spec)
    if wrong:
        raise Invalid(_("The survey cannot go live yet. Please see the marked fields."), wrong)
    survey.state = "live"
    return survey


async def close(session: WorkspaceSession, survey_id: UUID) -> Survey:
    """End a survey: nobody can start it, and whoever is in the middle hears that it is over."""
    survey = await session.one(Survey, survey_id)
    if survey.state == "draft":
        raise Conflict(_("This survey has not been published yet."))
    survey.state = "closed"
    return survey


async def delete_survey(session: WorkspaceSession, survey_id: UUID) -> None:
    """Delete a survey; raises `Conflict` when it, or one of its questions, is used somewhere.

    What people answered stays on their timelines.
    """
    survey = await session.one(Survey, survey_id)
    used = await usages(session, survey_id)
    if used:
        raise Conflict(_("This is used in: %(places)s.", places="、".join(u.label for u in used)))
    await session.delete(survey)


async def usages(session: WorkspaceSession, survey_id: UUID) -> list[Any]:
    """Return every place that uses the survey or one of its questions."""
    found = await road().usages(session, "survey", survey_id)
    for question in await questions_of(session, survey_id):
        found += await road().usages(session, "question", question.id)
    return list({usage.url: usage for usage in found}.values())


async def duplicate(session: WorkspaceSession, survey_id: UUID) -> Survey:
    """Make a draft that asks the same, with questions of its own."""
    survey = await session.one(Survey, survey_id)
    spec = await spec_of(session, survey)
    spec.name = str(_("Copy of %(name)s", name=spec.name))[:100]
    return await create_survey(session, spec)


async def questions_of(session: WorkspaceSession, survey_id: UUID) -> list[Question]:
    """Return a survey's questions in their order."""
    found = await session.scalars(
        select(Question)
        .where(Question.survey_id == survey_id)
        .order_by(Question.position, Question.id)
    )
    return list(found)


async def spec_of(session: WorkspaceSession, survey: Survey) -> SurveySpec:
    """Return a survey as it was written."""
    questions = await questions_of(session, survey.id)
    return SurveySpec(
        name=survey.name,
        intro=survey.intro,
        thanks=survey.thanks,
        finish_actions=survey.finish_actions,
        questions=[
            QuestionSpec.model_construct(
                id=str(question.id),
                kind=question.kind,
                title=question.title,
                presentation=question.presentation,
                attribute_id=question.attribute_id,
                choices=[ChoiceSpec.model_construct(**_choice(c)) for c in question.choices],
            )
            for question in questions
        ],
    )


async def survey_out(session: WorkspaceSession, survey: Survey) -> SurveyOut:
    """Return a survey as the API gives it."""
    spec = await spec_of(session, survey)
    return SurveyOut.model_validate(
        spec.model_dump()
        | {
            "id": survey.id,
            "state": survey.state,
            "created_at": survey.created_at,
            "updated_at": survey.updated_at,
        }
    )


async def list_surveys(
    session: WorkspaceSession, *, search: str = "", after: str | None = None, limit: int = 50
) -> tuple[list[SurveyLine], str | None]:
    """Return a page of surveys, newest first, and what to give as `after` for the next one."""
    query = select(Survey).order_by(Survey.id.desc()).limit(limit + 1)
    if search.strip():
        query = query.where(Survey.name.icontains(search.strip(), autoescape=True))
    if after:
        query = query.where(Survey.id < _cursor(after))
    found = list(await session.scalars(query))
    page = found[:limit]
    ids = [survey.id for survey in page]
    questions = await _counts(session, Question, ids)
    started = await _counts(session, Response, ids)
    finished = await _counts(session, Response, ids, finished=True)
    lines = [
        SurveyLine.model_validate(
            {
                "id": survey.id,
                "name": survey.name,
                "state": survey.state,
                "questions": questions.get(survey.id, 0),
                "started": started.get(survey.id, 0),
                "finished": finished.get(survey.id, 0),
                "updated_at": survey.updated_at,
            }
        )
        for survey in page
    ]
    return lines, str(page[-1].id) if len(found) > limit else None


def _cursor(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        raise Invalid(fields={"after": _("This is not a place in the list.")}) from None


async def _counts(
    session: WorkspaceSession,
    kind: type[Question] | type[Response],
    ids: Sequence[UUID],
    *,
    finished: bool = False,
) -> dict[UUID, int]:
    what = func.count() if kind is Question else func.count(Response.contact_id.distinct())
    query = select(kind.survey_id, what).where(kind.survey_id.in_(ids)).group_by(kind.survey_id)
    if finished:
        query = query.where(Response.state == "finished")
    return {row[0]: row[1] for row in await session.execute(query)}


def _choice(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(stored["id"]),
        "label": str(stored["label"]),
        "actions": stored.get("actions", []),
        "next": stored.get("next"),
    }


async def _write(
    session: WorkspaceSession, survey: Survey, spec: SurveySpec, before: Mapping[UUID, Question]
) -> None:
    """Put `spec` into the rows; `before` are the questions that the survey has already."""
    wrong = await check(session, spec)
    known = {str(ident) for ident in before}
    # A word that is not the id of a question of this survey only names a new question.
    names = {q.id: q.id if q.id in known else str(uuid7()) for q in spec.questions if q.id}
    kept = {UUID(names[q.id]) for q in spec.questions if q.id in known}
    for ident in before.keys() - kept:
        used = await road().usages(session, "question", ident)
        if used:
            wrong["questions"] = _(
                "“%(title)s” cannot be taken out. It is used in: %(places)s.",
                title=before[ident].title,
                places="、".join(usage.label for usage in used),
            )
    if wrong:
        raise Invalid(fields=wrong)
    survey.name, survey.intro, survey.thanks = spec.name, spec.intro, spec.thanks
    survey.finish_actions = [tidy(action) for action in spec.finish_actions]
    if survey.id is None:  # pyright: ignore[reportUnnecessaryComparison] — not flushed yet
        survey.id = uuid7()
        session.add(survey)
        await session.flush()  # the questions point at it
    for ident in before.keys() - kept:
        await session.delete(before[ident])
    for position, question in enumerate(spec.questions):
        ident = UUID(names[question.id]) if question.id else uuid7()
        row = before.get(ident)
        if row is None:
            row = Question(id=ident, survey_id=survey.id)
            session.add(row)
        row.position = position
        row.kind = question.kind
        row.title = question.title
        row.presentation = question.presentation
        row.attribute_id = question.attribute_id
        row.choices = _stored_choices(question, names)


def _stored_choices(question: QuestionSpec, names: Mapping[str, str]) -> list[dict[str, Any]]:
    if question.kind not in ("choice", "choices"):
        return []
    return [
        {
            "id": choice.id or code(6),
            "label": choice.label,
            "actions": [tidy(action) for action in choice.actions],
            "next": names.get(choice.next, choice.next) if choice.next else None,
        }
        for choice in question.choices
    ]
