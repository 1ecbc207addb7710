"""The conversation: a survey is started, its questions are put, and answers are heard.

Everything here runs in the transaction of the event that caused it. A contact's events
are handled one at a time; the row of the response is locked nevertheless, because the
same person may answer through two accounts at once, or a program may start a survey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.models import Attribute
from hiiki.contacts.service import set_attribute
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import uuid7
from hiiki.kit.road import ActionContext, Happening
from hiiki.surveys import answers
from hiiki.surveys.models import Finish, Question, Response, Survey
from hiiki.surveys.present import DONE, Asked, Tap, ask, ask_further, is_done, read_tap
from hiiki.surveys.service import questions_of
from hiiki.timeline import Event
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

ANSWERS_WITHIN = timedelta(hours=24)
"""How long after a question what a person types counts as its answer. Buttons always do."""
MAX_MISSES = 2
"""How often a question is put again when what was typed is no answer."""
LONGEST_TEXT = 5_000

_ENDED = _("This survey has ended. Thank you for your interest.")
_FINISHED_ALREADY = _("You have already answered this survey. Thank you very much.")
_ANSWERED_ALREADY = _("We have your answer to that question already. Please go on with this one.")
_PLEASE_CHOOSE = _("Sorry, we could not read that. Please choose one of these.")
_PLEASE_PICK_SOME = _("Please choose at least one.")
_PLEASE_NUMBER = _("Sorry, we could not read that. Please answer with a number, such as 25.")
_PLEASE_DATE = _("Sorry, we could not read that. Please answer with a date, such as 2026/11/21.")
_PLEASE_TEXT = _("Please answer in words.")


# Made once: it is asked for every message that comes in.
_WAITING = (
    select(Response)
    .where(
        Response.contact_id == bindparam("contact_id"),
        Response.state == "open",
        Response.channel_id == bindparam("channel_id"),
        Response.question_id.is_not(None),
        Response.asked_at > bindparam("since"),
    )
    .order_by(Response.asked_at.desc())
    .limit(1)
    .with_for_update()
)


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


async def start(context: ActionContext, survey_id: UUID) -> None:
    """Start a survey with the contact, or put its open question once more.

    Raises `NotFound`, or `Conflict` when the survey is not live.
    """
    session: WorkspaceSession = context.session
    survey = await session.one(Survey, survey_id)
    if survey.state != "live" or context.channel_id is None:
        raise Conflict(_("The survey “%(name)s” is not live.", name=survey.name))
    questions = await questions_of(session, survey.id)
    if not questions:
        raise Conflict(_("The survey “%(name)s” is not live.", name=survey.name))
    ident = await session.scalar(
        insert(Response)
        .values(
            workspace_id=session.workspace_id,
            contact_id=context.contact_id,
            id=uuid7(),
            survey_id=survey.id,
            channel_id=context.channel_id,
            question_id=questions[0].id,
        )
        .on_conflict_do_nothing()
        .returning(Response.id)
    )
    if ident is None:
        response = await _open_response(session, context.contact_id, survey.id)
        if response is not None:
            await _put(context, survey, questions, response, lead=None)
        return
    await context.emit("survey_start", subject=survey.id, data={"response_id": str(ident)})
    messages: list[dict[str, Any]] = []
    if survey.intro:
        messages.append({"type": "text", "text": survey.intro})
    messages += ask(_asked(questions[0]), await _locale(session))
    context.say(messages, subject=f"survey:{survey.id}")


async def hear_message(context: ActionContext, event: Happening) -> None:
    """Take what a person typed as the answer to the question that waits, if one does."""
    session: WorkspaceSession = context.session
    response = await session.scalar(
        _WAITING,
        {
            "contact_id": context.contact_id,
            "channel_id": context.channel_id,
            "since": now() - ANSWERS_WITHIN,
        },
    )
    if response is None:
        return
    survey = await session.one(Survey, response.survey_id)
    if survey.state != "live":
        return  # what they type is not meant for a survey that has ended
    questions = await questions_of(session, survey.id)
    question = _find(questions, response.question_id)
    data = cast("Mapping[str, Any]", event.data)
    if question is None:
        context.answered = True
        await _put(context, survey, questions, response, lead=None)
        return
    typed = str(data.get("text", ""))[:LONGEST_TEXT] if data.get("type") == "text" else ""
    if question.kind == "choices":
        handled = await _hear_several(context, survey, questions, response, question, typed)
        if handled:
            return
    answer = _read(question, typed) if typed.strip() else None
    if answer is not None:
        context.answered = True
        await _take(context, survey, questions, response, question, answer)
        return
    if response.misses >= MAX_MISSES:
        return  # left open: they are talking about something else
    context.answered = True
    response.misses += 1
    await _put(context, survey, questions, response, lead=_help(question))


async def hear_tap(context: ActionContext, event: Happening) -> None:
    """Take a tap on one of a survey's buttons."""
    data = cast("Mapping[str, Any]", event.data)
    tap = read_tap(str(data.get("data", "")))
    if tap is None:
        return
    session: WorkspaceSession = context.session
    context.answered = True
    survey = await session.get(Survey, tap.survey_id)
    if survey is None or survey.state != "live":
        await _say(context, _ENDED, tap.survey_id)
        return
    questions = await questions_of(session, survey.id)
    question = _find(questions, tap.question_id)
    response = await _open_response(session, context.contact_id, survey.id)
    if response is None:
        await _tap_without_response(context, survey, tap)
        return
    if question is None or response.question_id != question.id:
        if not await _is_repeated(context, response, tap, data):
            lead = None if question is None else _ANSWERED_ALREADY
            await _put(context, survey, questions, response, lead=lead)
        return
    await _tap_on(context, survey, questions, response, question, tap, data)


