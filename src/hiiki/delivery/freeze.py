"""Freezing an audience: one statement makes all the parcels of a send."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, func, insert, literal, literal_column, select, true

from hiiki.contacts.models import Friendship
from hiiki.db import WorkspaceSession
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.sql import BY_HAND, uuid7
from hiiki.line.limits import MAX_RECIPIENTS


async def freeze(
    session: WorkspaceSession, send: Send, audience: Select[tuple[UUID]]
) -> tuple[int, int]:
    """Make the send's parcels; returns how many people they hold, and how many had blocked.

    Equal content goes to up to 500 people at a time, personal content to each alone.
    """
    wanted = audience.subquery("wanted")
    people = (
        select(Friendship.contact_id, Friendship.line_user_id, Friendship.status)
        .where(
            Friendship.workspace_id == send.workspace_id,
            Friendship.channel_id == send.channel_id,
            # A semi-join: somebody whom the audience names twice is one person.
            Friendship.contact_id.in_(select(wanted.c[0])),
        )
        .cte("people")
    )
    size = 1 if send.personal else MAX_RECIPIENTS
    place = func.row_number().over(order_by=people.c.contact_id) - 1
    numbered = (
        select(people.c.contact_id, people.c.line_user_id, (place // literal(size)).label("page"))
        .where(people.c.status == "following")
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
    blocked = select(func.count()).where(people.c.status == "blocked").scalar_subquery()
    row = (
        await session.execute(select(targeted, blocked).where(true()), execution_options=BY_HAND)
    ).one()
    return int(row[0]), int(row[1])
