"""What waits for a purchase runs at once, for what has just happened and for nothing older.

What is brought in from files is history: nobody is thanked in 2026 for an order of 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hiiki.actions.context import Context
from hiiki.actions.rulebook import STATE, rules_for
from hiiki.content.opening import channel_of
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.road import road
from hiiki.purchases.events import events_of
from hiiki.purchases.models import Setting
from hiiki.purchases.writing import Version, run
from hiiki.timeline import Event

_RULES = text(f"select {STATE}")

Row = dict[str, Any]


async def setting(session: WorkspaceSession) -> Setting:
    """Return what the workspace has decided, or the defaults."""
    found = await session.get(Setting, session.workspace_id)
    if found is None:
        found = Setting(workspace_id=session.workspace_id, fresh_hours=24, cart_hours=3)
    return found


async def decide(session: WorkspaceSession, fresh_hours: int, cart_hours: int) -> Setting:
    """Set what the workspace decides."""
    found = await session.get(Setting, session.workspace_id)
    if found is None:
        found = Setting(workspace_id=session.workspace_id)
        session.add(found)
    found.fresh_hours, found.cart_hours = fresh_hours, cart_hours
    await session.flush()
    return found


async def since(session: WorkspaceSession) -> datetime:
    """Return the moment before which all is history."""
    decided = await session.once("purchases.setting", lambda: setting(session))
    return now() - timedelta(hours=decided.fresh_hours)


async def react(
    session: WorkspaceSession, removed: Mapping[UUID, Version], added: Iterable[Version]
) -> None:
    """Run what waits for what these orders tell and told not before."""
    fresh = await since(session)
    told: list[Row] = []
    for version in added:
        order, before = version.order, removed.get(version.order["id"])
        # An order that was open for a week has become a purchase when it was paid.
        moment = order["at"] if before is None else max(order["at"], order["updated_at"])
        if moment < fresh:
            continue
        known = _kinds(before)
        told.extend(
            event
            for event in events_of(order, version.lines)
            if (event["kind"], _amount(event)) not in known
        )
    await run_for(session, told)


def _kinds(version: Version | None) -> set[tuple[str, Any]]:
    if version is None:
        return set()
    return {(event["kind"], _amount(event)) for event in events_of(version.order, version.lines)}


def _amount(event: Row) -> Any:
    # A second return of the same order is news; another amount of the same purchase is none.
    return event["value"] if event["kind"] == "purchase_return" else None


async def run_for(session: WorkspaceSession, told: Sequence[Row]) -> None:
    """Run what waits for these events, which are on the timeline already."""
    if not told:
        return
    book = str((await run(session, _RULES)).scalar_one())
    awaited = {
        kind
        for kind in {event["kind"] for event in told}
        if road().reactions.get(kind) or await rules_for(session, kind, book)
    }
    by_person: dict[UUID, list[Row]] = {}
    for event in told:
        if event["kind"] in awaited:
            by_person.setdefault(event["contact_id"], []).append(event)
    for contact_id, events in by_person.items():
        channel_id = await channel_of(session, contact_id, "")
        context = Context(session, contact_id, channel_id, rulebook=book)
        for event in events:
            await context.react(Event(**event))
        await context.close()
