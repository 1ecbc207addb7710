"""The webhook: where LINE tells what happened.

Messaging API, "Receive messages (webhook)": the signature is over the raw body, the
answer must come within two seconds, and anything but a 2xx makes LINE deliver again.
So an answer of 200 is given only for what is committed, and whatever we cannot keep
at the moment is answered 503.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import psycopg
import structlog
from litestar import Request, post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.response import Response
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hiiki.ingest.credentials import find_door, is_signed
from hiiki.ingest.relay.outbox import Raw
from hiiki.ingest.store import keep
from hiiki.kit.errors import HiikiError, Invalid, NotFound, Unavailable
from hiiki.kit.i18n import Text, _
from hiiki.line.signature import HEADER
from hiiki.line.wire import parse

log = structlog.get_logger()

MAX_BODY = 1_000_000
"""Bytes. LINE's bodies are a few kilobytes; nothing it sends comes near."""
ANSWER_WITHIN = 1.8
"""Seconds. LINE gives up after two and delivers again; we had better say so ourselves."""


class WrongSignature(HiikiError):
    """The body is not LINE's, or the channel secret in Hiiki is not the channel's."""

    status = 401
    code = "wrong_signature"
    default: ClassVar[Text] = _("The signature is missing, or does not fit the channel's secret.")


class NoWebhook(HiikiError):
    """What was posted is not a webhook body."""

    status = 400
    code = "not_a_webhook"


class TooLarge(HiikiError):
    """The body is larger than any that LINE sends."""

    status = 413
    code = "too_large"
    default: ClassVar[Text] = _("The body is larger than 1 MB.")


@post(
    "/webhook/{webhook_key:str}",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt={"exclude_from_csrf": True},
    include_in_schema=False,
)
async def receive_webhook(
    request: Request[Any, Any, Any], webhook_key: str
) -> Response[dict[str, Any]]:
    """Take one webhook body; 200 means that every event in it is stored."""
    try:
        body = await request.body()
        async with asyncio.timeout(ANSWER_WITHIN):
            kept = await _take(webhook_key, body, request.headers.get(HEADER))
    except RequestEntityTooLarge:
        return Response(TooLarge().to_json("en"), status_code=413)
    except HiikiError as error:
        log.info("webhook.refused", status=error.status, code=error.code)
        return Response(error.to_json("en"), status_code=error.status)
    except (TimeoutError, SQLAlchemyError, psycopg.Error, OSError) as error:
        if isinstance(error, DBAPIError) and not _is_unreachable(error):
            raise
        log.warning("webhook.unavailable", error=type(error).__name__)
        return Response(Unavailable().to_json("en"), status_code=503)
    log.debug("webhook.kept", events=kept)
    return Response({}, status_code=200)


async def _take(webhook_key: str, body: bytes, signature: str | None) -> int:
    door = await find_door(webhook_key)
    if door is None:
        raise NotFound()
    if not await is_signed(door, webhook_key, body, signature):
        raise WrongSignature()
    try:
        events = parse(body)
    except Invalid as error:
        raise NoWebhook(error.message) from error
    except RecursionError as error:
        raise NoWebhook(_("The body is nested too deeply.")) from error
    raw = Raw(body, signature or "") if door.relays else None
    return await keep(door.workspace_id, door.channel_id, events, raw)


def _is_unreachable(error: DBAPIError) -> bool:
    """True when the database, and not the statement, is the trouble."""
    if error.connection_invalidated or not isinstance(error.orig, psycopg.Error):
        return True
    state = error.orig.sqlstate or ""
    # 08 connection, 53 resources, 57 intervention (shutting down); "" is a lost connection.
    return state[:2] in ("", "08", "53", "57", "40", "55", "25")
