"""The shop's LINE Login channel: kept sealed, checked against LINE, used to learn who is here."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from hiiki.content.links import base_url
from hiiki.db import WorkspaceSession, scope
from hiiki.idlink.models import LoginChannel
from hiiki.idlink.schemas import LoginChannelIn
from hiiki.idlink.visits import Underway, Visit
from hiiki.kit.errors import Invalid, Unavailable
from hiiki.kit.i18n import _
from hiiki.kit.ids import uuid7
from hiiki.line.client import LineError
from hiiki.line.login import (
    BadLogin,
    LoggedIn,
    LoginRequest,
    authorize_url,
    check_channel,
    exchange,
)
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal, unseal

PURPOSE = "line login"


def callback_url() -> str:
    """Return the address that the shop registers as "Callback URL" of its Login channel."""
    return f"{base_url()}/id-link/callback"


async def save(session: WorkspaceSession, given: LoginChannelIn) -> LoginChannel:
    """Keep an account's LINE Login channel, in place of the one before.

    LINE is asked whether the secret fits; raises `Invalid` when it does not, `NotFound` for an
    unknown account and `Unavailable` when LINE does not answer.
    """
    channel = await session.one(Channel, given.channel_id)
    if given.line_channel_id == channel.line_channel_id:
        raise Invalid(
            fields={
                "line_channel_id": _(
                    "This is the Messaging API channel. LINE Login has a channel of its own, of "
                    "the same provider."
                )
            }
        )
    try:
        await check_channel(given.line_channel_id, given.secret)
    except LineError as error:
        if error.status in (400, 401, 403):
            raise Invalid(
                fields={
                    "secret": _(
                        "LINE does not know this channel ID with this secret. Please copy both "
                        "from the LINE Developers console (Basic settings tab)."
                    )
                }
            ) from error
        raise Unavailable(
            _("LINE does not answer at present (%(why)s). Please try again.", why=error.message)
        ) from error
    found = await session.scalar(
        select(LoginChannel).where(LoginChannel.channel_id == given.channel_id)
    )
    if found is None:
        found = LoginChannel(id=uuid7(), channel_id=given.channel_id)
        session.add(found)
    found.line_channel_id = given.line_channel_id
    found.sealed_secret = seal(given.secret, found.id, PURPOSE)
    await session.flush()
    return found


async def channel_for(session: WorkspaceSession, channel_id: UUID | None) -> LoginChannel | None:
    """Return the Login channel of an account; of any one, when it is not known which."""
    query = select(LoginChannel).order_by(LoginChannel.created_at, LoginChannel.id).limit(1)
    if channel_id is not None:
        query = query.where(LoginChannel.channel_id == channel_id)
    return await session.scalar(query)


def begin(visit: Visit, login: LoginChannel, language: str, *, again: bool) -> tuple[str, Underway]:
    """Return where the browser goes to log in, and what it has to bring back."""
    request = LoginRequest.new()
    url = authorize_url(
        login.line_channel_id, callback_url(), request, language=language, auto_login=not again
    )
    return url, Underway(
        workspace=visit.workspace,
        login=str(login.id),
        state=request.state,
        nonce=request.nonce,
        verifier=request.verifier,
        place=visit.place,
        language=visit.language,
        is_second=again,
    )


async def finish(underway: Underway, code: str) -> tuple[LoginChannel, LoggedIn]:
    """Return who logged in. LINE is asked outside any transaction.

    Raises `LineError` and `BadLogin` as `hiiki.line.login.exchange` does.
    """
    async with scope(UUID(underway.workspace)) as session:
        login = await session.get(LoginChannel, UUID(underway.login))
        if login is None:
            raise BadLogin("the Login channel is gone")
        secret = unseal(login.sealed_secret, login.id, PURPOSE)
    request = LoginRequest(underway.state, underway.nonce, underway.verifier)
    return login, await exchange(login.line_channel_id, secret, code, callback_url(), request)
