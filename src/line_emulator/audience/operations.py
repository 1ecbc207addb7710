"""The twelve operations on audiences (reference, "Managing Audience")."""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast

from ..api.operation import EMPTY, Answer, Call, LineError, answer, operation
from ..insight.record import Records
from ..limits import PER_MINUTE_60
from ..model import Json
from . import jobs, schema, upload
from .ids import Ids
from .store import (
    MAX_AUDIENCES,
    MAX_JOBS_SHOWN,
    ROUTES,
    STATUSES,
    Audience,
    AudienceType,
    Numbers,
    audiences,
)

MAX_CONCURRENT = 10
"""Jobs of one audience at a time (reference, "Limit on the number of concurrent operations")."""
OLDEST_MESSAGE_SECONDS = 5_184_000
"""60 days (reference, "Create message click audience")."""
SHARED_ROUTES = (*ROUTES, "BUSINESS_MANAGER", "YAHOO_DISPLAY_ADS")
_ACCEPTED = Answer(status=202)


def _room_for_one(call: Call) -> None:
    if len(audiences(call.platform, call.channel)) >= MAX_AUDIENCES:
        schema.refuse("AUDIENCE_GROUP_COUNT_MAX_OVER")


def _create(call: Call, kind: AudienceType, name: str, **rest: Any) -> Audience:
    audience = Audience(
        id=call.platform.store.of(Numbers).next_audience(),
        type=kind,
        description=name,
        created=int(call.platform.clock.now()),
        **rest,
    )
    audiences(call.platform, call.channel)[audience.id] = audience
    return audience


def _find(call: Call, audience_id: int | None) -> Audience:
    found = audiences(call.platform, call.channel).get(audience_id if audience_id else 0)
    if found is None:
        schema.refuse("AUDIENCE_GROUP_NOT_FOUND")
    return found


def _in_path(call: Call) -> Audience:
    given = call.params["audience"]
    known = re.fullmatch(r"[0-9]{1,18}", given, re.ASCII)
    return _find(call, int(given) if known else None)


def _writable(call: Call, audience_id: int | None) -> Audience:
    """The audience people are to be added to, if that is possible now."""
    audience = _find(call, audience_id)
    if audience.type != "UPLOAD" or not audience.writable:
        schema.refuse("AUDIENCE_GROUP_NOT_FOUND")
    if audience.status == "EXPIRED":
        schema.refuse("AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED")
    if sum(job.under_way() for job in audience.jobs) >= MAX_CONCURRENT:
        raise LineError(429, "The limit on the number of concurrent operations has been exceeded")
    return audience


def _ids_of(call: Call, body: Json, is_ifa: bool) -> tuple[int, int]:
    """Whom `audiences` names, as a set, and how many ids it has."""
    given = [cast(str, one["id"]) for one in cast(list[Json], body.get("audiences") or [])]
    if len(given) > schema.MAX_IDS_JSON:
        schema.refuse("UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS", "audiences")
    ids = Ids(call.platform, is_ifa)
    if not all(map(ids.well_formed, given)):
        schema.refuse("UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT", "audiences")
    return ids.mask(given), len(given)


# Audiences of uploaded ids


@operation("POST", "/v2/bot/audienceGroup/upload", body="json", limit=PER_MINUTE_60)
async def create(call: Call) -> Answer:
    """Create audience for uploading user IDs (by JSON)."""
    body = call.json(schema.UPLOAD)
    name, about = schema.name(body), schema.upload_description(body)
    is_ifa = body.get("isIfaAudience") is True
    people, count = _ids_of(call, body, is_ifa)
    _room_for_one(call)
    audience = _create(call, "UPLOAD", name, is_ifa=is_ifa)
    if count:
        jobs.start(call.platform, call.channel, audience, people, about)
    return answer(audience.made(), 202)


