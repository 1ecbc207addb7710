"""The webhook: where LINE tells what happened.

Messaging API, "Receive messages (webhook)": the signature is over the raw body, the
answer must come within two seconds, and anything but a 2xx makes LINE deliver again.
So an answer of 200 is given only for what is committed, and whatever we cannot keep
at the moment is answered 503.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from hiiki.db.outage import is_outage
from hiiki.ingest.credentials import find_door, is_signed
from hiiki.ingest.relay.outbox import Raw
from hiiki.ingest.store import keep
from hiiki.kit.errors import HiikiError, Invalid, NotFound, Unavailable
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import Direct
from hiiki.line.signature import HEADER
from hiiki.line.wire import parse

log = structlog.get_logger()

MAX_BODY = 1_000_000
"""Bytes. LINE's bodies are a few kilobytes; nothing it sends comes near."""
ANSWER_WITHIN = 1.8
"""Seconds. LINE gives up after two and delivers again; we had better say so ourselves."""
SAY_EVERY = 1.0

_said: dict[tuple[str, str], tuple[float, int]] = {}
"""When something was last logged, and how often it has happened since."""


class WrongSignature(HiikiError):
    """The body is not LINE's, or the channel secret in Hiiki is not the channel's."""

    status = 401
    code = "wrong_signature"
    default: ClassVar[Text] = _("The signature is missing, or does not fit the channel's secret.")


class NoWebhook(HiikiError):
    """What was posted is not a webhook body."""

    status = 400
    code = "not_a_webhook"


async def receive_webhook(
    webhook_key: str, body: bytes, header: Callable[[str], str | None]
) -> None:
    """Take one webhook body; when this returns, every event in it is stored.

    Raises what LINE is to be answered: `NotFound`, `WrongSignature`, `NoWebhook`, or
    `Unavailable` when nothing was kept and LINE had better deliver it again.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            kept = await _take(webhook_key, body, header(HEADER))
    except psycopg.errors.ForeignKeyViolation as error:  # the channel went a moment ago
        raise NotFound() from error
    except HiikiError as error:
        _say("webhook.refused", error.code)
        raise
    except (TimeoutError, SQLAlchemyError, psycopg.Error, OSError) as error:
        if not (isinstance(error, OSError) or is_outage(error)):  # a TimeoutError is an OSError
            raise
        _say("webhook.unavailable", type(error).__name__)
        raise Unavailable() from error
    log.debug("webhook.kept", events=kept)


webhook = Direct("/webhook/", MAX_BODY, receive_webhook)


async def _take(webhook_key: str, body: bytes, signature: str | None) -> int:
    door = await find_door(webhook_key)
    if door is None:
        raise NotFound()
    if not await is_signed(door, webhook_key, body, signature):
        raise WrongSignature()
    raw = Raw(body, signature or "") if door.relays else None
    try:
        return await keep(door.workspace_id, door.channel_id, parse(body), raw)
    except Invalid as error:
        raise NoWebhook(error.message) from error
    except RecursionError as error:
        raise NoWebhook(_("The body is nested too deeply.")) from error


def _say(what: str, why: str) -> None:
    """Log it, at most once a second: in a storm each line would cost as much as a post."""
    said_at, unsaid = _said.get((what, why), (0.0, 0))
    moment = time.monotonic()
    if moment - said_at < SAY_EVERY:
        _said[what, why] = (said_at, unsaid + 1)
        return
    _said[what, why] = (moment, 0)
    log.warning(what, why=why, times=unsaid + 1)
