"""Speaking to LINE: thin, because the hot path is LINE's ceiling of 2,000 pushes a second.

What sends messages returns an `Answer` whatever LINE said, or that it said nothing: what
that means is delivery's business. Everything else returns what was asked for or raises
`LineError`. Paths and fields: Messaging API reference.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import aiohttp
import orjson

from hiiki.line.insight import UnitStatistics, unit_statistics
from hiiki.line.pool import NotReached, pool_of
from hiiki.settings import settings

Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request to send."""

    status: int
    """The HTTP status, or 0 when no answer came (time-out, connection lost)."""
    request_id: str | None
    """LINE's x-line-request-id."""
    accepted_request_id: str | None
    """With 409: the request that had been accepted under this retry key."""
    body: dict[str, Any]
    """LINE's JSON; without an answer, `{"message": what happened}`."""
    reached: bool = True
    """False when no connection could be made, so that LINE cannot have seen the request."""

    @property
    def message(self) -> str:
        """LINE's own words, with its details; "" when it had nothing to say."""
        return words(self.body)


class LineError(Exception):
    """LINE refused, or did not answer (`status` 0)."""

    def __init__(
        self, status: int, message: str, details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status = status
        self.message = message
        self.details = list(details)

    @property
    def is_permanent(self) -> bool:
        """True when asking again the same way cannot help."""
        return 400 <= self.status < 500 and self.status not in (408, 429)


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as LINE shows them."""

    user_id: str
    display_name: str
    picture_url: str | None
    language: str | None
    status_message: str | None


@dataclass(frozen=True, slots=True)
class BotInfo:
    """The official account behind a token."""

    user_id: str
    basic_id: str
    display_name: str
    picture_url: str | None
    chat_mode: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook address that LINE has, and whether it is switched on."""

    endpoint: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class WebhookTest:
    """What LINE saw when it called the webhook address."""

    success: bool
    status: int
    reason: str
    """OK, COULD_NOT_CONNECT, REQUEST_TIMEOUT, ERROR_STATUS_CODE or UNCLASSIFIED."""
    detail: str


class LineClient:
    """One channel's access to the Messaging API."""

    __slots__ = ("_base", "_data", "_headers", "_http")

    def __init__(
        self,
        http: aiohttp.ClientSession,
        token: str,
        base: str | None = None,
        data_base: str | None = None,
    ) -> None:
        self._http = http
        self._base = (base or settings().line_api).rstrip("/")
        self._data = (data_base or settings().line_data_url).rstrip("/")
        # A token with a line end or a full-width letter in it gets LINE's 401, as any wrong one.
        written = quote(token, safe=string.punctuation)
        self._headers = {
            "Authorization": f"Bearer {written}",
            "Content-Type": "application/json",
        }

    async def push(
        self,
        to: str,
        messages: Messages,
        *,
        retry_key: UUID | str | None = None,
        units: Sequence[str] = (),
        silent: bool = False,
    ) -> Answer:
        """Send to one person ("Send push message")."""
        return await self._send("push", {"to": to}, messages, retry_key, units, silent)

    async def multicast(
        self,
        to: Sequence[str],
        messages: Messages,
        *,
        retry_key: UUID | str | None = None,
        units: Sequence[str] = (),
        silent: bool = False,
    ) -> Answer:
        """Send the same to at most 500 people ("Send multicast message")."""
        return await self._send("multicast", {"to": list(to)}, messages, retry_key, units, silent)

    async def reply(self, reply_token: str, messages: Messages, *, silent: bool = False) -> Answer:
        """Answer an event, free of charge ("Send reply message"); LINE has no retry key for it."""
        return await self._send("reply", {"replyToken": reply_token}, messages, None, (), silent)

    async def validate(self, method: str, messages: Messages) -> None:
        """Ask LINE whether it would take these messages by push, multicast, reply, …

        Raises `LineError` whose `details` say what is wrong and where.
        """
        await self._call("POST", f"/v2/bot/message/validate/{method}", {"messages": messages})

    async def profile(self, user_id: str) -> Profile:
        """Return a person's profile; raises `LineError` 404 for who has blocked the account."""
        got = await self._call("GET", f"/v2/bot/profile/{quote(user_id, safe='')}")
        return Profile(
            user_id,
            str(got.get("displayName") or ""),
            got.get("pictureUrl"),
            got.get("language"),
            got.get("statusMessage"),
        )

    async def link_token(self, user_id: str) -> str:
        """Return a token by which this person may link an account ("Issue link token").

        It lives ten minutes and is used once. Raises `LineError` 404 for who is no friend.
        """
        got = await self._call("POST", f"/v2/bot/user/{quote(user_id, safe='')}/linkToken")
        return str(got.get("linkToken") or "")

    async def bot_info(self) -> BotInfo:
        """Return the account that the token belongs to; raises `LineError` 401 for a bad token."""
        got = await self._call("GET", "/v2/bot/info")
        return BotInfo(
            str(got.get("userId") or ""),
            str(got.get("basicId") or ""),
            str(got.get("displayName") or ""),
            got.get("pictureUrl"),
            str(got.get("chatMode") or ""),
        )

    async def quota(self) -> int | None:
        """Return how many messages this month may have; None is without a limit."""
        got = await self._call("GET", "/v2/bot/message/quota")
        return int(got["value"]) if got.get("type") == "limited" else None

    async def consumption(self) -> int:
        """Return how many messages were sent this month, which LINE calls approximate."""
        got = await self._call("GET", "/v2/bot/message/quota/consumption")
        return int(got.get("totalUsage") or 0)

    async def units_used(self) -> int:
        """Return how many unit names this month has had, of the 1,000 that LINE takes."""
        got = await self._call("GET", "/v2/bot/message/aggregation/info")
        return int(got.get("numOfCustomAggregationUnits") or 0)

    async def unit_statistics(self, unit: str, first: date, last: date) -> UnitStatistics:
        """Return what people did with what was sent under `unit` (60 questions an hour).

        The days are LINE's (UTC+9) and at most 30 apart.
        """
        days = f"from={first:%Y%m%d}&to={last:%Y%m%d}"
        path = "/v2/bot/insight/message/event/aggregation"
        found = await self._call("GET", f"{path}?customAggregationUnit={quote(unit)}&{days}")
        return unit_statistics(found)

    async def get_webhook(self) -> Webhook | None:
        """Return the webhook address that LINE has; None when none was ever set."""
        try:
            got = await self._call("GET", "/v2/bot/channel/webhook/endpoint")
        except LineError as error:
            if error.status == 404:
                return None
            raise
        return Webhook(str(got.get("endpoint") or ""), bool(got.get("active")))

    async def set_webhook(self, endpoint: str) -> None:
        """Give LINE the webhook address (https, at most 500 characters)."""
        await self._call("PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": endpoint})

    async def test_webhook(self, endpoint: str | None = None) -> WebhookTest:
        """Let LINE call the webhook address and tell how that went (60 times an hour)."""
        body = {"endpoint": endpoint} if endpoint else {}
        got = await self._call("POST", "/v2/bot/channel/webhook/test", body)
        return WebhookTest(
            bool(got.get("success")),
            int(got.get("statusCode") or 0),
            str(got.get("reason") or ""),
            str(got.get("detail") or ""),
        )

    async def start_loading(self, user_id: str, seconds: int = 20) -> None:
        """Show the waiting dots to a person: 5 to 60 seconds in steps of five."""
        body = {"chatId": user_id, "loadingSeconds": seconds}
        await self._call("POST", "/v2/bot/chat/loading/start", body)

    async def content(self, message_id: str) -> tuple[str, bytes]:
        """Return the media type and the bytes of what a person sent (image, video, file)."""
        path = f"{self._data}/v2/bot/message/{quote(message_id, safe='')}/content"
        try:
            async with self._http.get(path, headers=self._headers) as response:
                body = await response.read()
                if response.status == 200:
                    return response.content_type, body
                raise _error(response.status, _json(body))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LineError(0, _no_answer(error)) from error

    async def _send(
        self,
        method: str,
        body: dict[str, Any],
        messages: Messages,
        retry_key: UUID | str | None,
        units: Sequence[str],
        silent: bool,
    ) -> Answer:
        body["messages"] = messages
        if units:
            body["customAggregationUnits"] = list(units)
        if silent:
            body["notificationDisabled"] = True
        headers = self._headers
        if retry_key is not None:
            headers = {**headers, "X-Line-Retry-Key": str(retry_key)}
        try:
            response = await pool_of(self._base).post(
                f"/v2/bot/message/{method}", headers, orjson.dumps(body), settings().line_timeout
            )
        except NotReached as error:
            return Answer(0, None, None, {"message": _no_answer(error)}, reached=False)
        except (TimeoutError, OSError) as error:
            return Answer(0, None, None, {"message": _no_answer(error)})
        return Answer(
            response.status,
            response.headers.get("x-line-request-id"),
            response.headers.get("x-line-accepted-request-id"),
            _json(response.body),
        )

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        data = None if body is None else orjson.dumps(body)
        try:
            async with self._http.request(
                method, self._base + path, data=data, headers=self._headers
            ) as response:
                found = _json(await response.read())
                if response.status >= 300:
                    raise _error(response.status, found)
                return found
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LineError(0, _no_answer(error)) from error


def words(body: Mapping[str, Any]) -> str:
    """Return an error body's message with its details, as one line for a person."""
    message = str(body.get("message") or "")
    details = body.get("details")
    found: list[str] = []
    for detail in cast("list[Any]", details) if isinstance(details, list) else []:
        if isinstance(detail, dict):
            one = cast("dict[str, Any]", detail)
            found.append(" ".join(str(one[k]) for k in ("property", "message") if one.get(k)))
    return f"{message} ({'; '.join(found)})" if found else message


def _json(body: bytes) -> dict[str, Any]:
    # A proxy on the way may answer in HTML: what cannot be read is shown as it is.
    try:
        found: Any = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        return {"message": body[:500].decode("utf-8", "replace")}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"message": str(found)}


def _error(status: int, body: Mapping[str, Any]) -> LineError:
    details = body.get("details")
    listed = cast("list[Any]", details) if isinstance(details, list) else []
    shown = [cast("dict[str, Any]", detail) for detail in listed if isinstance(detail, dict)]
    return LineError(status, str(body.get("message") or ""), shown)


def _no_answer(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "LINE did not answer in time"
    return f"No answer from LINE: {error or type(error).__name__}"
