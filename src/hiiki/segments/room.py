"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Picker, Room
from hiiki.segments import api, views, views_builder
from hiiki.segments.listing import options
from hiiki.segments.service import uses

room = Room(
    name="segments",
    pages=[*views.pages, *views_builder.pages],
    api=api.handlers,
    nav=[NavItem("segments", _("Segments"), "filter", "/segments")],
    pickers=[Picker("segment", _("Segment"), options)],
    uses=uses,
)
