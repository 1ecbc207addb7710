"""Freezing an audience: one statement makes all the parcels of a send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, Uuid, func, insert, literal, literal_column, select

from hiiki.db import WorkspaceSession
from hiiki.delivery.guards import people
from hiiki.delivery.models import LEFT_OUT_REASONS, LeftOut, Parcel, Send
from hiiki.delivery.sql import BY_HAND, uuid7
from hiiki.delivery.turns import in_turn
from hiiki.line.limits import MAX_RECIPIENTS


@dataclass(frozen=True, slots=True)
class Frozen:
    """How many people a send is for, and how many more it was meant for, by reason."""

    targeted: int
    blocked: int
    opted_out: int
    capped: int
    quota: int


async def freeze(
    session: WorkspaceSession,
    send: Send,
    audience: Select[tuple[UUID]],
    *,
    most: int | None = None,
) -> Frozen:
    """Make the send's parcels, and keep who was left out of them and why.

    Equal content goes to up to 500 people at a time, personal content to each alone.
    With `most`, so many people get it at most (`hiiki.delivery.turns`).
    """
    judged = await people(
        session,
        send.channel_id,
        audience,
        topic_id=send.topic_id,
        must_go=send.must_go,
        send_id=send.id,
    )
    found = (judged if most is None else in_turn(judged, send, most)).cte("people")
    size = 1 if send.personal else MAX_RECIPIENTS
    place = func.row_number().over(order_by=found.c.contact_id) - 1
    numbered = (
        select(found.c.contact_id, found.c.line_user_id, (place // literal(size)).label("page"))
        .where(found.c.reason.is_(None))
        .cte("numbered")
    )
    parcels: Any = select(
        literal_column(await uuid7(session), Uuid()),
        literal(send.workspace_id),
        literal(send.id),
        literal(send.channel_id),
        literal(send.subject),
        literal("push" if send.personal else "multicast"),
        func.array_agg(numbered.c.contact_id),
        func.array_agg(numbered.c.line_user_id),
        func.gen_random_uuid(),
        literal("ready"),
        literal(0),
        func.now(),
        func.now(),
    ).group_by(numbered.c.page)
    columns = [
        "id",
        "workspace_id",
        "send_id",
        "channel_id",
        "subject",
        "method",
        "contact_ids",
        "line_user_ids",
        "retry_key",
        "state",
        "attempts",
        "next_attempt_at",
        "created_at",
    ]
    made = (
        insert(Parcel)
        .from_select(columns, parcels, include_defaults=False)
        .returning(func.cardinality(Parcel.contact_ids).label("people"))
        .cte("made")
    )
    targeted = select(func.coalesce(func.sum(made.c.people), 0)).scalar_subquery()
    left = _left_out(send, found)
    counted = [
        select(func.coalesce(func.sum(left.c.people), 0))
        .where(left.c.reason == reason)
        .scalar_subquery()
        for reason in LEFT_OUT_REASONS
    ]
    row = (await session.execute(select(targeted, *counted), execution_options=BY_HAND)).one()
    return Frozen(*(int(count) for count in row))


def _left_out(send: Send, found: CTE) -> CTE:
    place = func.row_number().over(partition_by=found.c.reason, order_by=found.c.contact_id) - 1
    numbered = (
        select(
            found.c.contact_id,
            found.c.reason,
            (place // literal(MAX_RECIPIENTS)).label("page"),
        )
        .where(found.c.reason.is_not(None))
        .cte("numbered_left_out")
    )
    rows: Any = select(
        literal(send.workspace_id),
        literal(send.id),
        numbered.c.reason,
        numbered.c.page,
        func.array_agg(numbered.c.contact_id),
    ).group_by(numbered.c.reason, numbered.c.page)
    columns = ["workspace_id", "send_id", "reason", "page", "contact_ids"]
    return (
        insert(LeftOut)
        .from_select(columns, rows, include_defaults=False)
        .returning(LeftOut.reason, func.cardinality(LeftOut.contact_ids).label("people"))
        .cte("left_out")
    )
