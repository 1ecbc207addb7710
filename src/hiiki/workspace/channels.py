"""Official accounts: connecting them to LINE, and saying what is wrong when something is.

The webhook can only be tested once the channel is committed, for LINE calls us while we
wait. So what changes a channel here is written in a transaction of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, Unavailable
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import code, uuid7
from hiiki.kit.road import road
from hiiki.line.client import BotInfo, LineClient, LineError
from hiiki.line.http import http
from hiiki.line.prices import plans
from hiiki.settings import settings
from hiiki.workspace import consumption
from hiiki.workspace.models import Channel
from hiiki.workspace.schemas import ChannelCredentials, NewChannel
from hiiki.workspace.seal import seal, unseal

WEBHOOK_KEY_LENGTH = 24
_SECRETS_ARE_LOOKED_UP_AGAIN = 1.2
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a channel is spoken for with. Never shown, never logged."""

    secret: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something between LINE and us: what it is, and what to do about it."""

    title: Text
    remedy: Text


_PROBLEMS: Mapping[str, Problem] = {
    "token": Problem(
        _("LINE does not accept the channel access token"),
        _("Issue a new one on the LINE Developers console (Messaging API tab) and enter it here."),
    ),
    "secret": Problem(
        _("The channel secret is not this channel's"),
        _(
            "LINE's test arrived with a signature that does not fit the secret. Copy the secret "
            "from the LINE Developers console (Basic settings tab) and enter it here."
        ),
    ),
    "not_https": Problem(
        _("LINE takes only https addresses"),
        _("Give this server a public https address and set it as HIIKI_PUBLIC_URL."),
    ),
    "refused_url": Problem(
        _("LINE does not take the webhook address"),
        _("Check HIIKI_PUBLIC_URL: it must be a public address that can be found from outside."),
    ),
    "unreachable": Problem(
        _("LINE cannot reach this server"),
        _(
            "Check that HIIKI_PUBLIC_URL leads to this server from the internet, that its "
            "certificate is valid, and that no firewall is in the way."
        ),
    ),
    "timeout": Problem(
        _("This server answers LINE too slowly"),
        _("LINE waits for two seconds. Check this server's load, and what stands before it."),
    ),
    "not_here": Problem(
        _("The webhook address leads elsewhere"),
        _("Something answered LINE's test, but it was not this server. Check HIIKI_PUBLIC_URL."),
    ),
    "status": Problem(
        _("LINE's test call was answered with an error"),
        _("Check this server's log, and what stands between it and the internet."),
    ),
    "off": Problem(
        _("“Use webhook” is switched off"),
        _(
            "Switch it on in the LINE Developers console (Messaging API tab); until then LINE "
            "sends no events."
        ),
    ),
    "line": Problem(
        _("LINE does not answer at present"),
        _("Please check again in a few minutes."),
    ),
}


def problem_of(channel: Channel) -> Problem | None:
    """Return what the last check of the channel's webhook found, or None when all was well."""
    return None if not channel.webhook_problem else _PROBLEMS[channel.webhook_problem]


def credentials(channel: Channel) -> Credentials:
    """Return a channel's secret and token; raises `Unavailable` when they cannot be opened."""
    return Credentials(
        secret=unseal(channel.sealed_secret, channel.id, "secret"),
        token=unseal(channel.sealed_token, channel.id, "token"),
    )


def client_of(channel: Channel) -> LineClient:
    """Return the way to speak to LINE as this channel."""
    token = credentials(channel).token
    return LineClient(http(), token)


def webhook_url(channel: Channel) -> str:
    """Return the address that LINE calls for this channel."""
    return f"{settings().public_url.rstrip('/')}/webhook/{channel.webhook_key}"


async def add_channel(
    session: WorkspaceSession,
    *,
    line_channel_id: str,
    secret: str,
    token: str,
    provider_of: UUID | None = None,
) -> Channel:
    """Connect an official account: check it against LINE, keep it, set and test its webhook.

    `provider_of` is another channel of the same LINE provider: the two then share their
    contacts. Raises `Invalid` when LINE does not know the token, or the account is
    connected already, and `Unavailable` when LINE does not answer. A webhook that does
    not work yet raises nothing: `problem_of` says what is wrong with it.
    """
    given = parse(
        NewChannel,
        {
            "line_channel_id": line_channel_id,
            "secret": secret,
            "token": token,
            "provider_of": provider_of,
        },
    )
    provider = f"own:{given.line_channel_id}"
    if given.provider_of is not None:
        provider = (await session.one(Channel, given.provider_of)).provider
    client = LineClient(http(), given.token)
    bot = await _ask_who(client)
    await _refuse_twice(given.line_channel_id, bot)
    ident = uuid7()
    channel = Channel(
        id=ident,
        name=bot.display_name or given.line_channel_id,
        line_channel_id=given.line_channel_id,
        provider=provider,
        bot_user_id=bot.user_id,
        basic_id=bot.basic_id,
        picture_url=bot.picture_url or "",
        sealed_secret=seal(given.secret, ident, "secret"),
        sealed_token=seal(given.token, ident, "token"),
        webhook_key=code(WEBHOOK_KEY_LENGTH),
    )
    async with scope(session.workspace_id) as own:
        own.add(channel)
        figures = await consumption.ask(client)
        await own.flush()
        await consumption.take(own, channel, figures, since=0)
        channel.plan = _likely_plan(channel.quota_limit)
    added = await session.one(Channel, ident)
    await connect_webhook(session, added)
    return added


