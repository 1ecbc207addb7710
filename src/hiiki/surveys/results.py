"""What came of a survey, read from the timeline: one person counts once, by the latest answer."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Subquery, Text, cast, func, select, tuple_

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.surveys.models import Question, Response
from hiiki.surveys.schemas import AnswerCount, AnswerOut, AnswerPage, QuestionResult, Results
from hiiki.surveys.service import questions_of
from hiiki.timeline import Event

PAGE = 50
BARS = 12
"""At most so many bars for a number's answers; beyond that, ranges."""
ANSWER = "survey_answer"


async def results(session: WorkspaceSession, survey_id: UUID) -> Results:
    """Return a survey's figures, question by question (requirement A1)."""
    questions = await questions_of(session, survey_id)
    started, finished = await _started(session, survey_id)
    latest = _latest(session, [question.id for question in questions])
    answered = await _by_subject(session, latest)
    asked = await _asked(session, survey_id, answered)
    chosen = await _chosen(session, latest)
    found: list[QuestionResult] = []
    for question in questions:
        key = str(question.id)
        done = answered.get(key, 0)
        average, answers = None, _choice_counts(question, chosen.get(key, {}), done)
        if question.kind == "number":
            average, answers = await _numbers(session, latest, key, done)
        elif question.kind == "date":
            answers = await _months(session, latest, key, done)
        put = asked.get(key, 0)
        found.append(
            QuestionResult.model_validate(
                {
                    "id": question.id,
                    "title": question.title,
                    "kind": question.kind,
                    "asked": put,
                    "answered": done,
                    "rate": done / put if put else 0.0,
                    "answers": answers,
                    "average": average,
                }
            )
        )
    return Results(
        survey_id=survey_id,
        started=started,
        finished=finished,
        rate=finished / started if started else 0.0,
        questions=found,
    )


async def answers_page(
    session: WorkspaceSession, question_id: UUID, *, after: str = "", limit: int = PAGE
) -> AnswerPage:
    """Return people's latest answers to a question, newest first."""
    latest = _latest(session, [question_id])
    query = (
        select(latest, Contact.display_name)
        .join(Contact, Contact.id == latest.c.contact_id)
        .order_by(latest.c.at.desc(), latest.c.id.desc())
        .limit(limit + 1)
    )
    if after:
        query = query.where(tuple_(latest.c.at, latest.c.id) < _cursor(after))
    rows = (await session.execute(query)).all()
    page = rows[:limit]
    more = f"{page[-1].at.isoformat()}~{page[-1].id}" if len(rows) > limit else None
    return AnswerPage(items=[_answer(row) for row in page], next=more)


async def as_csv(session: WorkspaceSession, survey_id: UUID) -> AsyncIterator[bytes]:
    """Yield the answers as CSV, a person a line, in the form that Excel opens in Japan too."""
    questions = await questions_of(session, survey_id)
    yield b"\xef\xbb\xbf" + _row(
        [str(_("Contact")), str(_("Name")), str(_("Started")), str(_("Finished"))]
        + [question.title for question in questions]
    )
    last: UUID | None = None
    while True:
        people = await _people(session, survey_id, last)
        if not people:
            return
        last = people[-1].contact_id
        answers = await _answers_of(session, questions, [row.contact_id for row in people])
        for row in people:
            given = answers.get(row.contact_id, {})
            yield _row(
                [str(row.contact_id), row.display_name, _moment(row.started), _moment(row.finished)]
                + [_shown(given.get(str(question.id))) for question in questions]
            )


def shown(data: Mapping[str, Any]) -> str:
    """Return an answer's data in words."""
    return _shown(data)


async def _started(session: WorkspaceSession, survey_id: UUID) -> tuple[int, int]:
    people = func.count(Response.contact_id.distinct())
    found = await session.execute(
        select(people, people.filter(Response.state == "finished")).where(
            Response.survey_id == survey_id
        )
    )
    row = found.one()
    return int(row[0]), int(row[1])


