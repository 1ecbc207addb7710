"""What this room adds to the road."""

from __future__ import annotations

from hiiki.broadcasts import api, listing
from hiiki.broadcasts.jobs import tasks
from hiiki.kit.i18n import _
from hiiki.kit.road import Picker, Room

room = Room(
    name="broadcasts",
    api=api.HANDLERS,
    pickers=[Picker("broadcast", _("Broadcasts"), listing.options)],
    uses=listing.uses,
    tasks=tasks,
)
