"""LINE's webhook events in the timeline's words.

Everything is read leniently: a field that is missing or of another type is left out,
and an event of a type that LINE invents tomorrow is kept and has no effect.
Reference: Messaging API, "Webhook Event Objects".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

REPLY_TOKEN_LIVES = timedelta(seconds=50)
"""LINE takes a reply token within a minute of the webhook; ten seconds are for the way."""
REDELIVERED_TOKEN_DIES = timedelta(minutes=19)
"""A redelivered token is good for a minute too, but not more than 20 from the event."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook event tells about a person, as it goes on the timeline."""

    kind: str
    """One of the kinds declared in `ingest.room`; "" when it has no effect."""
    data: dict[str, Any] = field(default_factory=dict[str, Any])


Json = Mapping[str, Any]


def tell(kind: str, payload: Json) -> Told:
    """Return what an event of LINE's type `kind` is on the timeline."""
    reader = _READERS.get(kind)
    return Told("") if reader is None else reader(payload)


def part(payload: Json, name: str) -> Json:
    """Return the object under `name`; an empty one when there is none."""
    found = payload.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def reply_until(payload: Json, at: datetime, received_at: datetime) -> datetime:
    """Return until when the event's reply token may be used."""
    if part(payload, "deliveryContext").get("isRedelivery") is True:
        return min(received_at + REPLY_TOKEN_LIVES, at + REDELIVERED_TOKEN_DIES)
    return min(at, received_at) + REPLY_TOKEN_LIVES


def _pick(source: Json, **names: str) -> dict[str, Any]:
    """Return our names with the values of LINE's, where there are any."""
    return {ours: source[lines] for ours, lines in names.items() if source.get(lines) is not None}


def _message(payload: Json) -> Told:
    message = part(payload, "message")
    data: dict[str, Any] = {
        "type": str(message.get("type", "")),
        "message_id": str(message.get("id", "")),
    }
    data |= _pick(
        message,
        text="text",
        quoted_message_id="quotedMessageId",
        mark_as_read_token="markAsReadToken",  # noqa: S106 — LINE's name for it
        quote_token="quoteToken",  # noqa: S106
        emojis="emojis",
        mention="mention",
        package_id="packageId",
        sticker_id="stickerId",
        keywords="keywords",
        title="title",
        address="address",
        latitude="latitude",
        longitude="longitude",
        file_name="fileName",
        file_size="fileSize",
        duration="duration",
        image_set="imageSet",
        content_provider="contentProvider",
    )
    return Told("message", data)


def _postback(payload: Json) -> Told:
    postback = part(payload, "postback")
    data: dict[str, Any] = {"data": str(postback.get("data", ""))}
    params = part(postback, "params")
    if params:
        data["params"] = dict(params)
    return Told("postback", data)


def _follow(payload: Json) -> Told:
    return Told("follow", {"is_unblocked": part(payload, "follow").get("isUnblocked") is True})


def _unfollow(_payload: Json) -> Told:
    return Told("unfollow")


def _unsend(payload: Json) -> Told:
    return Told("unsend", {"message_id": str(part(payload, "unsend").get("messageId", ""))})


def _account_link(payload: Json) -> Told:
    return Told("account_link", _pick(part(payload, "link"), result="result", nonce="nonce"))


def _video(payload: Json) -> Told:
    viewed = part(payload, "videoPlayComplete")
    return Told("video_play_complete", _pick(viewed, tracking_id="trackingId"))


def _beacon(payload: Json) -> Told:
    beacon = part(payload, "beacon")
    return Told("beacon", _pick(beacon, hwid="hwid", type="type", device_message="dm"))


def _membership(payload: Json) -> Told:
    membership = part(payload, "membership")
    return Told("membership", _pick(membership, type="type", membership_id="membershipId"))


_READERS: Mapping[str, Callable[[Json], Told]] = {
    "message": _message,
    "postback": _postback,
    "follow": _follow,
    "unfollow": _unfollow,
    "unsend": _unsend,
    "accountLink": _account_link,
    "videoPlayComplete": _video,
    "beacon": _beacon,
    "membership": _membership,
}
