"""Broadcasts to test with."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from delivery.conftest import (
    Account,
)
from hiiki.broadcasts import service
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.schemas import BroadcastIn
from hiiki.contacts.models import ContactTag, Tag
from hiiki.db import scope
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.segments.models import Segment


def content(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"blocks": list(blocks) or [{"kind": "text", "text": "新作です"}]}


async def tagged(account: Account, count: int) -> uuid.UUID:
    """A segment of the first so many friends; returns its id."""
    async with scope(account.workspace_id) as session:
        tag = Tag(name=f"甘口{uuid.uuid4().hex[:4]}")
        session.add(tag)
        await session.flush()
        session.add_all(
            ContactTag(contact_id=ident, tag_id=tag.id) for ident in account.contacts[:count]
        )
        segment = Segment(
            name=f"甘口が好き{tag.name}",
            rule={"kind": "tag", "tag_ids": [str(tag.id)]},
        )
        session.add(segment)
        await session.flush()
        return segment.id


async def make(account: Account, **changes: Any) -> uuid.UUID:
    data = {
        "name": "甘口の日",
        "channel_id": str(account.channel_id),
        "segment_id": "",
        "draft": content(),
        **changes,
    }
    async with scope(account.workspace_id) as session:
        return (await service.save(session, None, parse(BroadcastIn, data))).id


async def get(account: Account, ident: uuid.UUID) -> Broadcast:
    async with scope(account.workspace_id) as session:
        return await session.one(Broadcast, ident)


async def send(account: Account, ident: uuid.UUID) -> None:
    async with scope(account.workspace_id) as session:
        await service.send_now(session, ident)


async def refused(account: Account, ident: uuid.UUID) -> Invalid:
    with pytest.raises(Invalid) as caught:
        await send(account, ident)
    assert (await get(account, ident)).state == "draft"
    return caught.value
