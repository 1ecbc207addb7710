"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Room
from hiiki.personas import api, views
from hiiki.personas.jobs import tasks
from hiiki.personas.service import uses

room = Room(
    name="personas",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=[NavItem("analytics", _("Personas"), "user-search", "/personas", order=40)],
    uses=uses,
    tasks=tasks,
)