@operation("PUT", "/v2/bot/audienceGroup/upload", body="json", limit=PER_MINUTE_60)
async def add(call: Call) -> Answer:
    """Add user IDs or Identifiers for Advertisers (IFAs) to an audience (by JSON)."""
    body = call.json(schema.ADD)
    about = schema.upload_description(body)
    audience = _writable(call, body["audienceGroupId"])
    people, count = _ids_of(call, body, audience.is_ifa)
    if not count:
        schema.refuse("UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS", "audiences")
    jobs.start(call.platform, call.channel, audience, people, about)
    return _ACCEPTED


async def _ids_of_file(call: Call, parts: dict[str, upload.Part], is_ifa: bool) -> int:
    ids = Ids(call.platform, is_ifa)
    return await asyncio.to_thread(upload.people_of_file, upload.file_of(parts), ids)


def _texts(parts: dict[str, upload.Part]) -> Json:
    return {
        field: parts[field].text(field)
        for field in ("description", "uploadDescription")
        if field in parts
    }


@operation("POST", "/v2/bot/audienceGroup/upload/byFile", body="binary", limit=PER_MINUTE_60,
           max_body=upload.MAX_FILE_BODY)  # fmt: skip
async def create_by_file(call: Call) -> Answer:
    """Create audience for uploading user IDs (by file)."""
    parts = upload.form(call)
    texts = _texts(parts)
    name, about = schema.name(texts), schema.upload_description(texts)
    is_ifa = upload.flag(parts, "isIfaAudience")
    people = await _ids_of_file(call, parts, is_ifa)
    _room_for_one(call)
    audience = _create(call, "UPLOAD", name, is_ifa=is_ifa)
    jobs.start(call.platform, call.channel, audience, people, about)
    return answer(audience.made(), 202)


@operation("PUT", "/v2/bot/audienceGroup/upload/byFile", body="binary", limit=PER_MINUTE_60,
           max_body=upload.MAX_FILE_BODY)  # fmt: skip
async def add_by_file(call: Call) -> Answer:
    """Add user IDs or Identifiers for Advertisers (IFAs) to an audience (by file)."""
    parts = upload.form(call)
    about = schema.upload_description(_texts(parts))
    audience_id = upload.whole_number(parts, "audienceGroupId")
    people = await _ids_of_file(call, parts, _writable(call, audience_id).is_ifa)
    # Others may have been at work on the audience while the file was read.
    audience = _writable(call, audience_id)
    jobs.start(call.platform, call.channel, audience, people, about)
    return _ACCEPTED


# Audiences of those who clicked or saw a message


def _see_request(call: Call, kind: AudienceType, request_id: str, url: str | None) -> None:
    """Refuse what no audience can be made of. Raises LineError."""
    now = call.platform.clock.now()
    sent = call.channel.store.of(Records).requests.get(request_id)
    if sent is None:
        for other in call.platform.channels.values():
            if request_id in other.store.of(Records).requests:
                schema.refuse("WRONG_BOT_ID")
        schema.refuse("REQUEST_NOT_FOUND")
    if now - sent.at > OLDEST_MESSAGE_SECONDS:
        schema.refuse("TOO_OLD_MESSAGES")
    for one in audiences(call.platform, call.channel).values():
        if (one.type, one.request_id, one.click_url) == (kind, request_id, url):
            schema.refuse("AUDIENCE_GROUP_REQUESTID_DUPLICATE")


async def _from_message(call: Call, kind: AudienceType, body: Json) -> Answer:
    name = schema.name(body)
    request_id, url = cast(str, body["requestId"]), cast("str | None", body.get("clickUrl"))
    _see_request(call, kind, request_id, url)
    _room_for_one(call)
    audience = _create(call, kind, name, request_id=request_id, click_url=url)
    jobs.start_collecting(call.platform, call.channel, audience)
    return answer(audience.made(), 202)


@operation("POST", "/v2/bot/audienceGroup/click", body="json", limit=PER_MINUTE_60)
async def create_click(call: Call) -> Answer:
    """Create message click audience."""
    return await _from_message(call, "CLICK", call.json(schema.CLICK))


