"""What this room adds to the road."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hiiki.idlink import api, cards, passes, public, views, views_settings
from hiiki.idlink.models import Link
from hiiki.idlink.service import FAILURES
from hiiki.idlink.settings import place_options, uses
from hiiki.kit.i18n import _
from hiiki.kit.road import (
    ActionKind,
    EventKind,
    Field,
    NavItem,
    Option,
    Picker,
    Piece,
    Reaction,
    Room,
)

ENDS = {
    "customer": _("The customer"),
    "staff": _("Staff"),
    "api": _("A program"),
    "moved": _("Moved to another LINE account"),
}


async def failures(_session: Any) -> Sequence[Option]:
    """Return why a linking may break."""
    return [Option(name, str(label)) for name, label in FAILURES.items()]


async def ends(_session: Any) -> Sequence[Option]:
    """Return who may take a link back."""
    return [Option(name, str(label)) for name, label in ENDS.items()]


room = Room(
    name="idlink",
    pages=[*views.HANDLERS, *views_settings.HANDLERS],
    api=api.HANDLERS,
    public=public.HANDLERS,
    nav=[NavItem("friends", _("Account link"), "link", "/id-links", order=60)],
    events=[
        EventKind("id_link_ask", _("Was asked to link"), "message-question"),
        EventKind("id_link_open", _("Opened the linking page"), "click", subject="id_link_place"),
        EventKind(
            "id_link_login", _("Showed which customer they are"), "id", subject="id_link_place"
        ),
        EventKind("id_link", _("Linked a customer number"), "link", subject="id_link_place"),
        EventKind("id_unlink", _("Unlinked"), "unlink", subject="id_link_end"),
        EventKind("id_link_fail", _("Could not link"), "alert-triangle", subject="id_link_failure"),
    ],
    actions=[
        ActionKind("id_link_ask", _("Ask to link"), "link", cards.AskParams, cards.ask),
    ],
    reactions=[
        Reaction("account_link", passes.on_account_link),
        Reaction("message", passes.on_message),
    ],
    pickers=[
        Picker("id_link_place", _("Places to link"), place_options),
        Picker("id_link_failure", _("Reasons"), failures),
        Picker("id_link_end", _("By whom"), ends),
    ],
    fields=[Field("idlink.linked_at", _("Linked since"), "moment", Link.linked_at)],
    pieces={
        "id_link": Piece(
            _("Account link"),
            "link",
            _("A card whose button leads each recipient to their own linking page."),
            cards.card,
        )
    },
    friend_parts=("id-link-card",),
    uses=uses,
    erase=passes.forget_visitor,
)
