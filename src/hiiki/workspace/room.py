"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import NavItem, Room
from hiiki.workspace import api, views_account, views_channels, views_settings
from hiiki.workspace.quota import keep_quotas

room = Room(
    name="workspace",
    pages=[*views_account.pages, *views_settings.pages, *views_channels.pages],
    public=views_account.public,
    api=api.handlers,
    loops={"quota": keep_quotas},
    nav=[
        NavItem("settings", _("Official accounts"), "brand-line", "/settings/channels", 10),
        NavItem("settings", _("Staff"), "user-cog", "/settings/staff", 20, "owner"),
        NavItem("settings", _("API tokens"), "key", "/settings/tokens", 30, "owner"),
        NavItem("settings", _("Audit record"), "history", "/settings/audit", 40, "owner"),
        NavItem("settings", _("Workspace"), "building-store", "/settings/workspace", 50, "owner"),
    ],
)
