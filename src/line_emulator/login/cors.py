"""Answers that pages of other origins may read: the LIFF SDK runs in developers' own pages."""

from __future__ import annotations

import functools
from dataclasses import replace

from aiohttp import web

from ..api.operation import Answer, Call, Handler, LineError

ALLOWED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


def open_to_pages(handler: Handler) -> Handler:
    """Let scripts of any page read what this operation answers, errors included."""

    @functools.wraps(handler)
    async def handle(call: Call) -> Answer:
        try:
            result = await handler(call)
        except LineError as error:
            raise LineError(error.status, error.body, ALLOWED) from None
        return replace(result, headers={**(result.headers or {}), **ALLOWED})

    return handle


async def preflight(request: web.Request) -> web.Response:
    """What a browser asks before it lets a page call another origin."""
    return web.Response(status=204, headers=ALLOWED)
