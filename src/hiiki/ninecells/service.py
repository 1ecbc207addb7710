"""Setting the map up, and taking it from a ready survey."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.jobs import enqueue
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import MadeSurvey, Option, road
from hiiki.ninecells.models import Setup
from hiiki.ninecells.ready import KEY, MEANINGS
from hiiki.ninecells.schemas import Part, SetupIn, SetupOut

PARTS = ("aware", "bought", "again")


async def setup_of(session: WorkspaceSession) -> Setup | None:
    """Return how this workspace reads its map; None before it is set up."""
    return await session.get(Setup, session.workspace_id)


def spec_of(setup: Setup | None) -> SetupIn:
    """Return a setup as it is written; what a new one begins with for None."""
    if setup is None:
        return SetupIn()
    return SetupIn.model_validate(
        {
            "bought_from": setup.bought_from,
            "current_days": setup.current_days,
            "loyal_orders": setup.loyal_orders,
            "market": setup.market,
            **{name: setup.questions.get(name) or {} for name in PARTS},
        }
    )


def setup_out(setup: Setup | None) -> SetupOut:
    """Return a setup as programs get it."""
    known = setup.refreshed_at if setup is not None else None
    return SetupOut.model_validate({**spec_of(setup).model_dump(), "refreshed_at": known})


async def save(session: WorkspaceSession, spec: SetupIn) -> Setup:
    """Store how the map is read, and have everybody placed anew; raises `Invalid`.

    The past is read anew as well: what an answer means now, it has always meant.
    """
    if wrong := await _wrong(session, spec):
        raise Invalid(fields=wrong)
    setup = await setup_of(session)
    before = definition(setup) if setup is not None else ""
    if setup is None:
        setup = Setup(workspace_id=session.workspace_id)
        session.add(setup)
    setup.bought_from = spec.bought_from
    setup.questions = {name: getattr(spec, name).model_dump(mode="json") for name in PARTS}
    setup.current_days, setup.loyal_orders = spec.current_days, spec.loyal_orders
    setup.market = spec.market
    if before != definition(setup):
        # What the answers mean has changed: nobody has moved, and rules hear of nobody.
        setup.kept = {}
        await refresh_soon(session, setup, is_told=True)
    return setup


def definition(setup: Setup) -> str:
    """Return how a setup reads people, as a text that changes with it."""
    measured = setup.bought_from == "measured"
    limits = [setup.current_days, setup.loyal_orders] if measured else None
    return json.dumps([setup.bought_from, setup.questions, limits], sort_keys=True)


async def placed_by(session: WorkspaceSession) -> str:
    """Return how those who stand on the map now were read (`Field.mark`)."""
    return await session.scalar(select(Setup.placed_by)) or ""


async def refresh_soon(session: WorkspaceSession, setup: Setup, *, is_told: bool = False) -> None:
    """Have a worker place everybody, once this transaction is through.

    With `is_told` rules hear of none of the moves that this finds.
    """
    setup.refreshed_at = None
    ident = str(session.workspace_id)
    await enqueue(
        session,
        "ninecells:refresh",
        {"workspace_id": ident, "is_told": is_told},
        lock=f"ninecells:{ident}",
    )


async def take_ready(session: WorkspaceSession) -> MadeSurvey:
    """Make the ready survey of three questions and read the map from it.

    A market and the limits for measured purchases stay as they are.
    """
    made = await road().make_survey(session, KEY)
    spec = spec_of(await setup_of(session))
    for name, (question_id, choices) in zip(PARTS, made.questions, strict=True):
        meanings = dict(zip(choices, MEANINGS[name], strict=True))
        setattr(spec, name, Part(question_id=question_id, meanings=meanings))
    await save(session, spec)
    return made


async def questions(session: WorkspaceSession) -> list[Option]:
    """Return the questions of all surveys that have choices."""
    with_choices = await choices_by_question(session)
    return [
        option for option in await _options(session, "question") if option.value in with_choices
    ]


async def choices_by_question(session: WorkspaceSession) -> dict[str, list[Option]]:
    """Return question id → its choices, each with the choice's id as value."""
    found: dict[str, list[Option]] = {}
    for option in await _options(session, "answer"):
        question, _colon, choice = option.value.partition(":")
        found.setdefault(question, []).append(Option(choice, option.label))
    return found


async def _options(session: WorkspaceSession, name: str) -> list[Option]:
    picker = road().pickers.get(name)
    return list(await picker.options(session)) if picker is not None else []


async def _wrong(session: WorkspaceSession, spec: SetupIn) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    known = await choices_by_question(session)
    seen: dict[UUID, str] = {}
    for name in PARTS:
        if name == "bought" and spec.bought_from == "measured":
            continue
        part: Part = getattr(spec, name)
        at = f"{name}.question_id"
        if part.question_id is None:
            wrong[at] = _("Please choose a question.")
        elif str(part.question_id) not in known:
            wrong[at] = _("This question is no longer there. Please choose another.")
        elif part.question_id in seen:
            wrong[at] = _("Please choose a question of its own for each of the three.")
        elif len(set(part.meanings.values())) < 2:
            wrong[at] = _("Please say for at least two answers what they mean.")
        if part.question_id is not None:
            seen[part.question_id] = name
    return wrong


def asks(setup: Setup, question_id: UUID) -> bool:
    """True when the map is read from this question."""
    asked: list[dict[str, Any]] = [setup.questions.get(name) or {} for name in PARTS]
    return any(one.get("question_id") == str(question_id) for one in asked)
