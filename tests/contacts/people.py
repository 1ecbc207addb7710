"""Channels and people to test with."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from conftest import Shop, scope
from hiiki.contacts.models import Contact
from hiiki.contacts.service import befriend
from hiiki.workspace.models import Channel

T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


async def make_channel(shop: Shop, provider: str = "provider", name: str = "本店") -> Channel:
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name=name,
            line_channel_id=secrets.token_hex(5),
            provider=provider,
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=secrets.token_hex(8),
        )
        session.add(channel)
    return channel


async def make_friend(shop: Shop, channel: Channel, name: str = "", **fields: Any) -> Contact:
    """A friend with a profile, added a moment after the one before."""
    async with scope(shop.workspace_id) as session:
        ident = await befriend(
            session,
            channel,
            "U" + secrets.token_hex(16),
            at=fields.pop("at", T0 + timedelta(seconds=1)),
            is_unblocked=False,
        )
        contact = await session.one(Contact, ident)
        contact.display_name = name
        contact.profile_due_at = None
        for key, value in fields.items():
            setattr(contact, key, value)
    return contact