def _latest(session: WorkspaceSession, question_ids: Sequence[UUID]) -> Subquery:
    """The latest answer of each person to each question."""
    return (
        select(Event.subject, Event.contact_id, Event.at, Event.id, Event.data, Event.value)
        .where(
            Event.workspace_id == session.workspace_id,
            Event.kind == ANSWER,
            Event.subject.in_([str(ident) for ident in question_ids]),
        )
        .distinct(Event.subject, Event.contact_id)
        .order_by(Event.subject, Event.contact_id, Event.at.desc(), Event.id.desc())
        .subquery()
    )


async def _by_subject(session: WorkspaceSession, latest: Subquery) -> dict[str, int]:
    rows = await session.execute(select(latest.c.subject, func.count()).group_by(latest.c.subject))
    return {row[0]: row[1] for row in rows}


async def _asked(
    session: WorkspaceSession, survey_id: UUID, answered: Mapping[str, int]
) -> dict[str, int]:
    """How many people each question was put to: those who answered, and those it waits for."""
    already = (
        select(Event.id)
        .where(
            Event.workspace_id == session.workspace_id,
            Event.contact_id == Response.contact_id,
            Event.kind == ANSWER,
            Event.subject == cast(Response.question_id, Text),
        )
        .exists()
    )
    rows = await session.execute(
        select(Response.question_id, func.count(Response.contact_id.distinct()))
        .where(
            Response.survey_id == survey_id,
            Response.state == "open",
            Response.question_id.is_not(None),
            ~already,
        )
        .group_by(Response.question_id)
    )
    waiting = {str(row[0]): int(row[1]) for row in rows}
    return {
        key: answered.get(key, 0) + waiting.get(key, 0) for key in answered.keys() | waiting.keys()
    }


async def _chosen(session: WorkspaceSession, latest: Subquery) -> dict[str, dict[str, int]]:
    each = select(
        latest.c.subject,
        func.jsonb_array_elements_text(latest.c.data["choice_ids"]).label("choice"),
    ).subquery()
    rows = await session.execute(
        select(each.c.subject, each.c.choice, func.count()).group_by(each.c.subject, each.c.choice)
    )
    found: dict[str, dict[str, int]] = {}
    for subject, ident, count in rows:
        found.setdefault(subject, {})[ident] = count
    return found


def _choice_counts(
    question: Question, counts: Mapping[str, int], answered: int
) -> list[AnswerCount]:
    labels = {str(choice["id"]): str(choice["label"]) for choice in question.choices}
    # A choice that has been taken out since keeps its answers, under its id.
    for gone in counts.keys() - labels.keys():
        labels[gone] = str(_("(deleted choice)"))
    return [
        AnswerCount(
            id=ident,
            label=label,
            count=counts.get(ident, 0),
            share=counts.get(ident, 0) / answered if answered else 0.0,
        )
        for ident, label in labels.items()
    ]


async def _numbers(
    session: WorkspaceSession, latest: Subquery, subject: str, answered: int
) -> tuple[float | None, list[AnswerCount]]:
    rows = (
        await session.execute(
            select(latest.c.value, func.count())
            .where(latest.c.subject == subject, latest.c.value.is_not(None))
            .group_by(latest.c.value)
            .order_by(latest.c.value)
        )
    ).all()
    counts = {Decimal(row[0]): int(row[1]) for row in rows}
    total = sum(counts.values())
    if not total:
        return None, []
    average = float(sum(value * count for value, count in counts.items()) / total)
    return average, [
        AnswerCount(id=label, label=label, count=count, share=count / answered if answered else 0.0)
        for label, count in _bars(counts).items()
    ]


