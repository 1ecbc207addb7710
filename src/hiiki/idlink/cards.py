"""The card "link your account", and the action that sends it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from hiiki.content import links, tickets
from hiiki.content.draft import Draft, PieceBlock
from hiiki.content.service import build, personalise
from hiiki.db import WorkspaceSession
from hiiki.idlink.models import Link
from hiiki.idlink.phrases import Words, language_of
from hiiki.idlink.service import setting_of
from hiiki.kit.errors import NotFound
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, Card
from hiiki.workspace.models import Workspace

PATH = "/id-link/go"
"""What the card's button opens: content adds the link's code and the recipient's ticket."""
ASKED_BY = "id_link_ask"
"""Owner of the links in what the action sends, and subject of its messages."""


async def card(session: WorkspaceSession) -> Card:
    """Return the card as it stands in a message to many, in the shop's language.

    Raises `NotFound` when nobody has said yet how customers link.
    """
    setting = await setting_of(session)
    if setting is None:
        raise NotFound(_("Please set up the account link first."))
    workspace = await session.known(Workspace, session.workspace_id)
    words = Words(language_of(workspace.locale) or "ja", setting.texts)
    return Card(
        label=words("label"),
        title=words("card_title"),
        highlight="",
        text=words("card_text"),
        button=words("card_button"),
        path=PATH,
    )


_ALSO = _("Also those who are linked")
_ALSO_MEANS = _("They get the card too; it then leads to where they can unlink.")


class AskParams(BaseModel):
    """Whom to ask."""

    also_linked: Annotated[
        bool,
        Field(
            title=_ALSO.english,
            description=_ALSO_MEANS.english,
        ),
    ] = False


async def ask(context: ActionContext, params: AskParams) -> None:
    """Send the card to the contact, unless they are linked; raises `NotFound` before setup."""
    session: WorkspaceSession = context.session
    if not params.also_linked and await session.get(Link, context.contact_id) is not None:
        return
    draft = Draft(blocks=[PieceBlock(piece="id_link")])
    built = await session.once(ASKED_BY, lambda: build(session, draft, ASKED_BY))
    said = await personalise(session, built.messages, [context.contact_id])
    context.say(said[context.contact_id], ASKED_BY)
    await context.emit("id_link_ask")


async def own_page(session: WorkspaceSession, contact_id: UUID) -> str:
    """Return the address at which this person can unlink (or link) at any time."""
    codes = await links.ensure(session, "id_link", [(PATH, "ID link")])
    code = codes[PATH, "ID link"]
    return links.url_of(code, tickets.ticket(code, contact_id))
