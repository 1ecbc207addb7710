"""How long LINE prepares videos and audio."""

from __future__ import annotations

import dataclasses

from ..control.route import Ask, ControlError, control
from ..model import Json
from .store import Preparing

_BODY = {
    "type": "object",
    "properties": {
        "channel": {"type": "string", "description": "the first by default"},
        "video_seconds": {"type": "number", "description": "from sending until it can be fetched"},
        "audio_seconds": {"type": "number"},
        "fails": {"type": "boolean", "description": "preparing fails from now on"},
    },
}


def _shown(preparing: Preparing) -> Json:
    settings = dataclasses.asdict(preparing)
    del settings["by_id"]
    return settings


@control(
    "PATCH",
    "/_emulator/content",
    "Let videos and audio take time to prepare",
    body=_BODY,
    returns="The settings",
)
async def change(ask: Ask) -> Json:
    """Holds for what is sent from now on; follows the emulated clock."""
    body = ask.object()
    preparing = ask.channel(body.get("channel")).store.of(Preparing)
    for name, value in body.items():
        if name in ("video_seconds", "audio_seconds"):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise ControlError(f"{name} must be a number from 0")
            setattr(preparing, name, float(value))
        elif name == "fails" and isinstance(value, bool):
            preparing.fails = value
        elif name != "channel":
            raise ControlError(f"cannot set {name} to {value!r}")
    return _shown(preparing)


@control("GET", "/_emulator/content", "How videos and audio are prepared", returns="The settings")
async def read(ask: Ask) -> Json:
    """The settings of one channel."""
    return _shown(ask.channel().store.of(Preparing))
