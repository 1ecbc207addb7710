"""What segments keep of a person elsewhere than in rows of theirs: pasted lines that meant nobody.

Such a line may be about somebody who came later, or was known by another key then.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, text

from hiiki.contacts.naming import naming_of
from hiiki.db import WorkspaceSession
from hiiki.segments.models import ListGap

_FORGET = text(
    r"""
    with lines as (
        select g.list_id, l.n, l.line, lower(normalize(btrim(l.line), NFKC)) as said
        from segments.list_gap g, string_to_table(g.lines, E'\n') with ordinality as l(line, n)
        where g.workspace_id = :workspace_id
    ), judged as (
        select list_id, n, line,
            said = any(cast(:words as text[])) or said ~ '^[-+() 0-9]+$'
                and right(regexp_replace(said, '[^0-9]', '', 'g'), 9) = any(cast(:phones as text[]))
                as is_theirs
        from lines
    ), kept as (
        select list_id, count(*) filter (where not is_theirs) as n,
            string_agg(line, E'\n' order by n) filter (where not is_theirs) as lines
        from judged group by list_id having bool_or(is_theirs)
    )
    update segments.list_gap g set n = k.n, lines = coalesce(k.lines, '')
    from kept k where g.list_id = k.list_id and g.workspace_id = :workspace_id
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Take lines out of lists' gaps that name a person by number, address or telephone."""
    naming = await naming_of(session, contact_id)
    await session.execute(
        _FORGET,
        {
            "workspace_id": session.workspace_id,
            "words": [*naming.words, str(contact_id)],
            "phones": list(naming.phones),
        },
        execution_options={"scoped_by_hand": True},
    )
    await session.execute(
        delete(ListGap).where(ListGap.n == 0), execution_options={"synchronize_session": False}
    )
