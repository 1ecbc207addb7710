"""What people read: states by name, and LINE's English reasons with what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hiiki.delivery.verdict import DOUBT_REPLY, DOUBT_TOO_LONG, MONTHLY_LIMIT, NOTHING_LEFT
from hiiki.kit.i18n import Text, _

SEND_WORDS: Mapping[str, tuple[Text, str]] = {
    "running": (_("Being sent"), "blue"),
    "paused": (_("Paused"), "orange"),
    "done": (_("Send ended"), "green"),
    "cancelled": (_("Cancelled"), "grey"),
}
"""State of a send → its name and the colour of its badge."""

PARCEL_WORDS: Mapping[str, tuple[Text, str]] = {
    "ready": (_("Waiting"), "grey"),
    "sending": (_("With LINE"), "blue"),
    "accepted": (_("Accepted by LINE"), "green"),
    "refused": (_("Refused"), "red"),
    "in_doubt": (_("In doubt"), "orange"),
    "cancelled": (_("Cancelled"), "grey"),
}
"""The same of a parcel."""

LEFT_OUT_WORDS: Mapping[str, Text] = {
    "blocked": _("Had blocked the account"),
    "opted_out": _("Declines this kind of message"),
    "capped": _("Had received enough already"),
}
"""Why somebody was left out of a send."""

_REASONS: Sequence[tuple[str, Text]] = (
    (MONTHLY_LIMIT, _("The account's messages for this month are used up.")),
    (
        DOUBT_TOO_LONG,
        _("LINE's answer was not known for a day, so sending again might repeat the message."),
    ),
    (
        DOUBT_REPLY,
        _("LINE did not answer while a free reply was possible, so it may have arrived."),
    ),
    (NOTHING_LEFT, _("There was nothing left to send.")),
    ("authentication failed", _("LINE does not accept the account's access token any more.")),
    ("invalid reply token", _("The free reply came too late.")),
    ("messages[", _("LINE refused the content of the message.")),
    ("failed to send messages", _("LINE does not know this person on this account.")),
    ("the property, 'to'", _("LINE does not know this person on this account.")),
    ("did not answer in time", _("LINE did not answer in time.")),
    ("no answer from line", _("LINE could not be reached.")),
    ("rate limit", _("LINE asked to send more slowly.")),
)


def explain(reason: str | None) -> Text | None:
    """Return what a stored reason means; None when it is not one of those we know."""
    said = (reason or "").lower()
    return next((text for part, text in _REASONS if said and part.lower() in said), None)


def gist(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the first words of what is sent, by which people know it again; "" without any."""
    for message in messages:
        words = message.get("text") or message.get("altText")
        if isinstance(words, str) and words.strip():
            return " ".join(words.split())[:60]
    return ""
