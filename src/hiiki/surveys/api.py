"""`/api/v1/surveys`, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, post, put
from pydantic import BaseModel

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.kit.road import road
from hiiki.surveys import results, service
from hiiki.surveys.models import Question, Survey
from hiiki.surveys.ready import ready_spec
from hiiki.surveys.schemas import AnswerPage, Results, SurveyLine, SurveyOut, SurveySpec
from hiiki.workspace.access import Access, audit

SURVEYS: dict[str, Any] = {"tags": ["surveys"]}


class SurveyList(BaseModel):
    """A page of surveys, newest first."""

    items: list[SurveyLine]
    next: str | None
    """Give it as `after` to get the next page."""


class ReadySurvey(BaseModel):
    """A survey that is ready to use: post its `survey` to `/surveys`."""

    key: str
    name: str
    about: str
    survey: SurveySpec


@get("/surveys", operation_id="ListSurveys", **SURVEYS)
async def list_surveys(session: WorkspaceSession, q: str = "", after: str = "") -> SurveyList:
    """Return the surveys, 50 a page."""
    lines, following = await service.list_surveys(session, search=q, after=after or None)
    return SurveyList(items=lines, next=following)


@get("/surveys/ready", operation_id="ListReadySurveys", **SURVEYS)
async def list_ready_surveys() -> list[ReadySurvey]:
    """Return the surveys that are ready to use."""
    return [
        ReadySurvey(key=key, name=str(found.name), about=str(found.about), survey=ready_spec(key))
        for key, found in road().surveys.items()
    ]


@get("/surveys/{survey_id:uuid}", operation_id="GetSurvey", **SURVEYS)
async def get_survey(survey_id: UUID, session: WorkspaceSession) -> SurveyOut:
    """Return one survey."""
    return await service.survey_out(session, await session.one(Survey, survey_id))


@post("/surveys", operation_id="CreateSurvey", **SURVEYS)
async def create_survey(data: SurveySpec, session: WorkspaceSession, access: Access) -> SurveyOut:
    """Make a draft."""
    survey = await service.create_survey(session, data)
    audit(session, access, "surveys.create", survey.id, name=survey.name)
    return await service.survey_out(session, survey)


@put("/surveys/{survey_id:uuid}", operation_id="ChangeSurvey", **SURVEYS)
async def change_survey(
    survey_id: UUID, data: SurveySpec, session: WorkspaceSession, access: Access
) -> SurveyOut:
    """Change a survey, in any state. Questions and choices are known by their ids."""
    survey = await service.update_survey(session, survey_id, data)
    audit(session, access, "surveys.update", survey_id, name=survey.name)
    return await service.survey_out(session, survey)


@delete("/surveys/{survey_id:uuid}", operation_id="DeleteSurvey", **SURVEYS)
async def delete_survey(survey_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a survey; refused while something uses it. Answers stay on the timelines."""
    survey = await session.one(Survey, survey_id)
    await service.delete_survey(session, survey_id)
    audit(session, access, "surveys.delete", survey_id, name=survey.name)


@post("/surveys/{survey_id:uuid}/publish", operation_id="PublishSurvey", status_code=200, **SURVEYS)
async def publish_survey(survey_id: UUID, session: WorkspaceSession, access: Access) -> SurveyOut:
    """Put a survey before people; refused while something is missing."""
    survey = await service.publish(session, survey_id)
    audit(session, access, "surveys.publish", survey_id, name=survey.name)
    return await service.survey_out(session, survey)


@post("/surveys/{survey_id:uuid}/close", operation_id="CloseSurvey", status_code=200, **SURVEYS)
async def close_survey(survey_id: UUID, session: WorkspaceSession, access: Access) -> SurveyOut:
    """End a survey."""
    survey = await service.close(session, survey_id)
    audit(session, access, "surveys.close", survey_id, name=survey.name)
    return await service.survey_out(session, survey)


@post("/surveys/{survey_id:uuid}/duplicate", operation_id="DuplicateSurvey", **SURVEYS)
async def duplicate_survey(survey_id: UUID, session: WorkspaceSession, access: Access) -> SurveyOut:
    """Make a draft that asks the same."""
    copy = await service.duplicate(session, survey_id)
    audit(session, access, "surveys.duplicate", survey_id, copy=str(copy.id))
    return await service.survey_out(session, copy)


@get("/surveys/{survey_id:uuid}/results", operation_id="GetSurveyResults", **SURVEYS)
async def get_results(survey_id: UUID, session: WorkspaceSession) -> Results:
    """Return what came of a survey: one person counts once, by the latest answer."""
    await session.one(Survey, survey_id)
    return await results.results(session, survey_id)


@get(
    "/surveys/{survey_id:uuid}/questions/{question_id:uuid}/answers",
    operation_id="ListAnswers",
    **SURVEYS,
)
async def list_answers(
    survey_id: UUID, question_id: UUID, session: WorkspaceSession, after: str = ""
) -> AnswerPage:
    """Return people's answers to a question, latest first, 50 a page."""
    question = await session.one(Question, question_id)
    if question.survey_id != survey_id:
        raise NotFound()
    return await results.answers_page(session, question_id, after=after)


HANDLERS = [
    list_surveys,
    list_ready_surveys,
    get_survey,
    create_survey,
    change_survey,
    delete_survey,
    publish_survey,
    close_survey,
    duplicate_survey,
    get_results,
    list_answers,
]
