"""What this room forgets of a person who is erased, beyond the rows that are theirs.

Their orders go with all that is worked out of them: what was sold on a day, of a product, in a
store. So do versions of orders that were theirs before a file gave them to somebody else, and
what of their shop's posts could not be taken yet.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text

from hiiki.contacts.identities import keys_of
from hiiki.contacts.models import Friendship, Merged
from hiiki.db import WorkspaceSession
from hiiki.purchases import posts
from hiiki.purchases.undoing import AT_MOST
from hiiki.purchases.writing import follow, hold_people, remove, run

_ORDERS = text(
    """
    select contact_id, id from purchases.order
    where workspace_id = :workspace_id and contact_id = :contact_id limit :most
    """
)
_FORGET_BEFORE = text(
    """
    update purchases.order o set
        previous = (
            select jsonb_agg(x.version order by x.n)
            from jsonb_array_elements(o.previous) with ordinality as x(version, n)
            where x.version -> 'order' ->> 'contact_id' <> all(cast(:these as text[]))
        ),
        owners = nullif(array(
            select x.owner from unnest(o.owners) as x(owner)
            where cast(x.owner as text) <> all(cast(:these as text[]))
        ), cast('{}' as uuid[]))
    where o.workspace_id = :workspace_id and o.owners && cast(:these as uuid[])
    """
)


async def erase(session: WorkspaceSession, contact_id: UUID) -> None:
    """Forget a person's purchases (`Room.erase`)."""
    # Who brings an order of theirs that names nobody waits here, and then finds them gone.
    await hold_people(session, [contact_id])
    references: set[str] = set()
    while rows := (await run(session, _ORDERS, contact_id=contact_id, most=AT_MOST)).all():
        removed = await remove(session, [(row.contact_id, row.id) for row in rows])
        references |= {each.order["reference"] for each in removed.values()} - {""}
        await follow(session, removed.values(), [], {}, renames=False)
    before = await session.scalars(select(Merged.old_id).where(Merged.contact_id == contact_id))
    these = [str(ident) for ident in (contact_id, *before)]
    await run(session, _FORGET_BEFORE, these=these)
    keys = {(each.kind, each.key) for each in await keys_of(session, contact_id)}
    accounts = await session.scalars(
        select(Friendship.line_user_id).where(Friendship.contact_id == contact_id)
    )
    keys |= {("line", each) for each in accounts}
    await posts.forget_person(session, keys, references)
