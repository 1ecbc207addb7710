"""Transactions that change several people lock them in one order, so that none waits for ever."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from conftest import Shop, scope
from hiiki.contacts import profiles, service
from hiiki.contacts.models import Contact, Friendship, Tag
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.workspace.models import Channel

from .people import make_friend


async def one_waits(shop: Shop) -> None:
    """Return when some transaction of this database waits for a lock."""
    waits = text(
        "select exists (select from pg_stat_activity where datname = current_database()"
        " and wait_event_type = 'Lock')"
    )
    async with asyncio.timeout(5):
        found: Any = False
        while not found:
            async with scope(shop.workspace_id) as session:
                found = await session.scalar(waits, execution_options={"scoped_by_hand": True})


async def tagged_with_others(session: WorkspaceSession, people: list[UUID], tag: Tag) -> None:
    for person in people:
        service.add_tag_with(session, person, tag.id)


async def tagged_by_staff(session: WorkspaceSession, people: list[UUID], tag: Tag) -> None:
    # Whoever comes first on the pages need not have the lowest id.
    chosen = select(Contact.id).where(Contact.id.in_(people)).order_by(Contact.id.desc())
    await service.add_tag_to(session, chosen, tag.id)


@pytest.mark.parametrize("do", [tagged_with_others, tagged_by_staff])
async def test_tags(shop: Shop, channel: Channel, do: Any) -> None:
    low, high = sorted([(await make_friend(shop, channel)).id for _ in range(2)])
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="t")
        session.add(tag)

    async def both() -> None:
        async with scope(shop.workspace_id) as session:
            await do(session, [high, low], tag)

    async with scope(shop.workspace_id) as session:
        await service.add_tag(session, low, tag.id)
        waits = asyncio.create_task(both())
        await one_waits(shop)
        await service.add_tag(session, high, tag.id)
    await waits


async def followed(shop: Shop, people: list[UUID]) -> None:
    async with scope(shop.workspace_id) as session:
        found = await session.scalars(select(Friendship))
        users = {friendship.contact_id: friendship for friendship in found}
        channel = await session.one(Channel, users[people[0]].channel_id)
        for person in people:
            await service.befriend(
                session, channel, users[person].line_user_id, at=now(), is_unblocked=False
            )


async def named(_shop: Shop, people: list[UUID]) -> None:
    asked = [profiles._Asked(person) for person in people]  # pyright: ignore[reportPrivateUsage]
    await profiles._save(asked, now())  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("do", [followed, named])
async def test_people(shop: Shop, channel: Channel, do: Any) -> None:
    low, high = sorted([(await make_friend(shop, channel)).id for _ in range(2)])
    async with scope(shop.workspace_id) as session:
        first = select(Contact.id).with_for_update(key_share=True)
        await session.scalar(first.where(Contact.id == low))
        waits = asyncio.create_task(do(shop, [high, low]))
        await one_waits(shop)
        await session.scalar(first.where(Contact.id == high))
    await waits