@operation("POST", "/v2/bot/audienceGroup/imp", body="json", limit=PER_MINUTE_60)
async def create_imp(call: Call) -> Answer:
    """Create message impression audience."""
    return await _from_message(call, "IMP", call.json(schema.IMP))


# What there is


@operation(
    "PUT", "/v2/bot/audienceGroup/{audience}/updateDescription", body="json", limit=PER_MINUTE_60
)
async def rename(call: Call) -> Answer:
    """Rename an audience."""
    name = schema.name(call.json(schema.RENAME))
    audience = _in_path(call)
    if not audience.writable:
        schema.refuse("AUDIENCE_GROUP_NOT_FOUND")
    audience.description = name
    return EMPTY


@operation("DELETE", "/v2/bot/audienceGroup/{audience}", limit=PER_MINUTE_60)
async def delete(call: Call) -> Answer:
    """Delete audience."""
    audience = _in_path(call)
    if not audience.writable:
        schema.refuse("AUDIENCE_GROUP_NOT_FOUND")
    del audiences(call.platform, call.channel)[audience.id]
    return _ACCEPTED


@operation("GET", "/v2/bot/audienceGroup/{audience}", limit=PER_MINUTE_60)
async def get(call: Call) -> Answer:
    """Get audience data."""
    return answer(_data(_in_path(call)))


def _data(audience: Audience) -> Json:
    shown = audience.show()
    if audience.status != "FAILED":
        shown.pop("failedType", None)
    latest = audience.jobs[-MAX_JOBS_SHOWN:]
    return {"audienceGroup": shown, "jobs": [job.show(audience.id) for job in latest]}


@operation("GET", "/v2/bot/audienceGroup/list", limit=PER_MINUTE_60)
async def listing(call: Call) -> Answer:
    """Get data for multiple audiences, the newest first."""
    schema.flag(call, "includesExternalPublicGroups", default=True)
    return _page(call, list(audiences(call.platform, call.channel).values()), ROUTES)


def _page(call: Call, there: list[Audience], routes: tuple[str, ...]) -> Answer:
    page = schema.number(call, "page", None, 1_000_000)
    size = schema.number(call, "size", schema.PAGE_SIZE, schema.MAX_PAGE_SIZE)
    statuses = schema.chosen(call, "status", STATUSES)
    wanted_routes = schema.chosen(call, "createRoute", routes)
    part = call.query.get("description", "").casefold()
    found = [
        one
        for one in reversed(there)
        if (statuses is None or one.status in statuses)
        and (wanted_routes is None or one.route in wanted_routes)
        and part in one.description.casefold()
    ]
    first = (page - 1) * size
    return answer(
        {
            "audienceGroups": [one.show() for one in found[first : first + size]],
            "hasNextPage": first + size < len(found),
            "totalCount": len(found),
            "readWriteAudienceGroupTotalCount": sum(one.writable for one in found),
            "page": page,
            "size": size,
        }
    )


# Shared audiences: nothing is shared with an account outside Business Manager


@operation("GET", "/v2/bot/audienceGroup/shared/{audience}", limit=PER_MINUTE_60)
async def get_shared(call: Call) -> Answer:
    """Get shared audience data in Business Manager: only the account's own are there."""
    channel = call.channel
    owner = {"serviceType": "account", "id": channel.basic_id, "name": channel.name}
    return answer(_data(_in_path(call)) | {"owner": owner})


@operation("GET", "/v2/bot/audienceGroup/shared/list", limit=PER_MINUTE_60)
async def list_shared(call: Call) -> Answer:
    """Get a list of shared audiences in Business Manager: those of the account, if wanted."""
    owned = schema.flag(call, "includesOwnedAudienceGroups", default=False)
    there = list(audiences(call.platform, call.channel).values()) if owned else []
    return _page(call, there, SHARED_ROUTES)
