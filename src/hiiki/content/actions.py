"""The action `send`, and what editors may choose of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import select

from hiiki.content.building import build
from hiiki.content.draft import Draft
from hiiki.content.models import Link, Media
from hiiki.content.personal import personalise
from hiiki.db import WorkspaceSession
from hiiki.kit.road import ActionContext, Option


class SendParams(BaseModel):
    """What is to be said."""

    draft: Annotated[Draft, Field(json_schema_extra={"widget": "composer"})]


async def send(context: ActionContext, params: SendParams) -> None:
    """Say a message to the contact; raises `NotFound` when its image or coupon is gone."""
    session: WorkspaceSession = context.session
    digest = hashlib.sha256(params.draft.model_dump_json().encode()).hexdigest()[:16]
    owner = f"action:{digest}"
    built = await session.once(owner, lambda: build(session, params.draft, owner))
    said = await personalise(session, built.messages, [context.contact_id])
    context.say(said[context.contact_id], owner)


async def media_options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the images of the library, newest first."""
    rows = await session.execute(select(Media.id, Media.name).order_by(Media.id.desc()).limit(500))
    return [Option(str(ident), name) for ident, name in rows]


async def link_options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the tracked links, newest first."""
    rows = await session.execute(
        select(Link.id, Link.label, Link.url).order_by(Link.id.desc()).limit(1000)
    )
    return [Option(str(ident), f"{label} — {url}" if label else url) for ident, label, url in rows]
