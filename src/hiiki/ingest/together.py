"""Events of many people in one transaction, when many wait.

Claiming, committing and asking whom a reaction concerns cost the same for one event as for
thirty. So a hand that finds work for many people does it together, one event of each. When
anything goes wrong, nothing of it has happened, and each event is handled by itself
(`hiiki.ingest.handle`), so that a fault is its own event's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from hiiki.actions.rulebook import STATE
from hiiki.db import WorkspaceSession, scope
from hiiki.ingest.handle import SEEN_WITHIN, Waiting, apply, channel_of, note
from hiiki.ingest.translate import Told, tell
from hiiki.kit.ids import contact_id
from hiiki.kit.road import Reaction, road

# The conditions are those of the claim in `hiiki.ingest.handle`, for many events at once.
# The locks are tried in whatever order the rows come: nobody ever waits for one.
_CLAIM = text(
    f"""
    update ingest.webhook_event w
    set state = 'handled', handled_at = clock_timestamp(), attempts = w.attempts + 1,
        retry_at = null, error = null
    from unnest(
        cast(:channel_ids as uuid[]), cast(:event_ids as text[]), cast(:source_ids as text[]),
        cast(:contact_ids as uuid[]), cast(:seen_since as timestamptz[])
    ) with ordinality as x (channel_id, event_id, source_id, contact_id, seen_since, place)
    where w.workspace_id = :workspace_id and w.channel_id = x.channel_id
        and w.event_id = x.event_id and w.state = 'waiting'
        and (w.retry_at is null or w.retry_at <= clock_timestamp())
        and not exists (
            select 1 from ingest.webhook_event e
            where e.channel_id = x.channel_id and e.source_id = x.source_id
                and e.state = 'waiting' and (e.at, e.serial) < (w.at, w.serial)
        )
        and pg_try_advisory_xact_lock(hashtextextended(x.channel_id::text || x.source_id, 0))
    returning x.place::int - 1 as place, {STATE} as rulebook, exists (
        select 1 from contacts.friendship f
        where f.workspace_id = :workspace_id and f.contact_id = x.contact_id
            and f.channel_id = x.channel_id and f.last_seen_at > x.seen_since
    ) as is_known
    """  # noqa: S608 — put together of two constants
)


async def handle_together(events: Sequence[Waiting]) -> list[bool]:
    """Handle one event of each of several sources of one workspace, all or none of them.

    Returns for each whether it was this worker's turn. Raises what went wrong in any.
    """
    async with scope(events[0].workspace_id) as session:
        people = [
            contact_id(
                event.workspace_id,
                (await channel_of(session, event.channel_id)).provider,
                event.user_id,
            )
            for event in events
        ]
        claimed = await session.execute(
            _CLAIM,
            {
                "workspace_id": events[0].workspace_id,
                "channel_ids": [event.channel_id for event in events],
                "event_ids": [event.event_id for event in events],
                "source_ids": [event.source_id for event in events],
                "contact_ids": people,
                "seen_since": [event.at - SEEN_WITHIN for event in events],
            },
            execution_options={"scoped_by_hand": True},
        )
        rows = sorted((int(row[0]), str(row[1]), bool(row[2])) for row in claimed)
        told = {place: tell(events[place].kind, events[place].payload) for place, _, _ in rows}
        concerned = await _concerned(
            session, [(told[place], people[place]) for place, _, _ in rows]
        )
        for place, rulebook, is_known in rows:
            event, what, person = events[place], told[place], people[place]
            if not (event.user_id and what.kind):
                continue
            if not is_known or what.kind in ("follow", "unfollow"):
                channel = await channel_of(session, event.channel_id)
                await note(session, channel, event.user_id, event, what)
            unconcerned = [reaction for reaction, whom in concerned.items() if person not in whom]
            await apply(session, person, event, what, rulebook, unconcerned)
    mine = {place for place, _, _ in rows}
    return [place in mine for place in range(len(events))]


async def _concerned(
    session: WorkspaceSession, happened: Sequence[tuple[Told, UUID]]
) -> dict[Reaction, set[UUID]]:
    """Ask each reaction that can tell, for whom of these people it has anything to do."""
    found: dict[Reaction, set[UUID]] = {}
    for kind in {told.kind for told, _ in happened if told.kind}:
        people = [person for told, person in happened if told.kind == kind]
        for reaction in road().reactions.get(kind, []):
            if reaction.concerns is not None:
                found[reaction] = set(await reaction.concerns(session, people))
    return found
