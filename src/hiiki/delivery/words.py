"""What people read: states by name, and LINE's English reasons with what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hiiki.delivery.service import Progress
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
    "quota": _("The month's messages did not suffice"),
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
    (
        "stored credentials cannot be opened",
        _("The stored access token cannot be opened: the sealing key has been changed."),
    ),
)


def explain(reason: str | None) -> Text | None:
    """Return what a stored reason means; None when it is not one of those we know."""
    said = (reason or "").lower()
    return next((text for part, text in _REASONS if said and part.lower() in said), None)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a send stands still though nobody told it to, in words for people."""

    why: Text
    to_do: Text
    said: str
    """What LINE (or the program) said, in its own words; "" when that is in `why` already."""
    url: str = ""
    """Where what is to be done can be done; "" when it is on the page itself."""
    link: Text | str = ""
    """What that place is called."""


_TO_DO: Mapping[str, Text] = {
    "quota": _(
        "Raise the limit of additional messages, or choose a larger plan, in LINE Official "
        "Account Manager; or wait for next month. Then resume."
    ),
    "content": _(
        "Resume to try again. If it stops again, stop it for good, correct the message and send "
        "it to those who have not got it."
    ),
    "refused": _(
        "See under “Not delivered” what LINE says. If it is only these people, resume. If it is "
        "the message or the list of people, stop for good and correct that."
    ),
    "errors": _(
        "LINE, or the way to it, may be down. Wait a little, then resume: nobody is left out, "
        "and nobody gets it twice."
    ),
}


def halt_of(send_id: UUID, channel_id: UUID, stands: Progress) -> Halt | None:
    """Return why a send stands still; None when it moves, is over, or staff paused it."""
    if stands.state not in ("running", "paused"):
        return None
    if stands.channel_paused_reason is not None:
        said = stands.channel_paused_reason
        return Halt(
            explain(said) or _("LINE takes nothing from this account at present."),
            _("Enter a new access token on the account's page. Sending then goes on by itself."),
            said,
            f"/settings/channels/{channel_id}",
            _("To the account's page"),
        )
    said = stands.pause_reason or ""
    match stands.pause_code:
        case "quota":
            used_up = _("The account's messages for this month are used up.")
            return Halt(used_up, _TO_DO["quota"], said)
        case "content":
            return Halt(_("The message could not be put together."), _TO_DO["content"], said)
        case "refused":
            why = _(
                "It paused by itself: LINE refused %(failed)s of %(of)s people.",
                failed=f"{stands.pause_failed or 0:,}",
                of=f"{stands.pause_of or 0:,}",
            )
            url = f"/deliveries/undelivered?send={send_id}"
            return Halt(why, _TO_DO["refused"], said, url, _("Not delivered"))
        case "errors":
            why = _(
                "It paused by itself: %(failed)s of %(of)s requests to LINE failed.",
                failed=f"{stands.pause_failed or 0:,}",
                of=f"{stands.pause_of or 0:,}",
            )
            return Halt(why, _TO_DO["errors"], said)
        case _:
            return None


def time_left(seconds: float | None) -> Text | None:
    """Return how long a send still takes, no finer than anybody can tell; None: unknown."""
    if seconds is None:
        return None
    if seconds < 10:
        return _("a few seconds left")
    if seconds < 90:
        return _("about %(n)s seconds left", n=round(seconds / 5) * 5)
    if seconds < 90 * 60:
        return _("about %(n)s minutes left", n=round(seconds / 60))
    return _("about %(n)s hours left", n=round(seconds / 3600))


def gist(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the first words of what is sent, by which people know it again; "" without any."""
    for message in messages:
        words = message.get("text") or message.get("altText")
        if isinstance(words, str) and words.strip():
            return " ".join(words.split())[:60]
    return ""
