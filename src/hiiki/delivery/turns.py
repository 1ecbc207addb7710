"""Who comes first when the month's messages do not suffice for all.

Whoever was left out for this reason most often comes first; among equals, whoever has been a
friend longest without a break. So a shop that sends more than it may reaches everybody in
turn, and the same people do not always go without.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, and_, bindparam, case, func, select, text

from hiiki.delivery.models import Send

LOOKED_BACK = 30
"""As many of the account's latest sends that did not suffice for all are looked at."""

_MISSED = text(
    """
select unnest(l.contact_ids) as person, count(*) as times
from (
    select id from delivery.send
    where workspace_id = :workspace and channel_id = :channel and quota > 0
    order by id desc limit :sends
) as s join delivery.left_out l on l.send_id = s.id
where l.reason = 'quota'
group by person"""
)


def in_turn(judged: Select[UUID, str, Any, Any], send: Send, most: int) -> Select[UUID, str, Any]:
    """Return `judged` (of `guards.people`), where all but the first `most` are left out."""
    found = judged.cte("judged")
    missed = (
        _MISSED.bindparams(
            bindparam("workspace", send.workspace_id),
            bindparam("channel", send.channel_id),
            bindparam("sends", LOOKED_BACK),
        )
        .columns(person=Uuid(), times=Integer())
        .cte("missed")
    )
    place = func.row_number().over(
        partition_by=found.c.reason,
        order_by=(
            func.coalesce(missed.c.times, 0).desc(),
            found.c.followed_at.asc().nulls_last(),
            found.c.contact_id,
        ),
    )
    return select(
        found.c.contact_id,
        found.c.line_user_id,
        case((and_(found.c.reason.is_(None), place > most), "quota"), else_=found.c.reason).label(
            "reason"
        ),
    ).select_from(found.outerjoin(missed, missed.c.person == found.c.contact_id))