def _bars(counts: Mapping[Decimal, int]) -> dict[str, int]:
    """Return label → count; equal ranges of a round width when there are many values."""
    if len(counts) <= BARS:
        return {f"{value.normalize():f}": count for value, count in counts.items()}
    low, high = min(counts), max(counts)
    width = _round_width((high - low) / BARS)
    first = (low // width) * width
    # Whole numbers: 20–24 and 25–29, not 20–25 and 25–30.
    whole = all(value == value.to_integral_value() for value in counts) and width >= 1
    step = Decimal(1) if whole else Decimal(0)
    bars: dict[str, int] = {}
    begin = first
    while begin <= high:
        inside = sum(count for value, count in counts.items() if begin <= value < begin + width)
        bars[f"{begin.normalize():f}–{(begin + width - step).normalize():f}"] = inside
        begin += width
    return bars


def _round_width(width: Decimal) -> Decimal:
    """Return the next of 1, 2, 5, 10, 20, 50, …"""
    power = Decimal(10) ** (width.adjusted() if width else 0)
    return next(power * step for step in (1, 2, 5, 10) if power * step >= width)


async def _months(
    session: WorkspaceSession, latest: Subquery, subject: str, answered: int
) -> list[AnswerCount]:
    month = func.left(latest.c.data["date"].astext, 7)
    rows = await session.execute(
        select(month, func.count())
        .where(latest.c.subject == subject, month.is_not(None))
        .group_by(month)
        .order_by(month)
    )
    return [
        AnswerCount(id=row[0], label=row[0], count=row[1], share=row[1] / answered)
        for row in rows
        if answered
    ]


def _answer(row: Any) -> AnswerOut:
    data: Mapping[str, Any] = row.data
    return AnswerOut(
        contact_id=row.contact_id,
        display_name=row.display_name,
        question_id=UUID(row.subject),
        at=row.at,
        choice_ids=[str(one) for one in data.get("choice_ids", [])],
        labels=[str(one) for one in data.get("labels", [])],
        text=data.get("text"),
        number=data.get("number"),
        date=data.get("date"),
    )


def _cursor(after: str) -> tuple[datetime, UUID]:
    moment, _tilde, ident = after.partition("~")
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), UUID(ident)
    except ValueError:
        raise Invalid(fields={"after": _("This is not a place in the list.")}) from None


async def _people(
    session: WorkspaceSession, survey_id: UUID, after: UUID | None, limit: int = 500
) -> Sequence[Any]:
    query = (
        select(
            Response.contact_id,
            Contact.display_name,
            func.min(Response.started_at).label("started"),
            func.max(Response.finished_at).label("finished"),
        )
        .join(Contact, Contact.id == Response.contact_id)
        .where(Response.survey_id == survey_id)
        .group_by(Response.contact_id, Contact.display_name)
        .order_by(Response.contact_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Response.contact_id > after)
    return (await session.execute(query)).all()


async def _answers_of(
    session: WorkspaceSession, questions: Sequence[Question], people: Sequence[UUID]
) -> dict[UUID, dict[str, Mapping[str, Any]]]:
    rows = await session.execute(
        select(Event.contact_id, Event.subject, Event.data)
        .where(
            Event.contact_id.in_(people),
            Event.kind == ANSWER,
            Event.subject.in_([str(question.id) for question in questions]),
        )
        .order_by(Event.at, Event.id)
    )
    found: dict[UUID, dict[str, Mapping[str, Any]]] = {}
    for contact_id, subject, data in rows:
        found.setdefault(contact_id, {})[subject] = data
    return found


def _shown(data: Mapping[str, Any] | None) -> str:
    if data is None:
        return ""
    if data.get("unsent"):
        return str(_("(taken back)"))
    if data.get("labels"):
        return "、".join(str(label) for label in data["labels"])
    if data.get("number") is not None:
        return f"{data['number']:g}"
    return str(data.get("date") or data.get("text") or "")


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")


def _row(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_harmless(cell) for cell in cells])
    return out.getvalue().encode()


def _harmless(cell: str) -> str:
    # A cell that begins so would be run as a formula by a spreadsheet (OWASP, CSV injection).
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
