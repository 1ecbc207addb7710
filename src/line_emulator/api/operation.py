"""The list of LINE's operations and what each needs before its handler runs.

A handler takes a `Call` and returns an `Answer`, or raises `LineError`. A new operation is one
decorated function in one of this package's modules; nothing else has to change.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

import orjson
from multidict import MultiMapping
from yarl import URL

from ..limits import PER_SECOND_2000, Limit
from ..model import Channel, Json
from ..platform import Platform
from ..validation import problem
from ..validation.core import Check


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer of the API; `body` is JSON unless `content_type` says otherwise."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] | None = None
    content_type: str = "application/json"


def answer(data: Any, status: int = 200) -> Answer:
    """An answer with this JSON."""
    return Answer(orjson.dumps(data), status)


EMPTY = Answer()
"""`{}`, LINE's answer when there is nothing to say."""


class LineError(Exception):
    """An error answer of LINE: a status and its JSON."""

    def __init__(
        self, status: int, message: str | Json, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(message))
        self.status = status
        self.body: Json = {"message": message} if isinstance(message, str) else message
        self.headers = headers

    def answer(self) -> Answer:
        """The error as an answer."""
        try:
            body = orjson.dumps(self.body)
        except TypeError:
            # It quotes what the request had, and that was no UTF-8.
            body = json.dumps(self.body, ensure_ascii=False).encode("utf-8", "replace")
        return Answer(body, self.status, self.headers)


@dataclass(slots=True)
class Call:
    """One request that has passed the gate. `params` are from the path.

    `headers` are the request's own, whatever their case.
    """

    platform: Platform
    channel: Channel
    request_id: str
    body: bytes
    params: Mapping[str, str]
    retry_key: str | None
    headers: Mapping[str, str]
    url: URL

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters behind the question mark; read only when an operation asks for them."""
        return self.url.query

    def query_all(self, name: str) -> list[str]:
        """Every value of a query parameter that may be given several times."""
        many = self.query
        if isinstance(many, MultiMapping):
            return list(many.getall(name, []))
        return [many[name]] if name in many else []

    def bearer(self) -> str:
        """The token of the Authorization header, or an empty string."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme == "Bearer" else ""

    def json(self, check: Check) -> Json:
        """The body, parsed and checked. Raises LineError with LINE's error JSON."""
        try:
            body = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise LineError(
                400,
                "The request body could not be parsed as JSON "
                f"(line: {error.lineno}, column: {error.colno})",
            ) from None
        wrong = problem(check, body)
        if wrong is not None:
            raise LineError(400, wrong)
        return cast(Json, body)


Handler = Callable[[Call], Awaitable[Answer]]
BodyKind = Literal["none", "json", "form", "binary"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its place in HTTP and what the gate does before the handler runs.

    `auth` False means that no bearer token is asked for (token endpoints); then the call's channel
    is the first one and only stands in. `retry` tells whether `X-Line-Retry-Key` is understood.
    `max_body` (bytes) stands in place of the usual limit for the kind of body.
    """

    method: str
    path: str
    handler: Handler
    limit: Limit | None
    auth: bool
    body: BodyKind
    retry: bool
    max_body: int | None = None

    @property
    def key(self) -> str:
        """The endpoint's name for its token bucket."""
        return f"{self.method} {self.path}"


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    *,
    limit: Limit | None = PER_SECOND_2000,
    auth: bool = True,
    body: BodyKind = "none",
    retry: bool = False,
    max_body: int | None = None,
) -> Callable[[Handler], Handler]:
    """Register a handler for `METHOD path`."""

    def register(handler: Handler) -> Handler:
        OPERATIONS.append(Operation(method, path, handler, limit, auth, body, retry, max_body))
        return handler

    return register


def not_found(message: str = "Not found") -> NoReturn:
    """Raise LINE's 404."""
    raise LineError(404, message)
