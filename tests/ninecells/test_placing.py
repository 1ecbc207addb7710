"""Where people stand follows from the timeline: every answer, every order, every day."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select, text

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.ninecells import history
from hiiki.ninecells.cells import AWARE, BOUGHT, CELL_SQL, CELLS, NEXT, cell_of
from hiiki.ninecells.figures import counts_at, counts_now, flows, movers
from hiiki.ninecells.history import place, slices
from hiiki.ninecells.models import Move, Setup, Standing
from hiiki.timeline import Event

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
QUESTIONS = {name: uuid.uuid5(uuid.NAMESPACE_URL, name) for name in ("aware", "bought", "again")}
CODES = {"aware": AWARE, "bought": BOUGHT, "again": NEXT}


def setup(**given: Any) -> Setup:
    """Each meaning is its own choice; one more choice says nothing."""
    questions = {
        name: {"question_id": str(ident), "meanings": {code: code for code in CODES[name]}}
        for name, ident in QUESTIONS.items()
    }
    defaults = {"bought_from": "asked", "current_days": 365, "loyal_orders": 3}
    return Setup(questions=questions, **{**defaults, **given})


@dataclass
class Step:
    """Something a person did: answered `part` with `said`, or bought (`part` is "order")."""

    at: datetime
    part: str
    said: str = ""
    passage: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)


async def live(shop: Shop, people: Iterable[Sequence[Step]]) -> list[uuid.UUID]:
    """Put each person's steps on the timeline; return the people's ids."""
    ids: list[uuid.UUID] = []
    async with scope(shop.workspace_id) as session:
        for steps in people:
            ids.append(uuid.uuid4())
            session.add(Contact(id=ids[-1]))
            for step in steps:
                session.write(event_of(shop, ids[-1], step))
    return ids


def event_of(shop: Shop, contact_id: uuid.UUID, step: Step) -> Event:
    is_order = step.part == "order"
    data: dict[str, Any] = {"choice_ids": [step.said]}
    if step.passage:
        data["response_id"] = step.passage
    return Event(
        workspace_id=shop.workspace_id,
        contact_id=contact_id,
        id=step.id,
        at=step.at,
        kind="purchase" if is_order else "survey_answer",
        subject="" if is_order else str(QUESTIONS[step.part]),
        data={} if is_order else data,
    )


def answers(at: datetime, aware: str, bought: str = "", again: str = "") -> list[Step]:
    """One passage through the survey, a minute for each question."""
    passage = str(uuid.uuid4())
    given = {"aware": aware, "bought": bought, "again": again}
    return [
        Step(at + timedelta(minutes=n), part, said, passage)
        for n, (part, said) in enumerate(given.items())
        if said
    ]


async def standing(session: WorkspaceSession) -> dict[uuid.UUID, str]:
    return {row.contact_id: row.cell for row in await session.scalars(select(Standing))}


async def test_every_combination_of_answers_has_its_cell(shop: Shop) -> None:
    """The table of the book, the function, and the statement say the same."""
    book = {
        ("general", "yes"): "general_active",
        ("general", "no"): "general_passive",
        ("loyal", "yes"): "loyal_active",
        ("loyal", "no"): "loyal_passive",
        ("lapsed", "yes"): "lapsed_active",
        ("lapsed", "no"): "lapsed_passive",
    }
    seen: set[str] = set()
    async with scope(shop.workspace_id) as session:
        for aware, bought, again in product((None, *AWARE), (None, *BOUGHT), (None, *NEXT)):
            if bought in ("general", "loyal", "lapsed"):
                expected = book.get((bought, str(again)), "")
            elif aware == "no":
                expected = "unaware"
            elif aware == "yes" and bought == "never" and again:
                expected = "aware_active" if again == "yes" else "aware_passive"
            else:
                expected = ""
            found = await session.scalar(
                text(
                    f"select coalesce({CELL_SQL}, '') from (select cast(:a as int) as aware,"
                    " cast(:b as int) as bought, cast(:n as int) as again) given"
                ),
                {
                    "a": None if aware is None else AWARE.index(aware),
                    "b": None if bought is None else BOUGHT.index(bought),
                    "n": None if again is None else NEXT.index(again),
                },
                execution_options={"scoped_by_hand": True},
            )
            assert found == cell_of(aware, bought, again) == expected, (aware, bought, again)
            seen.add(expected)
    assert seen == {"", *(cell.name for cell in CELLS)}


def by_hand(steps: Sequence[Step], setup: Setup) -> list[tuple[datetime, str, str]]:
    """The moves of one person, step by step in plain Python."""
    is_measured = setup.bought_from == "measured"
    lapse = timedelta(days=setup.current_days)
    orders = sorted(step.at for step in steps if step.part == "order")
    told = [
        (step.at, str(step.id), step.part, step.said, step.passage or str(step.id))
        for step in steps
        if step.part != "order"
        and step.said in CODES[step.part]
        and not (is_measured and step.part == "bought")
    ]
    if is_measured:
        for n, at in enumerate(orders, 1):
            kind = "loyal" if n >= setup.loyal_orders else "general"
            told.append((at, f"order{n}", "bought", kind, f"order{n}"))
            following = orders[n] if n < len(orders) else None
            if at + lapse <= NOW and (following is None or following > at + lapse):
                told.append((at + lapse, f"lapse{n}", "bought", "lapsed", f"lapse{n}"))
    told.sort()
    known: dict[str, str | None] = {
        "aware": None,
        "bought": "never" if is_measured else None,
        "again": None,
    }
    moves: list[tuple[datetime, str, str]] = []
    cell = ""
    for n, (at, _id, part, said, passage) in enumerate(told):
        known[part] = said
        if is_measured and part == "bought" and said != "lapsed":
            known["aware"] = "yes"
        if any(later[4] == passage for later in told[n + 1 :]):
            continue
        new = cell_of(known["aware"], known["bought"], known["again"])
        if new != cell:
            moves.append((at, cell, new))
            cell = new
    return moves


async def test_a_small_world_agrees_with_plain_python(
    shop: Shop, other_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random lives, read as asked and as measured, for everybody by slices and for each alone."""
    monkeypatch.setattr(history, "SLICE", 17)
    dice = random.Random(9)
    lives: list[list[Step]] = []
    for _person in range(60):
        steps: list[Step] = []
        for n in range(dice.randrange(9)):
            # No two at one moment: which of them came first nobody could say.
            at = NOW - timedelta(days=dice.randrange(900), hours=n, minutes=dice.randrange(60))
            part = dice.choice(("aware", "bought", "again", "order", "order"))
            said = dice.choice((*CODES.get(part, ("",)), "nonsense"))
            steps.append(Step(at, part, said, dice.choice(("", "p1", "p2"))))
        lives.append(steps)
    ids = await live(shop, lives)
    await live(other_shop, lives[:5])
    for how in (setup(), setup(bought_from="measured", current_days=200, loyal_orders=2)):
        expected = {i: by_hand(life, how) for i, life in zip(ids, lives, strict=True)}
        async with scope(shop.workspace_id) as session:
            parts = await slices(session)
            assert len(parts) == 4
            for part in parts:
                await place(session, how, between=part, at=NOW)
            rows = await session.scalars(select(Move).order_by(Move.at))
            found: dict[uuid.UUID, list[tuple[datetime, str, str]]] = {i: [] for i in ids}
            for row in rows:
                found[row.contact_id].append((row.at, row.was, row.cell))
            assert found == expected
            now = {i: moves[-1][2] for i, moves in expected.items() if moves and moves[-1][2]}
            assert await standing(session) == now
            assert await place(session, how, at=NOW) == 0, "nothing is new the second time"
            assert [await place(session, how, i, at=NOW) for i in ids] == [0] * len(ids)
            await _figures_agree(session, expected)
        assert len(set(now.values())) > 4, "the world has too little in it"
    async with scope(other_shop.workspace_id) as session:
        assert await standing(session) == {}


