"""What is remembered of a channel's narrowcasts, for the 14 days in which LINE tells of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from ..model import Channel, Json
from ..platform import Platform

STATUS_SECONDS = 14 * 24 * 3600
"""How long the status can be asked for, and the recipients be used for redelivery (reference, "Get
narrowcast message status", "Redelivery object")."""
Phase = Literal["waiting", "sending", "succeeded", "failed"]

DESCRIPTIONS = {
    1: "An internal error occurred.",
    2: "There are not enough recipients.",
    3: "A request that has already been accepted was retried.",
    4: "An audience has fewer than 50 recipients.",
    5: "There are more recipients than messages may be sent to.",
}
"""`failedDescription` by `errorCode`; the codes are LINE's, the words are not."""


@dataclass(slots=True)
class Narrowcast:
    """One narrowcast, accepted but perhaps not yet sent.

    Times are seconds since 1970. Sets of people (`wanted`, `found`, `reached`) are bytes as of
    `audience.crowds`: whom the recipient object means; of those, who match the attributes and the
    limit; who got it. `most` is how many it may be sent to (None: no limit), `restricted` that 50
    recipients are needed, `doomed` the error that will come out when it is to be sent. `place` is
    how far the work has come, by `User.index`.
    """

    request_id: str = ""
    accepted_at: float = 0.0
    messages_json: bytes = b"[]"
    message_ids: list[str] = field(default_factory=list[str])
    silent: bool = False
    retry_key: str | None = None
    demographic: Json | None = None
    most: int | None = None
    forbid_partial: bool = False
    restricted: bool = False
    doomed: int | None = None
    phase: Phase = "waiting"
    error_code: int | None = None
    completed_at: float | None = None
    success: int = 0
    failure: int = 0
    target: int = 0
    place: int = 0
    wanted: bytes = b""
    found: bytes = b""
    reached: bytes = b""

    def status(self) -> Json:
        """The status as LINE shows it; there are no counts while it waits."""
        shown: Json = {"phase": self.phase, "acceptedTime": _iso(self.accepted_at)}
        if self.phase != "waiting":
            shown |= {
                "successCount": self.success,
                "failureCount": self.failure,
                "targetCount": self.target,
            }
        if self.completed_at is not None:
            shown["completedTime"] = _iso(self.completed_at)
        if self.error_code is not None:
            shown["errorCode"] = self.error_code
            shown["failedDescription"] = DESCRIPTIONS[self.error_code]
        return shown


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Narrowcasts:
    """A channel's narrowcasts by request id, oldest first."""

    by_request: dict[str, Narrowcast] = field(default_factory=dict[str, Narrowcast])


def narrowcasts(platform: Platform, channel: Channel) -> dict[str, Narrowcast]:
    """The narrowcasts that LINE still tells of."""
    by_request = channel.store.of(Narrowcasts).by_request
    now = platform.clock.now()
    while by_request:
        oldest = next(iter(by_request.values()))
        if now - oldest.accepted_at < STATUS_SECONDS or oldest.completed_at is None:
            break
        del by_request[oldest.request_id]
    return by_request
