"""A shop made in a line: tags, accounts, people, and the rules about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hiiki.contacts.models import (
    Contact,
    ContactTag,
    Friendship,
    Tag,
)
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.segments import service
from hiiki.segments.models import Segment
from hiiki.segments.rules import read_rule
from hiiki.workspace.models import Channel


async def tag(session: WorkspaceSession, name: str) -> Tag:
    made = Tag(name=name)
    session.add(made)
    await session.flush()
    return made


async def channel(session: WorkspaceSession, name: str) -> Channel:
    made = Channel(
        name=name,
        line_channel_id=uuid4().hex,
        provider="1",
        sealed_secret=b"",
        sealed_token=b"",
        webhook_key=uuid4().hex,
    )
    session.add(made)
    await session.flush()
    return made


async def person(
    session: WorkspaceSession,
    name: str,
    *tags: Tag,
    follows: Channel | None = None,
    blocked: Channel | None = None,
    minutes: int = 0,
) -> UUID:
    contact = Contact(id=uuid4(), display_name=name, created_at=now() - timedelta(minutes=minutes))
    session.add(contact)
    await session.flush()
    session.add_all(ContactTag(contact_id=contact.id, tag_id=each.id) for each in tags)
    for account, status in ((follows, "following"), (blocked, "blocked")):
        if account is not None:
            session.add(
                Friendship(
                    contact_id=contact.id,
                    channel_id=account.id,
                    line_user_id=uuid4().hex,
                    status=status,
                    followed_at=now(),
                )
            )
    await session.flush()
    return contact.id


def has(*tags: Tag, op: str = "has") -> dict[str, Any]:
    return {"kind": "tag", "op": op, "tag_ids": [str(each.id) for each in tags]}


def both(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "all", "rules": list(rules)}


def either(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "any", "rules": list(rules)}


async def save(
    session: WorkspaceSession, name: str, rule: dict[str, Any], segment: Segment | None = None
) -> Segment:
    return await service.save(session, segment, name=name, description="", rule=read_rule(rule))