async def replace_credentials(
    session: WorkspaceSession, channel: Channel, given: ChannelCredentials
) -> None:
    """Take a new secret, a new token or both, check them, and test the webhook with them.

    Raises `Invalid` when LINE does not know the token or it is another account's.
    """
    if given.token:
        bot = await _ask_who(LineClient(http(), given.token))
        if channel.bot_user_id and bot.user_id != channel.bot_user_id:
            raise Invalid(
                fields={
                    "token": _("This token belongs to another account: %(name)s.", name=_bot(bot))
                }
            )
    async with scope(session.workspace_id) as own:
        kept = await own.one(Channel, channel.id)
        if given.secret:
            kept.sealed_secret = seal(given.secret, kept.id, "secret")
        if given.token:
            kept.sealed_token = seal(given.token, kept.id, "token")
            kept.paused_reason = None
    await session.refresh(channel)
    await connect_webhook(session, channel)


async def connect_webhook(session: WorkspaceSession, channel: Channel) -> Problem | None:
    """Give LINE our address, let it call us, and remember what is wrong, if anything is."""
    client, url = client_of(channel), webhook_url(channel)
    problem = await _find_problem(client, url)
    if problem == "secret":
        # The web servers may have looked up the channel's old secret a moment ago, and
        # look again at most once a second.
        await asyncio.sleep(_SECRETS_ARE_LOOKED_UP_AGAIN)
        problem = await _find_problem(client, url)
    channel.webhook_problem = problem
    channel.webhook_checked_at = now()
    await session.flush()
    return problem_of(channel)


async def check_channel(session: WorkspaceSession, channel: Channel) -> Problem | None:
    """Check everything about a channel again: account, quota, webhook."""
    client = client_of(channel)
    try:
        bot = await client.bot_info()
        channel.name = bot.display_name or channel.name
        channel.basic_id = bot.basic_id
        channel.picture_url = bot.picture_url or ""
        own = channel.messages_own
        await consumption.take(session, channel, await consumption.ask(client), since=own)
    except LineError as error:
        channel.webhook_problem = "token" if error.status in (401, 403) else "line"
        channel.webhook_checked_at = now()
        await session.flush()
        return problem_of(channel)
    channel.paused_reason = None
    return await connect_webhook(session, channel)


def set_plan(channel: Channel, plan: str) -> None:
    """Say by which price list the account is billed; raises `Invalid` for an unknown one."""
    if plan not in plans():
        raise Invalid(fields={"plan": _("Please choose one from the list.")})
    channel.plan = plan


async def delete_channel(session: WorkspaceSession, channel: Channel) -> None:
    """Forget a channel with its friendships and sends.

    Raises `Conflict` while it is active, or while something uses it, such as a segment.
    """
    if channel.is_active:
        raise Conflict(_("Please deactivate the account first; then it can be deleted."))
    if used := await road().usages(session, "channel", channel.id):
        places = ", ".join(usage.label for usage in used[:5])
        raise Conflict(_("This account is in use: %(places)s.", places=places))
    await session.delete(channel)
    await session.flush()


async def _find_problem(client: LineClient, url: str) -> str | None:
    """Return the key of what is wrong with the webhook at `url`, or None.

    Messaging API reference, "Set webhook endpoint URL", "Test webhook endpoint" and "Get
    webhook endpoint information".
    """
    try:
        await client.set_webhook(url)
        test = await client.test_webhook()
        webhook = await client.get_webhook()
    except LineError as error:
        if error.status == 400:
            return "refused_url" if url.startswith("https://") else "not_https"
        return "token" if error.status in (401, 403) else "line"
    if not test.success:
        if test.reason == "COULD_NOT_CONNECT":
            return "unreachable"
        if test.reason == "REQUEST_TIMEOUT":
            return "timeout"
        return {401: "secret", 404: "not_here"}.get(test.status, "status")
    return None if webhook is not None and webhook.is_active else "off"


async def _ask_who(client: LineClient) -> BotInfo:
    try:
        return await client.bot_info()
    except LineError as error:
        if error.status in (401, 403):
            raise Invalid(
                fields={
                    "token": _(
                        "LINE does not accept this token. Please copy the whole channel access "
                        "token from the LINE Developers console."
                    )
                }
            ) from error
        raise Unavailable(
            _("LINE does not answer at present (%(why)s). Please try again.", why=error.message)
        ) from error


async def _refuse_twice(line_channel_id: str, bot: BotInfo) -> None:
    # One account is run by one workspace of this server, whichever it is.
    async with everywhere() as session:
        taken = await session.scalar(
            select(Channel.id)
            .where(
                (Channel.line_channel_id == line_channel_id)
                | ((Channel.bot_user_id == bot.user_id) & (Channel.bot_user_id != ""))
            )
            .limit(1)
        )
    if taken is not None:
        raise Invalid(
            fields={
                "line_channel_id": _(
                    "This account (%(name)s) is connected to this server already.", name=_bot(bot)
                )
            }
        )


def _likely_plan(limit: int | None) -> str:
    """Return the cheapest plan whose free messages reach LINE's limit; staff can correct it."""
    by_size = sorted(plans().items(), key=lambda item: item[1].included)
    for name, plan in by_size:
        if limit is not None and plan.included >= limit:
            return name
    return by_size[-1][0]


def _bot(bot: BotInfo) -> Any:
    return f"{bot.display_name} {bot.basic_id}".strip()
