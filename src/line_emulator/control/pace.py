"""How long LINE's work in the background takes, and whether it fails."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..model import Json
from ..pace import Pace
from .route import Ask, ControlError, control

_LONGEST = 366 * 24 * 3600.0
_MEANING = {
    "audience_queued": "seconds before an audience's job begins",
    "audience_working": "seconds that it takes",
    "narrowcast_waiting": "seconds between accepting a narrowcast and sending it",
    "narrowcast_per_second": "people reached in a second; 0: as fast as possible",
    "fail_audiences": "so many of the next audience jobs fail",
    "fail_narrowcasts": "so many of the next narrowcasts fail",
    "narrowcast_error": "the errorCode that those get, 1 to 5",
}
_WHOLE = {"fail_audiences": (0, 1_000_000), "fail_narrowcasts": (0, 1_000_000)} | {
    "narrowcast_error": (1, 5)
}


@control("GET", "/_emulator/pace", "How long work in the background takes", returns="The times")
async def read_pace(ask: Ask) -> Json:
    """Seconds by the emulated clock, and how many failures are still to come."""
    return dataclasses.asdict(ask.platform.store.of(Pace))


@control(
    "PATCH",
    "/_emulator/pace",
    "Change how long work in the background takes, or let it fail",
    body={
        "type": "object",
        "properties": {
            name: {"type": "integer" if name in _WHOLE else "number", "description": meaning}
            for name, meaning in _MEANING.items()
        },
    },
    returns="The times",
)
async def set_pace(ask: Ask) -> Json:
    """What is named is changed, for work that begins from now on."""
    body = ask.object()
    pace = ask.platform.store.of(Pace)
    changes: Json = {}
    for name, value in body.items():
        if name not in _MEANING:
            raise ControlError(f"{name} is unknown; there are {', '.join(_MEANING)}")
        low, high = _WHOLE.get(name, (0.0, _LONGEST))
        kind: Any = int if name in _WHOLE else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise ControlError(f"{name} must be a number from {low:g} to {high:g}")
        changes[name] = value if name in _WHOLE else float(value)
    for name, value in changes.items():
        setattr(pace, name, value)
    return dataclasses.asdict(pace)
