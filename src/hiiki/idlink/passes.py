"""Account link under way: link tokens that were issued, and nonces that say who logged in.

LINE's document "User account linking": the person's link token goes to the log-in page, whoever
logs in there is known by a nonce, and LINE tells the nonce with the LINE account when it is sure
that the one who came is the one for whom the link token was issued. So a link that somebody
passed on to another person links nobody.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from hiiki.contacts.identities import keys_of
from hiiki.db import WorkspaceSession
from hiiki.idlink import service
from hiiki.idlink.models import Pass
from hiiki.idlink.phrases import UNLINK_WORDS
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, Happening
from hiiki.line.login import account_link_url
from hiiki.workspace.models import Workspace

LIVES = timedelta(minutes=10)
"""A link token lives ten minutes ("Issue link token"); so a nonce need not live longer. A little
is added for LINE's webhook to arrive."""
ON_THE_WAY = timedelta(minutes=2)
KEPT = timedelta(days=1)
"""What is over is remembered so long, to tell a late nonce of ours from another tool's."""


@dataclass(frozen=True, slots=True)
class Nonce:
    """What a customer's browser is sent on with."""

    nonce: str
    url: str
    """LINE's dialog; "" when the link token is not known here."""
    expires_at: datetime


async def keep_token(session: WorkspaceSession, link_token: str, visitor: UUID, place: str) -> None:
    """Remember for whom a link token was issued, and by which place they came."""
    await _tidy(session)
    session.add(
        Pass(
            digest=_digest(link_token),
            kind="token",
            visitor=visitor,
            place=place,
            expires_at=now() + LIVES,
        )
    )


async def take_nonce(
    session: WorkspaceSession,
    customer: str,
    nonce: str | None = None,
    link_token: str = "",
    *,
    visitor: UUID | None = None,
    place: str = "",
) -> Nonce:
    """Note that a customer has logged in, under a nonce; raises `Conflict` for one used before.

    With the link token by which they came, the visitor's timeline tells that they logged in.
    Our own page says by `visitor` and `place` what it knows already.
    """
    customer = service.plain_number(customer)
    await _tidy(session)
    text = nonce or secrets.token_urlsafe(32)
    if await session.get(Pass, _digest(text)) is not None:
        raise Conflict(_("This nonce has been used before. Please make a new one."))
    came = await session.get(Pass, _digest(link_token)) if link_token else None
    if came is not None and (came.kind != "token" or came.expires_at <= now()):
        came = None
    made = Pass(
        digest=_digest(text),
        kind="nonce",
        customer=customer,
        visitor=came.visitor if came else visitor,
        place=came.place if came else place,
        expires_at=now() + LIVES + ON_THE_WAY,
    )
    session.add(made)
    await session.flush()
    if came is not None and came.visitor is not None:
        await note_login(session, came.visitor, came.place)
    url = account_link_url(link_token, text) if link_token else ""
    return Nonce(text, url, made.expires_at)


async def note_login(session: WorkspaceSession, contact_id: UUID, place: str) -> None:
    """Put on the timeline that a visitor has shown which customer they are."""
    from hiiki.kit.road import road

    await road().emit(
        session,
        contact_id,
        await service.channel_of(session, contact_id),
        "id_link_login",
        subject=place,
    )


async def on_account_link(context: ActionContext, event: Happening) -> None:
    """LINE's account link event: the nonce says which customer the LINE account is of.

    Messaging API reference, "Account link event". A nonce that is not ours is another tool's.
    """
    session: WorkspaceSession = context.session
    nonce = str(event.data.get("nonce") or "")
    found = await session.get(Pass, _digest(nonce)) if nonce else None
    if found is None or found.kind != "nonce" or event.data.get("result") != "ok":
        return
    used = await session.scalars(
        update(Pass)
        .where(Pass.digest == found.digest, Pass.used_at.is_(None))
        .values(used_at=now())
        .returning(Pass.digest)
        .execution_options(synchronize_session=False)
    )
    if used.first() is None:
        return
    if found.visitor is None:
        await context.emit("id_link_login", subject=found.place)
    if found.expires_at <= event.at:
        await context.emit("id_link_fail", subject="expired")
        return
    setting = await service.setting_of(session)
    may_move = setting is not None and setting.moves
    try:
        await service.link(
            context,
            found.customer,
            way="account",
            place=found.place,
            may_move=may_move,
            thanks=await _told(session, context, "done"),
        )
    except service.Refused as error:
        await context.emit("id_link_fail", subject=error.reason)
        context.say(await _told(session, context, error.reason), "id_link")


async def on_message(context: ActionContext, event: Happening) -> None:
    """Unlink who asks for it in the chat, where LINE's signature says who writes."""
    data = cast("Mapping[str, Any]", event.data)
    typed = str(data.get("text", "")).strip().casefold() if data.get("type") == "text" else ""
    if typed not in UNLINK_WORDS:
        return
    session: WorkspaceSession = context.session
    if await service.unlink(session, context.contact_id, by="customer", within=context):
        context.answered = True
        context.say(await _told(session, context, "unlinked"), "id_unlink")


async def _told(
    session: WorkspaceSession, context: ActionContext, phrase: str
) -> list[dict[str, str]]:
    """Return what is said in the chat: how it went, and where one can unlink."""
    from hiiki.idlink.cards import own_page
    from hiiki.idlink.visits import words_for

    workspace = await session.known(Workspace, session.workspace_id)
    words = await words_for(session, context.contact_id, otherwise=workspace.locale)
    said = words(phrase)
    if phrase == "done":
        url = await own_page(session, context.contact_id)
        said = f"{said}\n\n{words('chat_done', url=url)}"
    return [{"type": "text", "text": said}]


async def forget_visitor(session: WorkspaceSession, contact_id: UUID) -> None:
    """Forget what is under way of somebody who is erased."""
    numbers = [each.key for each in await keys_of(session, contact_id) if each.kind == "customer"]
    await session.execute(
        delete(Pass).where(or_(Pass.visitor == contact_id, Pass.customer.in_(numbers)))
    )


async def _tidy(session: WorkspaceSession) -> None:
    old = select(Pass.digest).where(Pass.expires_at < now() - KEPT).limit(100)
    await session.execute(
        delete(Pass)
        .where(Pass.digest.in_(old.with_for_update(skip_locked=True)))
        .execution_options(synchronize_session=False)
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
