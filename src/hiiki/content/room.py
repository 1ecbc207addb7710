"""What this room adds to the road."""

from __future__ import annotations

from hiiki.content import api, public, views
from hiiki.content.actions import SendParams, link_options, media_options, send
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionKind, EventKind, NavItem, Picker, Room

room = Room(
    name="content",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    public=public.HANDLERS,
    nav=[NavItem("broadcasts", _("Images"), "photo", "/library", order=80)],
    events=[EventKind("link_open", _("Opened a link"), "link", subject="link")],
    actions=[ActionKind("send", _("Send a message"), "send", SendParams, send)],
    pickers=[
        Picker("link", _("Links"), link_options),
        Picker("media", _("Images"), media_options),
    ],
)
