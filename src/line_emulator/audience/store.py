"""What is remembered of a channel's audiences (reference, "Managing Audience").

An audience lives for 180 days, is shown as expired for a month, and is gone then. Who is in it is
kept by `User.index`, so that 1.5 million ids cost some 200 KB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from ..insight.people import People
from ..model import Channel, Json
from ..platform import Platform

MAX_AUDIENCES = 1000
"""Audiences a channel can have (reference, "Create audience for uploading user IDs")."""
RETENTION_SECONDS = 15_552_000
"""180 days (the same place)."""
SHOWN_EXPIRED_SECONDS = 30 * 24 * 3600
"""Expired audiences are deleted a month later (reference, "Get audience data", `status`)."""
ENOUGH = 50
"""People that click and impression audiences need (reference, "Create message click audience")."""
SHOWN_FROM = 20
"""Smaller counts are shown as 0, but for uploaded user ids and chat tags (reference, "Get audience
data", `audienceCount`)."""
MAX_JOBS_SHOWN = 50

AudienceType = Literal[
    "UPLOAD",
    "CLICK",
    "IMP",
    "CHAT_TAG",
    "FRIEND_PATH",
    "RESERVATION",
    "RICHMENU_IMP",
    "RICHMENU_CLICK",
    "APP_EVENT",
    "VIDEO_VIEW",
    "WEBTRAFFIC",
    "TRACKINGTAG_WEBTRAFFIC",
    "IMAGE_CLICK",
    "POP_AD_IMP",
]
TYPES: tuple[str, ...] = get_args(AudienceType)
CreateRoute = Literal["OA_MANAGER", "MESSAGING_API", "POINT_AD", "AD_MANAGER"]
ROUTES: tuple[str, ...] = get_args(CreateRoute)
Status = Literal["IN_PROGRESS", "READY", "FAILED", "EXPIRED", "INACTIVE", "ACTIVATING"]
STATUSES: tuple[str, ...] = get_args(Status)
JobStatus = Literal["QUEUED", "WORKING", "FINISHED", "FAILED"]


@dataclass(slots=True)
class Job:
    """One attempt to add people to an audience; `adding` waits until it is done."""

    id: int
    description: str | None
    created: int
    status: JobStatus = "QUEUED"
    failed_type: str | None = None
    count: int = 0
    adding: People = field(default_factory=People)

    def under_way(self) -> bool:
        """Whether it counts as an operation that runs."""
        return self.status in ("QUEUED", "WORKING")

    def show(self, audience_id: int) -> Json:
        """The job as LINE shows it; `status` is what `jobStatus` was called before."""
        return {
            "audienceGroupJobId": self.id,
            "audienceGroupId": audience_id,
            "description": self.description,
            "type": "DIFF_ADD",
            "status": self.status,
            "failedType": self.failed_type,
            "audienceCount": self.count,
            "created": self.created,
            "jobStatus": self.status,
        }


@dataclass(slots=True)
class Audience:
    """An audience. `created` in seconds since 1970; `route` tells where it was made."""

    id: int
    type: AudienceType
    description: str
    created: int
    is_ifa: bool = False
    request_id: str | None = None
    click_url: str | None = None
    route: CreateRoute = "MESSAGING_API"
    status: Status = "IN_PROGRESS"
    failed_type: str | None = None
    members: People = field(default_factory=People)
    jobs: list[Job] = field(default_factory=list[Job])

    @property
    def expires(self) -> int:
        """When it expires, in seconds since 1970."""
        return self.created + RETENTION_SECONDS

    @property
    def writable(self) -> bool:
        """Whether the Messaging API may change it: only what was made with it."""
        return self.route == "MESSAGING_API"

    @property
    def free_of_minimum(self) -> bool:
        """Whether it may be used however few are in it (reference, "Restrictions on sending
        messages using attributes and audiences")."""
        return (self.type == "UPLOAD" and not self.is_ifa) or self.type == "CHAT_TAG"

    @property
    def shown_count(self) -> int:
        """How many people LINE says are in it."""
        count = len(self.members)
        return count if count >= SHOWN_FROM or self.free_of_minimum else 0

    def made(self) -> Json:
        """The answer to having made it."""
        shown: Json = {
            "audienceGroupId": self.id,
            "createRoute": self.route,
            "type": self.type,
            "description": self.description,
            "created": self.created,
            "permission": "READ_WRITE" if self.writable else "READ",
            "expireTimestamp": self.expires,
            "isIfaAudience": self.is_ifa,
        }
        if self.request_id is not None:
            shown["requestId"] = self.request_id
        if self.click_url is not None:
            shown["clickUrl"] = self.click_url
        return shown

    def show(self) -> Json:
        """The audience as LINE shows it."""
        shown = self.made() | {"status": self.status, "audienceCount": self.shown_count}
        if self.failed_type is not None:
            shown["failedType"] = self.failed_type
        return shown


@dataclass(slots=True)
class Audiences:
    """A channel's audiences by id, oldest first."""

    by_id: dict[int, Audience] = field(default_factory=dict[int, Audience])


@dataclass(slots=True)
class Numbers:
    """The next ids of audiences and jobs, for all channels; 13 and 8 digits as LINE's have."""

    audience: int = 5_614_991_000_017
    job: int = 12_345_679

    def next_audience(self) -> int:
        """A fresh audience id."""
        self.audience += 37
        return self.audience

    def next_job(self) -> int:
        """A fresh job id."""
        self.job += 1
        return self.job


def audiences(platform: Platform, channel: Channel) -> dict[int, Audience]:
    """The channel's audiences as they are now: the old ones expired or gone."""
    by_id = channel.store.of(Audiences).by_id
    now = platform.clock.now()
    for one in [one for one in by_id.values() if one.expires <= now]:
        if one.expires + SHOWN_EXPIRED_SECONDS <= now:
            del by_id[one.id]
        elif one.status != "EXPIRED":
            if one.status == "IN_PROGRESS":
                one.failed_type = "AUDIENCE_GROUP_AUDIENCE_INSUFFICIENT"
            one.status = "EXPIRED"
    return by_id