async def _tap_on(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    question: Question,
    tap: Tap,
    data: Mapping[str, Any],
) -> None:
    """A tap on the question that waits."""
    if question.kind == "date":
        params = data.get("params")
        picked = cast("dict[str, Any]", params).get("date") if isinstance(params, dict) else None
        day = answers.day(str(picked or ""))
        if day is None:
            await _put(context, survey, questions, response, lead=None)
        else:
            await _take(context, survey, questions, response, question, Answer(day=day))
        return
    choice = next((c for c in question.choices if c["id"] == tap.choice_id), None)
    if question.kind == "choices":
        if tap.choice_id == DONE:
            await _finish_picking(context, survey, questions, response, question)
        elif choice is None:
            await _put(context, survey, questions, response, lead=None)
        else:
            await _pick(context, survey, response, question, [tap.choice_id], pick=tap.pick)
    elif choice is None:
        # The button is older than the present choices.
        await _put(context, survey, questions, response, lead=None)
    else:
        await _take(context, survey, questions, response, question, Answer(choices=[choice]))


async def _tap_without_response(context: ActionContext, survey: Survey, tap: Tap) -> None:
    """A tap on a survey that this person is not in the middle of."""
    session: WorkspaceSession = context.session
    last = await session.scalar(
        select(Response)
        .where(Response.contact_id == context.contact_id, Response.survey_id == survey.id)
        .order_by(Response.finished_at.desc())
        .limit(1)
    )
    if last is None:
        await start(context, survey.id)
        return
    data = cast("Mapping[str, Any]", context.cause.data)
    if not await _is_repeated(context, last, tap, data):
        await _say(context, _FINISHED_ALREADY, survey.id)


async def _is_repeated(
    context: ActionContext, response: Response, tap: Tap, data: Mapping[str, Any]
) -> bool:
    """True when the tap says what has been answered already: a finger that tapped twice."""
    session: WorkspaceSession = context.session
    given = await session.scalar(
        select(Event.data)
        .where(
            Event.contact_id == context.contact_id,
            Event.kind == "survey_answer",
            Event.subject == str(tap.question_id),
            Event.data["response_id"].astext == str(response.id),
        )
        .order_by(Event.id.desc())
        .limit(1)
    )
    if given is None:
        return False
    if tap.choice_id == DONE or (tap.choice_id and tap.choice_id in given.get("choice_ids", [])):
        return True
    params = data.get("params")
    picked = cast("dict[str, Any]", params).get("date") if isinstance(params, dict) else None
    return picked is not None and picked == given.get("date")


async def _hear_several(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    question: Question,
    typed: str,
) -> bool:
    """Typed labels of a question with several answers; True when it was about that."""
    named = answers.several_of(question.choices, typed) if typed.strip() else []
    if named:
        context.answered = True
        ids = [str(choice["id"]) for choice in named]
        await _pick(context, survey, response, question, ids, pick=True)
        return True
    if typed and is_done(typed, answers.plain(typed)):
        context.answered = True
        await _finish_picking(context, survey, questions, response, question)
        return True
    return False


async def _pick(
    context: ActionContext,
    survey: Survey,
    response: Response,
    question: Question,
    ids: Sequence[str],
    *,
    pick: bool,
) -> None:
    """Add choices to those picked so far, or take them away, and show what is picked."""
    picked = [str(one) for one in response.picked if str(one) not in ids]
    response.picked = [*picked, *ids] if pick else picked
    response.misses = 0
    response.asked_at = now()
    asked = _asked(question, picked=[str(one) for one in response.picked])
    context.say(ask_further(asked, await _locale(context.session)), subject=f"survey:{survey.id}")


