"""Imports of orders are taken back: each order is again what it was before them.

What an import changes keeps the version before in itself, and that one those before it. Imports
are taken back in any order, so a version of one that was taken back meanwhile is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from hiiki.contacts.merging import where_are
from hiiki.db import WorkspaceSession
from hiiki.purchases import subscriptions
from hiiki.purchases.writing import (
    Row,
    Version,
    follow,
    hold,
    hold_people,
    insert,
    remove,
    run,
)

AT_MOST = 5_000
"""Orders that one call takes, or takes back."""
KEPT = 10
"""Versions that an order keeps: the oldest, which is what the shop's system told, and the last."""

_OF_IMPORT = text(
    """
    select contact_id, id, owners from purchases.order
    where workspace_id = :workspace_id and import_id = :import_id order by contact_id limit :most
    """
)
_TAKE_BACK = text(
    """
    insert into purchases.taken_back (workspace_id, import_id) values (:workspace_id, :import_id)
    on conflict do nothing
    """
)
_TAKEN_BACK = text(
    """
    select import_id from purchases.taken_back
    where workspace_id = :workspace_id and import_id = any(cast(:imports as uuid[]))
    """
)


def remember(version: Version, before: Version, import_id: UUID) -> None:
    """Keep in a version that came by an import what stood before."""
    chain: list[Row] = list(before.order["previous"] or ())
    if before.order["import_id"] != import_id:
        # Else the same import has brought it before: what it is taken back to is older.
        chain.append(kept(before))
    if len(chain) > KEPT:
        chain = [chain[0], *chain[1 - KEPT :]]
    _keep(version, chain)


def _keep(version: Version, chain: Sequence[Row]) -> None:
    owners = {UUID(each["order"]["contact_id"]) for each in chain} - {version.order["contact_id"]}
    version.order["previous"] = list(chain) or None
    version.order["owners"] = sorted(owners) or None


async def undo(session: WorkspaceSession, import_id: UUID, most: int = AT_MOST) -> int:
    """Take back up to so many of the orders that an import made or changed; returns how many.

    What it changed is again what it was before; what was changed since is no longer the import's
    and stays. Call it until it returns 0.
    """
    await run(session, _TAKE_BACK, import_id=import_id)
    rows = (await run(session, _OF_IMPORT, import_id=import_id, most=most)).all()
    if not rows:
        return 0
    await hold(session, [row.id for row in rows])
    owners = {owner for row in rows for owner in row.owners or ()}
    merged = await where_are(session, owners)
    people = {row.contact_id for row in rows} | owners | set(merged.values())
    there = await hold_people(session, people)
    removed = await remove(session, [(row.contact_id, row.id) for row in rows])
    undone = await _taken_back(session, removed.values())
    added: list[Version] = []
    for version in removed.values():
        chain = list(version.order["previous"] or ())
        while chain:
            old = chain.pop()
            owner = UUID(old["order"]["contact_id"])
            owner = owner if owner in there else merged.get(owner, owner)
            # Whose it was may be erased since: then it is not to come back.
            if _import_of(old) not in undone and owner in there:
                added.append(restored(old, owner, chain))
                break
    await insert(session, added)
    await follow(session, removed.values(), added, {}, renames=False)
    await subscriptions.follow_orders(session, removed.values(), added, is_live=False)
    return len(removed)


async def _taken_back(session: WorkspaceSession, versions: Any) -> set[UUID | None]:
    imports = {_import_of(old) for each in versions for old in each.order["previous"] or ()}
    if not imports - {None}:
        return set()
    rows = await run(session, _TAKEN_BACK, imports=list(imports - {None}))
    return {row[0] for row in rows}


def _import_of(old: Mapping[str, Any]) -> UUID | None:
    ident = old["order"]["import_id"]
    return UUID(ident) if ident else None


def kept(version: Version) -> Row:
    """Return a version as JSON takes it, so that `restored` brings it back."""
    own = {"previous", "owners"}
    order = {name: value for name, value in version.order.items() if name not in own}
    plain: Row = orjson.loads(orjson.dumps({"order": order, "lines": version.lines}, default=str))
    return plain


def restored(document: Mapping[str, Any], contact_id: UUID, before: Sequence[Row]) -> Version:
    """Return what `kept` kept, now `contact_id`'s, with the versions before it."""
    order: Row = {**document["order"], "contact_id": contact_id}
    for name in ("id", "workspace_id"):
        order[name] = UUID(order[name])
    order["import_id"] = _import_of(document)
    for name in ("at", "updated_at", "received_at"):
        order[name] = datetime.fromisoformat(order[name])
    for name in ("amount", "discount", "shipping", "refunded", "items"):
        order[name] = Decimal(order[name])
    lines = [
        {
            **line,
            "contact_id": contact_id,
            "order_id": order["id"],
            "workspace_id": order["workspace_id"],
            "quantity": Decimal(line["quantity"]),
            "amount": Decimal(line["amount"]),
        }
        for line in document["lines"]
    ]
    version = Version(order, lines)
    _keep(version, before)
    return version
