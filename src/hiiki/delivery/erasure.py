"""A person is erased: parcels forget them, and nothing more is sent to them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.db import WorkspaceSession
from hiiki.delivery.sql import ERASED, people_may_go

# What is still to go out goes without them; a parcel for them alone is dropped, and a
# worker that has it in hand finds nothing left to record. What has gone out stays counted,
# with an empty place where they were. No index finds people in parcels: that would cost
# every send something, and this is rare.
_FORGET = text(
    r"""
    with theirs as materialized (
        select id, send_id, state in ('ready', 'sending') as is_open,
            cardinality(contact_ids) = 1 as is_alone,
            array_position(contact_ids, cast(:contact_id as uuid)) as place
        from delivery.parcel
        where workspace_id = :workspace_id and :contact_id = any(contact_ids)
        -- Locked as it is read: the place is that in the newest row, and parcels come before
        -- sends, as for whoever records outcomes.
        for update
    ), dropped as (
        delete from delivery.parcel p using theirs t
        where p.id = t.id and t.is_open and t.is_alone
    ), fewer as (
        update delivery.parcel p
        set contact_ids = p.contact_ids[\: t.place - 1] || p.contact_ids[t.place + 1 \:],
            line_user_ids = p.line_user_ids[\: t.place - 1] || p.line_user_ids[t.place + 1 \:]
        from theirs t where p.id = t.id and t.is_open and not t.is_alone
    ), settled as (
        update delivery.parcel p
        set contact_ids = array_replace(p.contact_ids, :contact_id,
                cast(:erased as uuid)),
            line_user_ids = p.line_user_ids[\: t.place - 1] || cast('' as text)
                || p.line_user_ids[t.place + 1 \:],
            messages = case when t.is_alone and p.messages is not null
                then cast('[]' as jsonb) else p.messages end,
            values = null, reply_token = null
        from theirs t where p.id = t.id and not t.is_open
    )
    update delivery.send s set targeted = s.targeted - t.people
    from (
        select send_id, count(*) as people from theirs
        where is_open and send_id is not null group by send_id
    ) as t where s.id = t.send_id
    """
)


_FORGET_LEFT_OUT = text(
    """
    update delivery.left_out set contact_ids = array_remove(contact_ids, :contact_id)
    where workspace_id = :workspace_id and :contact_id = any(contact_ids)
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Take a contact out of all parcels and lists of the left out, in this transaction."""
    await people_may_go(session)
    # Parcels last, for their sends' rows are what workers wait for; and twice, for a split that
    # the first waited for has put half of its people into a parcel that it did not see.
    for statement in (_FORGET_LEFT_OUT, _FORGET, _FORGET):
        await session.execute(
            statement,
            {"workspace_id": session.workspace_id, "contact_id": contact_id, "erased": ERASED},
            execution_options={"scoped_by_hand": True},
        )
