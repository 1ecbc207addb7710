"""The conversation: a survey is started, its questions are put, and answers are heard.

Everything here runs in the transaction of the event that caused it. A contact's events
are handled one at a time; the row of the response is locked nevertheless
(`hiiki.surveys.responses`), because the same person may answer through two accounts at
once, or a program may start a survey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import ActionContext, Happening
from hiiki.surveys import answers
from hiiki.surveys.models import Question, Response, Survey
from hiiki.surveys.present import DONE, Tap, ask, ask_further, is_done, read_tap
from hiiki.surveys.responses import begin, keep, open_response, open_responses
from hiiki.surveys.steps import (
    Answer,
    asked,
    find,
    known_questions,
    locale,
    put,
    say,
    take,
)
from hiiki.timeline import Event

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


async def start(context: ActionContext, survey_id: UUID) -> None:
    """Start a survey with the contact, or put its open question once more.

    Raises `NotFound`, or `Conflict` when the survey is not live.
    """
    session: WorkspaceSession = context.session
    survey = await session.known(Survey, survey_id)
    if survey.state != "live" or context.channel_id is None:
        raise Conflict(_("The survey “%(name)s” is not live.", name=survey.name))
    questions = await known_questions(session, survey.id)
    if not questions:
        raise Conflict(_("The survey “%(name)s” is not live.", name=survey.name))
    contact_id, channel_id = context.contact_id, context.channel_id
    response = await open_response(session, contact_id, survey.id)
    ident = None
    if response is None:
        ident = await begin(session, contact_id, survey.id, channel_id, questions[0].id)
    if ident is None:
        response = response or await open_response(session, contact_id, survey.id)
        if response is not None:
            await put(context, survey, questions, response, lead=None)
        return
    await context.emit("survey_start", subject=survey.id, data={"response_id": str(ident)})
    messages: list[dict[str, Any]] = []
    if survey.intro:
        messages.append({"type": "text", "text": survey.intro})
    messages += ask(asked(questions[0]), await locale(session))
    context.say(messages, subject=f"survey:{survey.id}")


async def hear_message(context: ActionContext, event: Happening) -> None:
    """Take what a person typed as the answer to the question that waits, if one does."""
    session: WorkspaceSession = context.session
    response = await _waiting(context)
    if response is None:
        return
    survey = await session.known(Survey, response.survey_id)
    if survey.state != "live":
        return  # what they type is not meant for a survey that has ended
    questions = await known_questions(session, survey.id)
    question = find(questions, response.question_id)
    data = cast("Mapping[str, Any]", event.data)
    if question is None:
        context.answered = True
        await put(context, survey, questions, response, lead=None)
        return
    typed = str(data.get("text", ""))[:LONGEST_TEXT] if data.get("type") == "text" else ""
    if question.kind == "choices":
        handled = await _hear_several(context, survey, questions, response, question, typed)
        if handled:
            return
    answer = _read(question, typed) if typed.strip() else None
    if answer is not None:
        context.answered = True
        await take(context, survey, questions, response, question, answer)
        return
    if response.misses >= MAX_MISSES:
        return  # left open: they are talking about something else
    context.answered = True
    response.misses += 1
    await put(context, survey, questions, response, lead=_help(question))


async def _waiting(context: ActionContext) -> Response | None:
    """Return the response whose question was put last, if one waits for words."""
    since = now() - ANSWERS_WITHIN
    asked = [
        response
        for response in await open_responses(context.session, context.contact_id)
        if response.channel_id == context.channel_id
        and response.question_id is not None
        and response.asked_at > since
    ]
    return max(asked, key=lambda response: response.asked_at, default=None)


async def hear_tap(context: ActionContext, event: Happening) -> None:
    """Take a tap on one of a survey's buttons."""
    data = cast("Mapping[str, Any]", event.data)
    tap = read_tap(str(data.get("data", "")))
    if tap is None:
        return
    session: WorkspaceSession = context.session
    context.answered = True
    survey = await session.once(
        ("survey", tap.survey_id), lambda: session.get(Survey, tap.survey_id)
    )
    if survey is None or survey.state != "live":
        await say(context, _ENDED, tap.survey_id)
        return
    questions = await known_questions(session, survey.id)
    question = find(questions, tap.question_id)
    response = await open_response(session, context.contact_id, survey.id)
    if response is None:
        await _tap_without_response(context, survey, tap)
        return
    if question is None or response.question_id != question.id:
        if not await _is_repeated(context, response, tap, data):
            lead = None if question is None else _ANSWERED_ALREADY
            await put(context, survey, questions, response, lead=lead)
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
            await put(context, survey, questions, response, lead=None)
        else:
            await take(context, survey, questions, response, question, Answer(day=day))
        return
    choice = next((c for c in question.choices if c["id"] == tap.choice_id), None)
    if question.kind == "choices":
        if tap.choice_id == DONE:
            await _finish_picking(context, survey, questions, response, question)
        elif choice is None:
            await put(context, survey, questions, response, lead=None)
        else:
            await _pick(context, survey, response, question, [tap.choice_id], pick=tap.pick)
    elif choice is None:
        # The button is older than the present choices.
        await put(context, survey, questions, response, lead=None)
    else:
        await take(context, survey, questions, response, question, Answer(choices=[choice]))


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
        await say(context, _FINISHED_ALREADY, survey.id)


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
    keep(context.session, response)
    now_picked = asked(question, picked=[str(one) for one in response.picked])
    messages = ask_further(now_picked, await locale(context.session))
    context.say(messages, subject=f"survey:{survey.id}")


async def _finish_picking(
    context: ActionContext,
    survey: Survey,
    questions: Sequence[Question],
    response: Response,
    question: Question,
) -> None:
    chosen = [choice for choice in question.choices if choice["id"] in response.picked]
    if not chosen:
        await put(context, survey, questions, response, lead=_PLEASE_PICK_SOME)
        return
    await take(context, survey, questions, response, question, Answer(choices=chosen))


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