async def _finish_picking(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    question: Question,
) -> None:
    chosen = [choice for choice in question.choices if choice["id"] in response.picked]
    if not chosen:
        await _put(context, survey, questions, response, lead=_PLEASE_PICK_SOME)
        return
    await _take(context, survey, questions, response, question, Answer(choices=chosen))


async def _take(
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
        context.say(ask(_asked(following), await _locale(session)), subject=f"survey:{survey.id}")
        return
    await _finish(context, survey, response)


async def _finish(context: ActionContext, survey: Survey, response: Response) -> None:
    session: WorkspaceSession = context.session
    response.state = "finished"
    response.finished_at = now()
    if survey.thanks:
        context.say([{"type": "text", "text": survey.thanks}], subject=f"survey:{survey.id}")
    first = await session.scalar(
        insert(Finish)
        .values(
            workspace_id=session.workspace_id,
            contact_id=context.contact_id,
            survey_id=survey.id,
            at=now(),
        )
        .on_conflict_do_nothing()
        .returning(Finish.contact_id)
    )
    event = context.cause
    finished = await context.emit(
        "survey_finish",
        at=event.at,
        subject=survey.id,
        data={"response_id": str(response.id), "is_first": first is not None},
    )
    if first is not None:
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
    attribute = await session.get(Attribute, question.attribute_id)
    if attribute is None:
        return
    labels = [str(choice["label"]) for choice in answer.choices]
    value: str | Decimal | date | list[str] | None
    if labels:
        value = labels if attribute.kind == "choices" else labels[0]
    else:
        value = answer.number if answer.number is not None else answer.day or answer.text
    try:
        async with session.begin_nested():
            await set_attribute(session, context.contact_id, attribute, value)
    except Invalid as error:
        # The field's choices have changed since; the answer itself is on the timeline.
        log.warning("survey.attribute", attribute_id=str(attribute.id), error=str(error))


async def _put(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    *,
    lead: Text | None,
) -> None:
    """Put the question that waits once more; the next one that is left when it is gone."""
    session: WorkspaceSession = context.session
    question = _find(questions, response.question_id)
    if question is None:
        question = await _first_unanswered(context, questions, response)
        if question is None:
            response.question_id = None
            await _finish(context, survey, response)
            return
        response.question_id = question.id
        response.picked = []
        response.misses = 0
    response.asked_at = now()
    locale = await _locale(session)
    messages = ask(_asked(question, picked=[str(one) for one in response.picked]), locale)
    if lead is not None:
        messages.insert(0, {"type": "text", "text": lead.to(locale)})
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


async def _open_response(
    session: WorkspaceSession, contact_id: UUID, survey_id: UUID
) -> Response | None:
    return await session.scalar(
        select(Response)
        .where(
            Response.contact_id == contact_id,
            Response.survey_id == survey_id,
            Response.state == "open",
        )
        .with_for_update()
    )


def _next(questions: Sequence[Question], question: Question, answer: Answer) -> Question | None:
    if question.kind == "choice" and answer.choices:
        wanted = answer.choices[0].get("next")
        if wanted == "end":
            return None
        for later in questions:
            if wanted and str(later.id) == wanted and later.position > question.position:
                return later
    return next((q for q in questions if q.position > question.position), None)


def _read(question: Question, typed: str) -> Answer | None:
    """Return what was typed as an answer to `question`, or None when it is none."""
    match question.kind:
        case "choice":
            choice = answers.one_of(question.choices, typed)
            return None if choice is None else Answer(choices=[choice])
        case "number":
            number = answers.number(typed)
            return None if number is None else Answer(number=number)
        case "date":
            day = answers.day(typed)
            return None if day is None else Answer(day=day)
        case "text":
            return Answer(text=typed.strip())
        case _:
            return None


def _help(question: Question) -> Text:
    return {
        "number": _PLEASE_NUMBER,
        "date": _PLEASE_DATE,
        "text": _PLEASE_TEXT,
    }.get(question.kind, _PLEASE_CHOOSE)


def _find(questions: Sequence[Question], ident: UUID | None) -> Question | None:
    return next((question for question in questions if question.id == ident), None)


def _asked(question: Question, picked: Sequence[str] = ()) -> Asked:
    return Asked(
        survey_id=question.survey_id,
        id=question.id,
        kind=question.kind,
        title=question.title,
        presentation=question.presentation,
        choices=question.choices,
        picked=picked,
    )


async def _say(context: ActionContext, text: Text, survey_id: UUID) -> None:
    words = text.to(await _locale(context.session))
    context.say([{"type": "text", "text": words}], subject=f"survey:{survey_id}")


async def _locale(session: WorkspaceSession) -> str:
    """Return the shop's language: the survey's own words are written in it."""
    return (await session.one(Workspace, session.workspace_id)).locale
