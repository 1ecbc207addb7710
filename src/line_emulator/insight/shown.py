"""Records as LINE shows them: nothing about fewer than 20 people.

Reference, "Get user interaction statistics" and "Get statistics per unit", notes on privacy: a
value below 20 is null, and so is any value that fewer than 20 people brought about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model import Json
from .people import People
from .record import QUARTERS, Bubble, Record, union
from .tally import Tally, together

PRIVACY = 20
"""Figures about fewer people are not shown."""


def _people(people: People) -> int | None:
    return len(people) if len(people) >= PRIVACY else None


def _times(tally: Tally) -> int | None:
    return tally.times if len(tally.people) >= PRIVACY else None


def overview(records: Sequence[Record]) -> Json:
    """What people did with all the messages together."""
    return {
        "uniqueImpression": _people(union(one.openers() for one in records)),
        "uniqueClick": _people(union(one.clickers() for one in records)),
        "uniqueMediaPlayed": _people(union(one.players(0) for one in records)),
        "uniqueMediaPlayed100Percent": _people(union(one.players(100) for one in records)),
    }


def messages(records: Sequence[Record], *, unique_impression: bool) -> list[Json]:
    """Bubble by bubble, numbered from 1; `uniqueImpression` is a figure of units alone."""
    rows: list[Json] = []
    for place in range(max((len(one.bubbles) for one in records), default=0)):
        here = [one.bubbles[place] for one in records if place < len(one.bubbles)]
        shown = together(bubble.shown for bubble in here)
        row: Json = {"seq": place + 1, "impression": _times(shown)}
        if unique_impression:
            row["uniqueImpression"] = _people(shown.people)
        played = [_played(here, quarter) for quarter in QUARTERS]
        for name, tally in zip(_names("mediaPlayed"), played, strict=True):
            row[name] = _times(tally)
        for name, tally in zip(_names("uniqueMediaPlayed"), played, strict=True):
            row[name] = _people(tally.people)
        rows.append(row)
    return rows


def clicks(records: Sequence[Record]) -> list[Json]:
    """Every opened URL of every bubble."""
    rows: list[Json] = []
    everywhere: dict[str, int | None] = {}
    for place in range(max((len(one.bubbles) for one in records), default=0)):
        links: dict[str, list[Tally]] = {}
        for one in records:
            if place < len(one.bubbles):
                for url, tally in one.bubbles[place].links.items():
                    links.setdefault(url, []).append(tally)
        for url, tallies in links.items():
            tally = together(tallies)
            if url not in everywhere:
                everywhere[url] = _people(union(one.clickers(url) for one in records))
            rows.append(
                {
                    "seq": place + 1,
                    "url": url,
                    "click": _times(tally),
                    "uniqueClick": _people(tally.people),
                    "uniqueClickOfRequest": everywhere[url],
                }
            )
    return rows


def _names(stem: str) -> list[str]:
    return [stem] + [f"{stem}{quarter}Percent" for quarter in QUARTERS[1:]]


def _played(bubbles: Iterable[Bubble], quarter: int) -> Tally:
    return together(one.played[quarter] for one in bubbles if quarter in one.played)


def statistics(records: Sequence[Record], *, unique_impression: bool) -> Json:
    """`overview`, `messages` and `clicks`; the lists are empty where nothing can be told.

    LINE's examples show empty lists when every figure of the overview is null.
    """
    whole = overview(records)
    told = any(value is not None for value in whole.values())
    return {
        "overview": whole,
        "messages": messages(records, unique_impression=unique_impression) if told else [],
        "clicks": clicks(records) if whole["uniqueClick"] is not None else [],
    }
