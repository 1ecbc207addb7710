"""The control API's own small frame: routes that document themselves, and one error shape.

Errors are `{"error": "<what is wrong>"}` with status 400 or 404. The API has no authentication: it
is a test bench's, and listens on loopback unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from aiohttp import web

from ..acts import Actor
from ..model import Channel, Json, User
from ..platform import Platform

Schema = dict[str, Any]


class ControlError(Exception):
    """A request to the control API that cannot be done; `status` is 400 or 404."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Ask:
    """One control request: the platform, and the request with easy ways to read it."""

    platform: Platform
    actor: Actor
    request: web.Request
    body: Any = None  # parsed JSON

    def object(self) -> Json:
        """The JSON body, which must be an object (or absent)."""
        if self.body is None:
            return {}
        given: Any = self.body
        if not isinstance(given, dict):
            raise ControlError("the body must be a JSON object")
        return cast(Json, given)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number from the query string."""
        text = self.request.query.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            raise ControlError(f"{name} must be a number") from None
        if not low <= value <= high:
            raise ControlError(f"{name} must be between {low:g} and {high:g}")
        return value

    def channel(self, channel_id: Any = None) -> Channel:
        """The channel named in the path, the query or by `channel_id`; the first by default."""
        wanted = (
            channel_id
            or self.request.match_info.get("channel")
            or self.request.query.get("channel")
        )
        try:
            return self.platform.channel(wanted)
        except (KeyError, TypeError):
            raise ControlError(f"no such channel: {wanted}", 404) from None

    def user(self) -> User:
        """The user named in the path."""
        wanted = self.request.match_info.get("user", "")
        user = self.platform.users.get(wanted)
        if user is None:
            raise ControlError(f"no such user: {wanted}", 404)
        return user


Handler = Callable[[Ask], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ControlRoute:
    """A route of the control API with what its OpenAPI document says about it."""

    method: str
    path: str
    handler: Handler
    summary: str
    query: dict[str, str] = field(default_factory=dict[str, str])
    body: Schema | None = None
    returns: str = "Done"


ROUTES: list[ControlRoute] = []


def control(
    method: str,
    path: str,
    summary: str,
    *,
    query: dict[str, str] | None = None,
    body: Schema | None = None,
    returns: str = "Done",
) -> Callable[[Handler], Handler]:
    """Register a handler; what it returns is sent as JSON."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(ControlRoute(method, path, handler, summary, query or {}, body, returns))
        return handler

    return register


def served(route: ControlRoute, platform: Platform, actor: Actor) -> Any:
    """The aiohttp handler for a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        ask = Ask(platform, actor, request)
        try:
            if request.method in ("POST", "PATCH", "PUT") and request.can_read_body:
                data = await request.read()
                if data.strip():
                    ask.body = orjson.loads(data)
            result = await route.handler(ask)
        except orjson.JSONDecodeError:
            return _json({"error": "the body is not JSON"}, 400)
        except ControlError as error:
            return _json({"error": str(error)}, error.status)
        return result if isinstance(result, web.StreamResponse) else _json(result)

    return handle


def _json(data: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type="application/json",
    )
