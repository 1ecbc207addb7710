"""What this room adds to the road."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from hiiki.actions import api, views
from hiiki.actions.checks import refers_to
from hiiki.actions.models import Rule
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, EventKind, NavItem, Room, Usage


def open_context(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID | None
) -> ActionContext:
    """Begin what follows from something a contact did on a page (`Registry.emit`)."""
    from hiiki.actions.context import Context

    return Context(session, contact_id, channel_id)


async def _uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    """Where a rule waits for, asks about or uses the thing with this id."""
    wanted = str(ident)
    return [
        Usage(str(_("Rule “%(name)s”", name=rule.name)), f"/rules/{rule.id}")
        for rule in await session.scalars(select(Rule).order_by(Rule.position, Rule.id))
        if ident in (rule.segment_id, rule.topic_id)
        or rule.event_subject == wanted
        or refers_to(rule.actions, wanted)
    ]


room = Room(
    name="actions",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=(NavItem("chat", _("Rules"), "bolt", "/rules"),),
    events=(
        EventKind(
            "action_failed", _("An action could not run"), "alert-triangle", starts_rules=False
        ),
    ),
    context=open_context,
    uses=_uses,
)
