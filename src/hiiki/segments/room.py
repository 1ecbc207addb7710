"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import EventKind, NavItem, Picker, Room
from hiiki.segments import (
    api,
    api_history,
    api_lists,
    views,
    views_builder,
    views_history,
    views_lists,
)
from hiiki.segments.erasing import forget_person
from hiiki.segments.fitting import hinders
from hiiki.segments.jobs import tasks
from hiiki.segments.listing import options
from hiiki.segments.lists import options as list_options
from hiiki.segments.service import members, uses
from hiiki.segments.telling import ENTER, LEAVE

room = Room(
    name="segments",
    pages=[*views.pages, *views_builder.pages, *views_history.pages, *views_lists.pages],
    api=[*api.handlers, *api_history.handlers, *api_lists.handlers],
    nav=[NavItem("segments", _("Segments"), "filter", "/segments")],
    pickers=[
        Picker("segment", _("Segment"), options),
        Picker("list", _("List"), list_options),
    ],
    events=(
        EventKind(ENTER, _("Entered a segment"), "user-plus", "segment"),
        EventKind(LEAVE, _("Left a segment"), "user-minus", "segment"),
    ),
    uses=uses,
    hinders=hinders,
    tasks=tasks,
    members=members,
    erase=forget_person,
)
