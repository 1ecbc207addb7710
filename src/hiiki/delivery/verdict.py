"""What an answer of LINE, or the lack of one, means for a parcel. No database, no clock.

The rules (Messaging API reference, "Retrying an API request", "Send reply message"):
a request under a retry key is done once in 24 hours, and LINE answers 409 when it has
been; 4xx means that it was not done; 5xx and silence leave it open. A reply has no retry
key, but its token is good only once, which tells the same within the token's minute.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from hiiki.line.client import Answer
from hiiki.line.limits import RETRY_KEY_SECONDS

DOUBT_SECONDS = RETRY_KEY_SECONDS - 60
"""LINE forgets a retry key after 24 hours; a request needs some time to get there."""
MONTHLY_LIMIT = "monthly limit"
"""In LINE's 429 for the quota: "You have reached your monthly limit."."""
INVALID_TOKEN = "Invalid reply token"  # noqa: S105 — LINE's words, no secret
FIRST_WAIT = 0.5
LONGEST_WAIT = 600.0
RATE_WAIT = 1.0

DOUBT_TOO_LONG = "LINE's answer was not known for 24 hours; another try might repeat the message."
DOUBT_REPLY = "LINE did not answer while the reply token was good, so it may have arrived."
NOTHING_LEFT = "There is nothing left to send."

PauseCode = Literal["quota", "content", "refused", "errors"]
"""Why a send pauses by itself: the month's messages are used up, our own content could not be
made, or one of the two error budgets is spent (`hiiki.delivery.pauses`)."""
State = Literal["accepted", "refused", "in_doubt", "ready"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A parcel that this worker holds a lease on."""

    id: UUID
    attempts: int
    workspace_id: UUID
    send_id: UUID | None
    channel_id: UUID
    method: str
    contact_ids: list[UUID]
    line_user_ids: list[str]
    messages: list[dict[str, Any]] | None
    values: dict[str, Any] | None
    reply_token: str | None
    retry_key: UUID
    doubt: float | None
    """Seconds since the first attempt that may have been accepted; None when none may have."""
    reply_left: float | None
    """Seconds for which the reply token is still good."""
    unit: str | None
    """The name under which LINE counts who opens it (`hiiki.delivery.units`)."""
    claimed_at: float
    """`time.monotonic()` of the claim; the seconds above count from here."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a parcel."""

    state: State
    error: str | None = None
    request_id: str | None = None
    wait: float = 0.0
    """Seconds until the next attempt, for `ready`."""
    is_certain: bool = True
    """False when this attempt may have been accepted all the same."""
    becomes_push: bool = False
    splits: bool = False
    """One of several recipients is at fault: try the halves."""
    pauses_send: PauseCode | None = None
    failed: bool = False
    """LINE did not answer, or with a 5xx: it counts against the send's error budget."""
    pauses_channel: bool = False
    punishes: bool = False
    """LINE's rate limit was hit."""


def before(parcel: Claimed, now: float) -> Verdict | None:
    """Return what becomes of a parcel that must not be sent (again); None to go ahead.

    `now` is `time.monotonic()`, as in `after`.
    """
    if parcel.doubt is None:
        return None
    passed = now - parcel.claimed_at
    if parcel.method == "reply":
        if parcel.reply_left is None or parcel.reply_left <= passed:
            return Verdict("in_doubt", DOUBT_REPLY)
    elif parcel.doubt + passed >= DOUBT_SECONDS:
        return Verdict("in_doubt", DOUBT_TOO_LONG)
    return None


def after(parcel: Claimed, answer: Answer, now: float) -> Verdict:
    """Return what LINE's answer, got at `now`, means for the parcel."""
    # PostgreSQL keeps no NUL, and nobody reads more than this.
    words = answer.message.replace("\0", "")[:1000]
    status, ident = answer.status, answer.request_id
    if 200 <= status < 300:
        return Verdict("accepted", request_id=ident)
    if status == 409 and parcel.method != "reply":
        return Verdict("accepted", request_id=answer.accepted_request_id or ident)
    if status == 0 or status == 408 or status >= 500:
        error = words if status == 0 else f"{status} {words}".strip()
        wait = _backoff(parcel)
        return Verdict("ready", error, ident, wait=wait, is_certain=not answer.reached, failed=True)
    if status == 401:
        return Verdict("ready", words, ident, wait=RATE_WAIT, pauses_channel=True)
    if status == 429:
        return _too_many(parcel, words, ident)
    if parcel.method == "reply" and INVALID_TOKEN.lower() in words.lower():
        return _token_is_used(parcel, words, ident, now)
    if status == 400 and len(parcel.line_user_ids) > 1 and not _is_about_messages(answer):
        return Verdict("ready", words, ident, splits=True)
    return Verdict("refused", words or f"HTTP {status}", ident)


def _too_many(parcel: Claimed, words: str, ident: str | None) -> Verdict:
    if MONTHLY_LIMIT not in words.lower():
        wait = RATE_WAIT * random.uniform(1, 1.5)  # noqa: S311 — spreading, not secrecy
        return Verdict("ready", words, ident, wait=wait, punishes=True)
    if parcel.send_id is None and parcel.doubt is None:
        # Nobody wants today's answer next month.
        return Verdict("refused", words, ident)
    if parcel.send_id is None:
        return Verdict("ready", words, ident, wait=_backoff(parcel))
    return Verdict("ready", words, ident, wait=RATE_WAIT, pauses_send="quota")


def _token_is_used(parcel: Claimed, words: str, ident: str | None, now: float) -> Verdict:
    if parcel.doubt is None:
        # Never tried before, so never accepted: it was too late, or used by somebody else.
        return Verdict("ready", words, ident, becomes_push=True)
    if parcel.reply_left is not None and now - parcel.claimed_at < parcel.reply_left:
        return Verdict("accepted", request_id=ident)
    return Verdict("in_doubt", DOUBT_REPLY, ident)


def _is_about_messages(answer: Answer) -> bool:
    """True when every recipient would be refused for the same reason."""
    details = answer.body.get("details")
    named = [str(answer.body.get("message") or "")]
    if isinstance(details, list):
        named += [str(detail) for detail in details]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return any("messages" in one.replace("send messages", "") for one in named)


def _backoff(parcel: Claimed) -> float:
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(parcel.attempts - 1, 20))
    if parcel.method == "reply":
        # The token's minute is all there is.
        wait = min(wait, 5.0)
    return wait * random.uniform(0.5, 1)  # noqa: S311 — spreading, not secrecy
