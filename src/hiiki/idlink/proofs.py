"""Our own log-in page for shops without a site: a customer number, and one thing more.

Nothing is told but "does not match": whether there is such a number is nobody's to know. Tries
are counted for the visitor, for the number and for the address, whatever comes of them.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, text

from hiiki.contacts.identities import Keys, normal, resolve
from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.idlink.models import Attempt
from hiiki.kit.clock import now

WINDOW = timedelta(hours=1)
PER_VISITOR = 5
PER_NUMBER = 8
PER_ADDRESS = 60
"""Many customers of a mobile network share one address."""


async def admit(session: WorkspaceSession, visitor: UUID, customer: str, address: str) -> bool:
    """Write down a try, and say whether it may be made. Commit whatever comes of it.

    Under a lock, so that many at once cannot slip past.
    """
    await session.execute(
        delete(Attempt)
        .where(Attempt.at < now() - WINDOW)
        .execution_options(synchronize_session=False)
    )
    limits = {
        _key(session, "visitor", str(visitor)): PER_VISITOR,
        _key(session, "number", customer): PER_NUMBER,
        _key(session, "address", address): PER_ADDRESS,
    }
    for key in sorted(limits):
        await session.execute(_LOCK, {"key": key}, execution_options={"scoped_by_hand": True})
    rows = await session.execute(
        select(Attempt.key, func.count())
        .where(Attempt.key.in_(limits), Attempt.at > now() - WINDOW)
        .group_by(Attempt.key)
    )
    had = dict(rows.all())
    if any(had.get(key, 0) >= most for key, most in limits.items()):
        return False
    session.add_all(Attempt(key=key) for key in limits)
    await session.flush()
    return True


async def matches(session: WorkspaceSession, customer: str, proof: str, given: str) -> bool:
    """True when the shop knows a customer of this number by this e-mail, birthday or phone.

    What is asked of the database is the same whether or not there is such a customer.
    """
    [owner] = await resolve(session, [Keys(customer=customer)], create=False)
    contact = await session.get(Contact, owner or uuid4())
    if contact is None:
        return False
    known: str | date | None = getattr(contact, proof)
    if proof == "birthday":
        return known is not None and str(known) == given.strip()
    return _same(proof, str(known or ""), given)


def _same(proof: str, known: str, given: str) -> bool:
    mine = normal(Keys(**{proof: known}))
    theirs = normal(Keys(**{proof: given}))
    return bool(mine) and mine == theirs


def _key(session: WorkspaceSession, kind: str, value: str) -> str:
    # Addresses and numbers are not kept: their hash is enough to count.
    told = f"{kind}:{value}".encode()
    return hmac.digest(session.workspace_id.bytes, told, hashlib.sha256).hex()


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:key, 5))")
