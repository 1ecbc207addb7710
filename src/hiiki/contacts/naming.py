"""By what somebody is named where no row is theirs: in filters, pasted lines, cells of files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.identities import keys_of
from hiiki.contacts.models import BulkEdit, Contact, Friendship, View
from hiiki.contacts.search import words_of
from hiiki.db import WorkspaceSession

_TELLING = 9
"""Digits at the end of a telephone number: what stands before them depends on who writes it."""
_FEW = 7
"""Fewer digits would be in other numbers by chance."""
GONE = "…"
"""Stands for the words of a filter that named somebody who was erased."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What names one person, as it is compared: NFKC, lower case."""

    numbers: frozenset[str]
    """The shop's own numbers of the customer."""
    addresses: frozenset[str]
    """E-mail addresses and LINE user ids."""
    phones: frozenset[str]
    """The last digits of telephone numbers."""

    @property
    def words(self) -> frozenset[str]:
        """What stands for the person as a whole word."""
        return self.numbers | self.addresses

    def is_in(self, q: str) -> bool:
        """Tell whether what was looked for names this person."""
        return any(
            word in self.words or re.sub(r"\D", "", word)[-_TELLING:] in self.phones
            for word in words_of(q)
        )


async def naming_of(session: WorkspaceSession, contact_id: UUID) -> Naming:
    """Return what names a contact, of what is known now; raises `NotFound`."""
    contact = await session.one(Contact, contact_id)
    keys = {(each.kind, each.key) for each in await keys_of(session, contact_id)}
    keys |= {("email", contact.email or ""), ("phone", contact.phone or "")}
    accounts = select(Friendship.line_user_id).where(Friendship.contact_id == contact_id)
    keys |= {("line", each) for each in await session.scalars(accounts)}
    ends = {key.lstrip("+0")[-_TELLING:] for kind, key in keys if kind == "phone"}
    return Naming(
        frozenset(key.lower() for kind, key in keys if kind == "customer"),
        frozenset(key.lower() for kind, key in keys if kind in ("email", "line") and key),
        frozenset(end for end in ends if len(end) >= _FEW),
    )


async def forget_in_filters(session: WorkspaceSession, contact_id: UUID) -> None:
    """Delete saved views that look for this person alone, and the words of bulk changes that did.

    A change that is still waiting then finds nobody by them, which is who is left of that person.
    """
    naming = await naming_of(session, contact_id)
    for view in await session.scalars(select(View)):
        if naming.is_in(str(view.query.get("q", ""))):
            await session.delete(view)
    edits = select(BulkEdit).where(BulkEdit.filter["q"].astext != "")
    for edit in await session.scalars(edits):
        if naming.is_in(str(edit.filter["q"])):
            edit.filter = {**edit.filter, "q": GONE}
