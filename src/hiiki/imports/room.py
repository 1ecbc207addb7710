"""What this room adds to the road."""

from __future__ import annotations

from hiiki.imports import api, jobs, views
from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Room

room = Room(
    name="imports",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=[NavItem("friends", _("Import"), "file-import", "/imports", order=60, role="operator")],
    tasks=jobs.tasks,
)