async def _figures_agree(
    session: WorkspaceSession, lives: dict[uuid.UUID, list[tuple[datetime, str, str]]]
) -> None:
    def cell_at(moves: list[tuple[datetime, str, str]], moment: datetime) -> str:
        return next((cell for at, _was, cell in reversed(moves) if at < moment), "")

    first, until = NOW - timedelta(days=300), NOW - timedelta(days=40)
    for moment in (first, until):
        counted = {name: n for name, n in (await counts_at(session, moment)).items() if n}
        cells = [cell_at(moves, moment) for moves in lives.values()]
        assert counted == {name: cells.count(name) for name in set(cells) - {""}}
    flow: dict[tuple[str, str], int] = {}
    moved: set[uuid.UUID] = set()
    for ident, moves in lives.items():
        pair = (cell_at(moves, first), cell_at(moves, until))
        if pair != ("", ""):
            flow[pair] = flow.get(pair, 0) + 1
        if pair[0] != pair[1]:
            moved.add(ident)
    assert await flows(session, first, until) == flow
    listed: list[uuid.UUID] = []
    after = None
    while True:
        page, after = await movers(session, first, until, after=after, limit=7)
        listed += [one.contact.id for one in page]
        if after is None:
            break
    assert sorted(listed) == sorted(moved)
    some = next((was, cell) for was, cell in flow if was != cell)
    chosen, _more = await movers(session, first, until, was=some[0], cell=some[1])
    assert len(chosen) == flow[some]


async def test_an_order_taken_back_takes_its_move_along(shop: Shop) -> None:
    how = setup(bought_from="measured")
    lives = [[*answers(NOW - timedelta(days=9), "yes", again="yes"), Step(NOW, "order")]]
    [person] = await live(shop, lives)
    async with scope(shop.workspace_id) as session:
        await place(session, how, at=NOW)
        assert await standing(session) == {person: "general_active"}
        await session.execute(
            text("delete from timeline.event where kind = 'purchase'"),
            execution_options={"scoped_by_hand": True},
        )
        await place(session, how, person, at=NOW)
        assert await standing(session) == {person: "aware_active"}
        assert sum((await counts_now(session)).values()) == 1
