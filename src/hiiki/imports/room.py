"""What this room adds to the road."""

from __future__ import annotations

from hiiki.imports import api, api_exports, jobs, views, views_exports
from hiiki.imports.erasing import forget_person
from hiiki.imports.friends import friends
from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Room

room = Room(
    name="imports",
    pages=[*views.HANDLERS, *views_exports.HANDLERS],
    api=[*api.HANDLERS, *api_exports.HANDLERS],
    exports=[friends],
    nav=[
        NavItem("friends", _("Import"), "file-import", "/imports", order=60, role="operator"),
        NavItem("friends", _("Export"), "file-export", "/exports", order=61, role="operator"),
    ],
    erase=forget_person,
    tasks=jobs.tasks,
)
