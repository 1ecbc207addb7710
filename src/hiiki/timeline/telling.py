"""Events in words: what staff read on a friend's timeline."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import Text, _, current_locale, ngettext
from hiiki.kit.road import EventKind, road
from hiiki.kit.text import shorten
from hiiki.timeline.models import Event

KEPT_SECONDS = 20.0
"""How long the names of a picker are kept in this process, each time for one workspace."""
KEPT_AT_MOST = 500
WORDS_SHOWN = 300

Names = Mapping[str, str]

_kept: dict[tuple[UUID, str, str], tuple[float, Names]] = {}

_MESSAGES: Mapping[str, Text] = {
    "image": _("A picture"),
    "video": _("A video"),
    "audio": _("A voice message"),
    "file": _("A file"),
    "location": _("A place"),
    "sticker": _("A sticker"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event as a person reads it."""

    event: Event
    label: Text
    icon: str
    about: str
    """The name of what it was about (a survey, a link, a coupon, …); "" for nothing."""
    words: str
    """What was said or chosen, or what else there is to know."""
    amount: Decimal | None
    """What it was worth, where that is money and nothing else is to be told."""


async def tell(session: WorkspaceSession, events: Sequence[Event]) -> list[Told]:
    """Return events in the reader's language.

    The names of their subjects are read with one query for each picker that occurs, however
    many events there are.
    """
    wanted = {picker for event in events if (picker := _subject_of(event)[0])}
    names = {picker: await _names(session, picker) for picker in wanted}
    return [_tell(event, names) for event in events]


def forget_names() -> None:
    """Empty the cache (tests, which make their worlds anew)."""
    _kept.clear()


async def _names(session: WorkspaceSession, picker: str) -> Names:
    key = (session.workspace_id, picker, current_locale())
    kept = _kept.get(key)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    known = road().pickers.get(picker)
    names: dict[str, str] = {}
    if known is not None:
        names = {option.value: option.label for option in await known.options(session)}
    if len(_kept) >= KEPT_AT_MOST:
        _kept.clear()
    _kept[key] = (time.monotonic(), names)
    return names


def _subject_of(event: Event) -> tuple[str, str]:
    """Return the picker that names the event's subject, and the subject's value there.

    A subject such as `broadcast:<id>` names its picker itself.
    """
    prefix, colon, rest = event.subject.partition(":")
    if colon and prefix in road().pickers:
        return prefix, rest
    kind = road().events.get(event.kind)
    return (kind.subject if kind is not None and event.subject else ""), event.subject


def _tell(event: Event, names: Mapping[str, Names]) -> Told:
    kind = road().events.get(event.kind)
    picker, value = _subject_of(event)
    words = shorten(_words(event, kind), WORDS_SHOWN)
    is_money = kind is not None and kind.value_is == "money" and not words
    return Told(
        event,
        label=kind.label if kind is not None else Text(event.kind),
        icon=kind.icon if kind is not None else "point",
        about=names.get(picker, {}).get(value, ""),
        words=words,
        amount=event.value if is_money else None,
    )


def _words(event: Event, kind: EventKind | None) -> str:
    """Return what `data` tells, by the names that rooms use in it."""
    data = event.data
    if data.get("unsent"):
        return str(_("(taken back)"))
    for name in ("labels", "texts"):
        found = data.get(name)
        if isinstance(found, list) and found:
            return "、".join(str(each) for each in cast("list[Any]", found))
    for name in ("text", "answer", "display_text", "title", "label", "url", "message"):
        found = data.get(name)
        if isinstance(found, str) and found:
            return str(Text(found)) if name == "message" else found
    params = data.get("params")
    if isinstance(params, dict):  # what was picked in LINE's date picker, or a menu's tab
        return "、".join(str(each) for each in cast("dict[str, Any]", params).values())
    if event.kind == "message" and str(data.get("type")) in _MESSAGES:
        return str(_MESSAGES[str(data["type"])])
    if event.kind == "follow" and data.get("is_unblocked"):
        return str(_("They had blocked the account before."))
    if event.value is None or (kind is not None and kind.value_is == "money"):
        return ""
    written = _number(event.value)
    if kind is not None and kind.value_is == "times":
        return ngettext("%(n)s time", "%(n)s times", int(event.value))
    return written


def _number(value: Decimal) -> str:
    return f"{value.normalize():,f}"
