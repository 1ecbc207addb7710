"""What this room adds to the road."""

from __future__ import annotations

from hiiki.broadcasts import api, listing, views, views_line
from hiiki.broadcasts.jobs import tasks
from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Picker, Room

room = Room(
    name="broadcasts",
    pages=[*views.HANDLERS, *views_line.HANDLERS],
    api=api.HANDLERS,
    nav=[NavItem("broadcasts", _("Broadcasts"), "send", "/broadcasts", order=10)],
    pickers=[Picker("broadcast", _("Broadcasts"), listing.options)],
    uses=listing.uses,
    tasks=tasks,
)
