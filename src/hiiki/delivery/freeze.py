"""Freezing an audience: one statement makes all the parcels of a send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Select,
    Text,
    Uuid,
    and_,
    case,
    func,
    insert,
    literal,
    literal_column,
    null,
    select,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB, array

from hiiki.content.service import shared_values
from hiiki.db import WorkspaceSession
from hiiki.delivery.guards import Audience, people
from hiiki.delivery.models import LEFT_OUT_REASONS, LeftOut, Parcel, Send
from hiiki.delivery.sql import BY_HAND, people_stay, uuid7
from hiiki.delivery.turns import in_turn
from hiiki.line.limits import MAX_RECIPIENTS

_IN_MEMORY = text("select set_config('work_mem', '128MB', true), set_config('jit', 'off', true)")
"""A million people take 70 MB, which are read twice."""


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
    audience: Audience,
    *,
    most: int | None = None,
) -> Frozen:
    """Make the send's parcels, and keep who was left out of them and why.

    Equal content goes to up to 500 people at a time; so does personal content that comes out
    the same for them. What is one person's own goes to them alone. With `most`, so many
    people get it at most (`hiiki.delivery.turns`).
    """
    await people_stay(session)
    await session.execute(_IN_MEMORY, execution_options=BY_HAND)
    judged = await people(
        session,
        send.channel_id,
        audience,
        topic_id=send.topic_id,
        must_go=send.must_go,
        send_id=send.id,
    )
    found = (judged if most is None else in_turn(judged, send, most)).cte("people")
    packed = _packed(send, found).cte("packed")
    parcels: Any = select(
        literal_column(await uuid7(session), Uuid()),
        literal(send.workspace_id),
        literal(send.id),
        literal(send.channel_id),
        literal(send.subject),
        packed.c.method,
        packed.c.contact_ids,
        packed.c.line_user_ids,
        packed.c["values"],
        func.gen_random_uuid(),
        literal("ready"),
        literal(0),
        func.now(),
        func.now(),
    )
    columns = [
        "id",
        "workspace_id",
        "send_id",
        "channel_id",
        "subject",
        "method",
        "contact_ids",
        "line_user_ids",
        "values",
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


def _packed(send: Send, found: CTE) -> Select[str, Any, Any, Any]:
    """Return who goes into a parcel together: method, contacts, LINE user ids, values."""
    person: Any = found.c.contact_id
    user: Any = found.c.line_user_id
    going = found.c.reason.is_(None)
    nothing: Any = sql_cast(null(), JSONB)
    values = shared_values(send.messages) if send.personal else None
    if send.personal and values is None:
        return select(
            literal("push").label("method"),
            array([person]).label("contact_ids"),
            array([user]).label("line_user_ids"),
            nothing.label("values"),
        ).where(going)
    tables, stored, same = found, nothing, nothing
    if values is not None:
        filled = values.subquery("filled")
        stored = filled.columns[1]
        tables = found.join(filled, filled.columns[0] == person)
        same = func.md5(sql_cast(stored, Text))
    # By contact: what is written of a parcel's people when it has gone lies together.
    place = func.row_number(type_=BigInteger).over(partition_by=same, order_by=person) - 1
    placed = (
        select(
            person,
            user,
            stored.label("values"),
            same.label("same"),
            (place // literal(MAX_RECIPIENTS)).label("page"),
        )
        .select_from(tables)
        .where(going)
        .cte("placed")
    )
    alone = func.count() == 1
    pushed = literal(True) if send.personal else literal(False)
    # One person's values are looked up when it is sent: they are then as they are that day.
    first = func.min(sql_cast(placed.c["values"], Text))
    return select(
        case((and_(pushed, alone), "push"), else_="multicast").label("method"),
        func.array_agg(placed.c.contact_id).label("contact_ids"),
        func.array_agg(placed.c.line_user_id).label("line_user_ids"),
        case((alone, nothing), else_=sql_cast(first, JSONB)).label("values"),
    ).group_by(placed.c.same, placed.c.page)


def _left_out(send: Send, found: CTE) -> CTE:
    place = (
        func.row_number(type_=BigInteger).over(
            partition_by=found.c.reason, order_by=found.c.contact_id
        )
        - 1
    )
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
