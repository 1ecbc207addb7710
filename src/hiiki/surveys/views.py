"""Console pages: the list of surveys, and what came of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Stream, Template

from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import _, current_locale, speaking
from hiiki.kit.pages import page, to
from hiiki.kit.road import road
from hiiki.surveys import results, service
from hiiki.surveys.models import Question, Survey
from hiiki.surveys.schemas import QuestionResult
from hiiki.workspace.access import Access, audit

STATES = {
    "draft": (_("Draft"), "grey"),
    "live": (_("Live"), "green"),
    "closed": (_("Closed"), "orange"),
}
"""State → words and the badge's colour."""


@get("/surveys", name="surveys")
async def survey_list(session: WorkspaceSession, q: str = "", after: str = "") -> Template:
    """List the surveys, newest first, with how they do."""
    lines, following = await service.list_surveys(session, search=q, after=after or None)
    more = urlencode({"q": q, "after": following}) if following else ""
    return page(
        "surveys/list.html",
        lines=lines,
        states=STATES,
        ready=road().surveys,
        q=q,
        before="/surveys" if after else "",
        after=f"/surveys?{more}" if more else "",
    )


@get("/surveys/{survey_id:uuid}")
async def show_results(survey_id: UUID, session: WorkspaceSession) -> Template:
    """Show what came of a survey, question by question."""
    survey = await session.one(Survey, survey_id)
    found = await results.results(session, survey_id)
    return page(
        "surveys/results.html",
        survey=survey,
        states=STATES,
        results=found,
        charts={question.id: _chart(question) for question in found.questions},
        steps=_steps(found.started, found.finished, found.questions),
        usages=await service.usages(session, survey_id),
    )


def _chart(question: QuestionResult) -> dict[str, Any]:
    """Lying bars for choices, standing ones for numbers and dates."""
    labels = [answer.label for answer in question.answers]
    counts = [answer.count for answer in question.answers]
    names: dict[str, Any] = {"type": "category", "data": labels}
    values: dict[str, Any] = {"type": "value", "minInterval": 1}
    lying = question.kind in ("choice", "choices")
    if lying:
        names |= {"inverse": True}
    return {
        "grid": {
            "left": 8,
            "right": 32,
            "top": 8 if lying else 24,
            "bottom": 8,
            "containLabel": True,
        },
        "xAxis": values if lying else names,
        "yAxis": names if lying else values,
        "tooltip": {"trigger": "axis"},
        "series": [
            {
                "type": "bar",
                "data": counts,
                "barMaxWidth": 24,
                "label": {"show": True, "position": "right" if lying else "top"},
            }
        ],
    }


def _steps(
    started: int, finished: int, questions: list[QuestionResult]
) -> list[tuple[str, int, int]]:
    """Return how many were still there at each step, of how many: where people drop off."""
    steps = [(str(_("Started")), started, started)]
    for number, question in enumerate(questions, 1):
        label = str(_("Question %(n)s: %(title)s", n=number, title=question.title))
        steps.append((label, question.answered, question.asked))
    return [*steps, (str(_("Finished")), finished, started)]


@get("/surveys/{survey_id:uuid}/answers/{question_id:uuid}")
async def show_answers(
    survey_id: UUID, question_id: UUID, session: WorkspaceSession, after: str = ""
) -> Template:
    """List what people answered to one question."""
    survey = await session.one(Survey, survey_id)
    question = await session.one(Question, question_id)
    if question.survey_id != survey.id:
        raise NotFound()
    found = await results.answers_page(session, question_id, after=after)
    here = f"/surveys/{survey_id}/answers/{question_id}"
    return page(
        "surveys/answers.html",
        survey=survey,
        question=question,
        answers=[(answer, results.shown(answer.model_dump())) for answer in found.items],
        before=here if after else "",
        after=f"{here}?{urlencode({'after': found.next})}" if found.next else "",
    )


@get("/surveys/{survey_id:uuid}/answers.csv")
async def download_answers(survey_id: UUID, session: WorkspaceSession) -> Stream:
    """Download all answers, a person a line."""
    await session.one(Survey, survey_id)
    workspace_id, locale = session.workspace_id, current_locale()

    async def lines() -> AsyncIterator[bytes]:
        # The handler's own transaction ends before the body is sent.
        with speaking(locale):
            async with scope(workspace_id) as own:
                async for line in results.as_csv(own, survey_id):
                    yield line

    disposition = f'attachment; filename="survey-{survey_id}.csv"'
    return Stream(
        lines(), media_type="text/csv; charset=utf-8", headers={"content-disposition": disposition}
    )


@post("/surveys/{survey_id:uuid}/publish")
async def publish(survey_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Put a survey before people; back to the editor when it is not whole."""
    try:
        survey = await service.publish(session, survey_id)
    except Invalid:
        return to(f"/surveys/{survey_id}/edit?check=1")
    audit(session, access, "surveys.publish", survey_id, name=survey.name)
    return to(f"/surveys/{survey_id}", _("The survey is live."))


@post("/surveys/{survey_id:uuid}/close")
async def close(survey_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """End a survey."""
    survey = await service.close(session, survey_id)
    audit(session, access, "surveys.close", survey_id, name=survey.name)
    return to(f"/surveys/{survey_id}", _("The survey is closed."))


@post("/surveys/{survey_id:uuid}/duplicate")
async def duplicate(survey_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Make a draft that asks the same."""
    copy = await service.duplicate(session, survey_id)
    audit(session, access, "surveys.duplicate", survey_id, copy=str(copy.id))
    return to(f"/surveys/{copy.id}/edit", _("Here is the copy."))


@post("/surveys/{survey_id:uuid}/delete")
async def delete_survey(survey_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a survey that nothing uses."""
    survey = await session.one(Survey, survey_id)
    await service.delete_survey(session, survey_id)
    audit(session, access, "surveys.delete", survey_id, name=survey.name)
    return to("/surveys", _("The survey “%(name)s” has been deleted.", name=survey.name))


HANDLERS = [
    survey_list,
    show_results,
    show_answers,
    download_answers,
    publish,
    close,
    duplicate,
    delete_survey,
]
