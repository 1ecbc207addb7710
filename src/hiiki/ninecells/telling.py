"""Letting rules know that somebody is in another cell, once for each move."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.kit.road import ActionContext, Happening, road
from hiiki.ninecells.history import cell_now, place
from hiiki.ninecells.models import Setup

KIND = "cell_change"
AT_ONCE = 100
"""Moves that are told in one transaction."""
BY_HAND = {"scoped_by_hand": True}

# Asked twice whether it is told: what has become of it while this waited for another.
_CLAIM = text(
    """
update ninecells.move set is_told = true
where workspace_id = :workspace and not is_told and (contact_id, at) in (
    select contact_id, at from ninecells.move
    where workspace_id = :workspace and not is_told
    order by contact_id, at limit :most
)
returning contact_id, at, was, cell"""
)


async def hear(context: ActionContext, _event: Happening) -> None:
    """Place a person as soon as she has finished a survey, and tell if she has moved."""
    setup = await _setup(context.session)
    if setup is not None:
        await _place(context, setup)


async def hear_purchase(context: ActionContext, _event: Happening) -> None:
    """Place a person who has bought something, where purchases are measured."""
    setup = await _setup(context.session)
    if setup is not None and setup.bought_from == "measured":
        await _place(context, setup)


async def _setup(session: WorkspaceSession) -> Setup | None:
    return await session.once("ninecells.setup", lambda: session.get(Setup, session.workspace_id))


async def _place(context: ActionContext, setup: Setup) -> None:
    session: WorkspaceSession = context.session
    before = await cell_now(session, context.contact_id)
    if not await place(session, setup, context.contact_id):
        return
    cell = await cell_now(session, context.contact_id)
    if cell and cell != before:
        await context.emit(KIND, subject=cell, data={"from": before})


async def tell_some(session: WorkspaceSession) -> int:
    """Tell rules of the next moves that nobody has told; returns how many there were.

    What is told and that it has been told are one transaction, so each is told once.
    """
    told = await session.execute(
        _CLAIM, {"workspace": session.workspace_id, "most": AT_ONCE}, execution_options=BY_HAND
    )
    moves = sorted(told.all())
    accounts = await _accounts(session, [move.contact_id for move in moves])
    for move in moves:
        if move.cell:
            await road().emit(
                session,
                move.contact_id,
                accounts.get(move.contact_id),
                KIND,
                subject=move.cell,
                data={"from": move.was},
            )
    return len(moves)


async def _accounts(session: WorkspaceSession, contact_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the account on which each person is best spoken to: the one she joined last."""
    rows = await session.execute(
        select(Friendship.contact_id, Friendship.channel_id)
        .ext(distinct_on(Friendship.contact_id))
        .where(Friendship.contact_id.in_(contact_ids), Friendship.status == "following")
        .order_by(Friendship.contact_id, Friendship.followed_at.desc().nulls_last())
    )
    return {row[0]: row[1] for row in rows}
