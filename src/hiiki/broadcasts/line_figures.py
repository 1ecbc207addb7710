"""LINE's own count of who opened a broadcast, beside our count of who opened its links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from hiiki.broadcasts.models import Broadcast
from hiiki.db import WorkspaceSession
from hiiki.delivery import insight
from hiiki.delivery.models import Interaction, Send
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.line.limits import PEOPLE_TO_TELL

State = Literal["told", "silent", "waiting", "few", "no_name"]


class LineLink(BaseModel):
    """An address in one part of the message, as LINE counts it."""

    seq: int
    """The part of the message, from 1 on."""
    url: str
    clicks: int | None
    people: int | None


class LineBubble(BaseModel):
    """One part of the message (a bubble), as LINE counts it."""

    seq: int
    """From 1 on."""
    shown: int | None
    """How often it was displayed."""
    people: int | None
    """Who displayed it."""
    played: int | None
    """Who began its video or audio."""
    played_through: int | None


class LineFigures(BaseModel):
    """What people did with the broadcast, as LINE counts it. Everything counts people.

    None is what LINE does not tell: fewer than 20 people did it, or it has not been counted
    yet ("Get statistics per unit"). LINE calls its figures inexact, and goes on counting for
    14 days.
    """

    state: State
    """told; silent (LINE was asked, but tells nothing yet); waiting (not asked yet); few (it
    went to fewer than 20 people); no_name (LINE's 1,000 names of the month were used up)."""
    recipients: int
    """For whom LINE accepted it: what the rates are of."""
    opened: int | None
    """Saw at least one part of it."""
    open_rate: float | None
    clicked: int | None
    """Opened any address in it, tracked by Hiiki or not."""
    click_rate: float | None
    """Of the recipients."""
    clicked_of_opened: float | None
    """Of those who opened it."""
    played: int | None
    """Began any video or audio in it."""
    played_through: int | None
    bubbles: list[LineBubble]
    links: list[LineLink]
    """Addresses of which LINE tells anything. Tracked links differ for each recipient, so LINE
    counts them only all together, in `clicked`."""
    asked_at: datetime | None
    """When LINE answered last."""
    next_at: datetime | None
    """When it is asked again; None once its figures are final."""
    problem: str | None
    """Why LINE gave no answer when it was asked last, in its words."""


async def line_figures(session: WorkspaceSession, send: Send) -> LineFigures:
    """Return what LINE has told of a send."""
    row = await session.get(Interaction, send.id)
    if row is None:
        few = send.targeted < PEOPLE_TO_TELL
        return _figures(send, Interaction(bubbles=[], links=[]), "few" if few else "no_name")
    if row.asked_at is None:
        return _figures(send, row, "waiting")
    told = (row.opened, row.clicked, row.played, row.played_through)
    return _figures(send, row, "silent" if told == (None,) * 4 else "told")


def _figures(send: Send, row: Interaction, state: State) -> LineFigures:
    return LineFigures(
        state=state,
        recipients=send.accepted,
        opened=row.opened,
        open_rate=_rate(row.opened, send.accepted),
        clicked=row.clicked,
        click_rate=_rate(row.clicked, send.accepted),
        clicked_of_opened=_rate(row.clicked, row.opened),
        played=row.played,
        played_through=row.played_through,
        bubbles=[LineBubble.model_validate(one) for one in row.bubbles],
        links=[LineLink.model_validate(one) for one in row.links],
        asked_at=row.asked_at,
        next_at=row.next_at,
        problem=row.error,
    )


def _rate(part: int | None, whole: int | None) -> float | None:
    # LINE's figures are inexact, and a message in doubt may have been opened all the same.
    return min(1.0, part / whole) if part is not None and whole else None


async def opened_of(session: WorkspaceSession, send_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return send → people who opened it, of those sends of which LINE tells it."""
    found = await session.execute(
        select(Interaction.send_id, Interaction.opened).where(
            Interaction.send_id.in_(send_ids), Interaction.opened.is_not(None)
        )
    )
    return {send_id: opened for send_id, opened in found if opened is not None}


async def ask_line(session: WorkspaceSession, broadcast: Broadcast) -> None:
    """Ask LINE now; raises `Conflict` when there is nothing to ask or it was asked too often.

    Also `Unavailable`, when LINE does not answer.
    """
    if broadcast.send_id is None:
        raise Conflict(_("This broadcast has not been sent yet."))
    await insight.ask_now(session.workspace_id, broadcast.send_id)
