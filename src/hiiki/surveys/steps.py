"""The steps of a survey: an answer is kept, the next question put, the end reached.

`hiiki.surveys.flow` hears what people say and decides which of these it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from hiiki.contacts.models import Attribute
from hiiki.contacts.service import set_attribute_with
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text
from hiiki.kit.road import ActionContext
from hiiki.surveys.models import Question, Response, Survey
from hiiki.surveys.present import Asked, ask
from hiiki.surveys.responses import first_finish, keep
from hiiki.surveys.service import questions_of
from hiiki.timeline import Event
from hiiki.workspace.models import Workspace

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, in the form of its question's kind."""

    choices: Sequence[Mapping[str, Any]] = ()
    text: str | None = None
    number: Decimal | None = None
    day: date | None = None

    def data(self) -> dict[str, Any]:
        """Return it as it stands on the timeline."""
        found: dict[str, Any] = {
            "choice_ids": [str(choice["id"]) for choice in self.choices],
            "labels": [str(choice["label"]) for choice in self.choices],
        }
        if self.text is not None:
            found["text"] = self.text
        if self.number is not None:
            found["number"] = float(self.number)
        if self.day is not None:
            found["date"] = self.day.isoformat()
        return found


async def take(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    question: Question,
    answer: Answer,
) -> None:
    """Keep an answer, do what it does, and go on."""
    session: WorkspaceSession = context.session
    data = answer.data() | {"survey_id": str(survey.id), "response_id": str(response.id)}
    if (message_id := context.cause.data.get("message_id")) is not None:
        data["message_id"] = message_id  # so that taking the message back reaches the answer
    following = _next(questions, question, answer)
    response.picked = []
    response.misses = 0
    response.question_id = None if following is None else following.id
    response.asked_at = now()
    keep(session, response)
    answered = await context.emit(
        "survey_answer",
        at=context.cause.at,
        subject=question.id,
        value=answer.number,
        data=data,
    )
    if question.attribute_id is not None:
        await _keep_as_attribute(context, question, answer)
    for choice in answer.choices:
        await _run(context, answered, choice.get("actions") or [], survey)
    if following is not None:
        context.say(ask(asked(following), await locale(session)), subject=f"survey:{survey.id}")
        return
    await finish(context, survey, response)


async def finish(context: ActionContext, survey: Survey, response: Response) -> None:
    """Note that a contact has come to the end, and give what that is worth, once."""
    session: WorkspaceSession = context.session
    response.state = "finished"
    response.finished_at = now()
    keep(session, response)
    if survey.thanks:
        context.say([{"type": "text", "text": survey.thanks}], subject=f"survey:{survey.id}")
    is_first = await first_finish(session, response)
    event = context.cause
    finished = await context.emit(
        "survey_finish",
        at=event.at,
        subject=survey.id,
        data={"response_id": str(response.id), "is_first": is_first},
    )
    if is_first:
        await _run(context, finished, survey.finish_actions, survey)


async def _run(
    context: ActionContext, cause: Event, actions: Sequence[dict[str, Any]], survey: Survey
) -> None:
    """Run actions because of an answer, or of the end: a coupon is granted for that."""
    outer, context.cause = context.cause, cause
    try:
        await context.run(actions, f"survey:{survey.id}")
    finally:
        context.cause = outer


async def _keep_as_attribute(context: ActionContext, question: Question, answer: Answer) -> None:
    session: WorkspaceSession = context.session
    ident = question.attribute_id
    attribute = await session.once(("attribute", ident), lambda: session.get(Attribute, ident))
    if attribute is None:
        return
    labels = [str(choice["label"]) for choice in answer.choices]
    value: str | Decimal | date | list[str] | None
    if labels:
        value = labels if attribute.kind == "choices" else labels[0]
    else:
        value = answer.number if answer.number is not None else answer.day or answer.text
    try:
        await set_attribute_with(session, context.contact_id, attribute, value)
    except Invalid as error:
        # The field's choices have changed since; the answer itself is on the timeline.
        log.warning("survey.attribute", attribute_id=str(attribute.id), error=str(error))


async def put(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    *,
    lead: Text | None,
) -> None:
    """Put the question that waits once more; the next one that is left when it is gone."""
    session: WorkspaceSession = context.session
    question = find(questions, response.question_id)
    if question is None:
        question = await _first_unanswered(context, questions, response)
        if question is None:
            response.question_id = None
            await finish(context, survey, response)
            return
        response.question_id = question.id
        response.picked = []
        response.misses = 0
    response.asked_at = now()
    keep(session, response)
    language = await locale(session)
    messages = ask(asked(question, picked=[str(one) for one in response.picked]), language)
    if lead is not None:
        messages.insert(0, {"type": "text", "text": lead.to(language)})
    context.say(messages, subject=f"survey:{survey.id}")


async def _first_unanswered(
    context: ActionContext, questions: Sequence[Question], response: Response
) -> Question | None:
    session: WorkspaceSession = context.session
    done = await session.scalars(
        select(Event.subject).where(
            Event.contact_id == context.contact_id,
            Event.kind == "survey_answer",
            Event.data["response_id"].astext == str(response.id),
        )
    )
    answered = set(done)
    return next((q for q in questions if str(q.id) not in answered), None)


def _next(questions: Sequence[Question], question: Question, answer: Answer) -> Question | None:
    if question.kind == "choice" and answer.choices:
        wanted = answer.choices[0].get("next")
        if wanted == "end":
            return None
        for later in questions:
            if wanted and str(later.id) == wanted and later.position > question.position:
                return later
    return next((q for q in questions if q.position > question.position), None)


def find(questions: Sequence[Question], ident: UUID | None) -> Question | None:
    """Return the question with this id, or None when it is not (or no longer) there."""
    return next((question for question in questions if question.id == ident), None)


def asked(question: Question, picked: Sequence[str] = ()) -> Asked:
    """Return what is needed of a question to put it."""
    return Asked(
        survey_id=question.survey_id,
        id=question.id,
        kind=question.kind,
        title=question.title,
        presentation=question.presentation,
        choices=question.choices,
        picked=picked,
    )


async def known_questions(session: WorkspaceSession, survey_id: UUID) -> Sequence[Question]:
    """Return a survey's questions in their order, asking for them once in this transaction."""
    return await session.once(("questions", survey_id), lambda: questions_of(session, survey_id))


async def say(context: ActionContext, text: Text, survey_id: UUID) -> None:
    """Say a sentence in the shop's language."""
    words = text.to(await locale(context.session))
    context.say([{"type": "text", "text": words}], subject=f"survey:{survey_id}")


async def locale(session: WorkspaceSession) -> str:
    """Return the shop's language: the survey's own words are written in it."""
    return (await session.known(Workspace, session.workspace_id)).locale
