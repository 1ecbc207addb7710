"""Coming near a LINE Beacon (reference, "Beacon event")."""

from __future__ import annotations

import re

from .. import events
from ..acts import ActError, Actor, act
from ..model import Channel, Friendship, Json, User

_HWID = re.compile(r"[0-9a-f]{10}")
_DEVICE_MESSAGE = re.compile(r"([0-9a-f]{2}){1,13}")


@act("beacon")
def beacon(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Come into the range of a beacon: `hwid`, `beacon` (enter, stay or banner), `dm`."""
    hwid, kind, dm = act.get("hwid", "d41d8cd98f"), act.get("beacon", "enter"), act.get("dm")
    if not isinstance(hwid, str) or not _HWID.fullmatch(hwid):
        raise ActError("hwid must be 10 hexadecimal digits")
    if kind not in ("enter", "stay", "banner"):
        raise ActError("beacon must be enter, stay or banner")
    if dm is not None and not (isinstance(dm, str) and _DEVICE_MESSAGE.fullmatch(dm)):
        raise ActError("dm must be up to 13 bytes as hexadecimal digits")
    if channel.friendship(user.id) is not Friendship.FRIEND:
        raise ActError("only friends of the account tell it of beacons")
    event = events.beacon(actor.platform, channel, user.id, hwid, kind, dm)
    return actor.send_event(channel, user, event)
