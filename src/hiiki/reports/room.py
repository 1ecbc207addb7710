"""What this room adds to the road: the home page and its numbers."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Room
from hiiki.reports.api import get_overview
from hiiki.reports.views import home

room = Room(
    name="reports",
    pages=[home],
    api=[get_overview],
    nav=[NavItem("home", _("Home"), "home", "/", order=0)],
)
