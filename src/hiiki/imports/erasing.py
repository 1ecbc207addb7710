"""What imports keep of a person elsewhere than in rows of theirs: the values of refused lines.

A refused line is nobody's: who it was about can only be told by what stands in it. Files
themselves are deleted after `exports.IMPORTS_KEPT`, and the values of their lines with them.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from hiiki.contacts.models import Contact
from hiiki.contacts.naming import naming_of
from hiiki.db import WorkspaceSession

# Of a telephone the digits behind the country's code and the 0 in its place are compared.
_FORGET = text(
    """
    with typed as (
        select r.import_id, r.line, r.place, lower(normalize(r.value, NFKC)) as value
        from imports.refusal r where r.workspace_id = :workspace_id and r.value <> ''
    )
    update imports.refusal r set value = ''
    from typed t
    where r.import_id = t.import_id and r.line = t.line and r.place = t.place
      and r.workspace_id = :workspace_id and (
        t.value = any(cast(:numbers as text[]))
        or exists (
            select from unnest(cast(:words as text[])) w
            where position(lower(normalize(w, NFKC)) in t.value) > 0
        )
        or exists (
            select from unnest(cast(:phones as text[])) p
            where position(p in regexp_replace(t.value, '[^0-9]', '', 'g')) > 0
        )
    )
    """
)


async def forget_person(session: WorkspaceSession, contact_id: UUID) -> None:
    """Empty what was refused of a person's number, name, e-mail or telephone."""
    contact = await session.one(Contact, contact_id)
    naming = await naming_of(session, contact_id)
    names = [name for name in (contact.real_name, contact.display_name) if name]
    await session.execute(
        _FORGET,
        {
            "workspace_id": session.workspace_id,
            "numbers": list(naming.numbers),
            "words": [word for word in (*naming.addresses, *names) if len(word) > 1],
            "phones": list(naming.phones),
        },
        execution_options={"scoped_by_hand": True},
    )
