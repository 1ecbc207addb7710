"""Console pages: how customers link, in which words, by which Login channel, at which places."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from litestar import get, post
from litestar.response import Redirect, Response, Template
from sqlalchemy import select

from hiiki.actions.editor import drawable, open_editor
from hiiki.db import WorkspaceSession
from hiiki.idlink import login, settings
from hiiki.idlink.models import LoginChannel, Place
from hiiki.idlink.phrases import LANGUAGES, OWN, Words
from hiiki.idlink.public import sample
from hiiki.idlink.schemas import MAX_WORDS, LoginChannelIn, PlaceIn, SettingIn
from hiiki.idlink.service import setting_of
from hiiki.kit.errors import Conflict, HiikiError, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, current_locale
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel, Workspace

OPERATOR = {"role": "operator"}
OWNER = {"role": "owner"}

OWN_LABELS: dict[str, Text] = {
    "title": _("Heading"),
    "lead": _("Why to link"),
    "number": _("What the customer number is called"),
    "number_hint": _("Where it is found"),
    "done": _("Thanks after linking"),
    "card_title": _("Card: heading"),
    "card_text": _("Card: text"),
    "card_button": _("Card: button"),
}


@get("/id-links/settings", opt=OPERATOR)
async def show_settings(session: WorkspaceSession) -> Template:
    """Show how customers link, in a form."""
    setting = await setting_of(session)
    names = SettingIn.model_fields
    data: dict[str, Any] = (
        {name: getattr(setting, name) for name in names} if setting else SettingIn().model_dump()
    )
    return await _form(session, data, {})


@post("/id-links/settings")
async def save_settings(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Set how customers link."""
    data = await form_data(request)
    try:
        saved = await settings.save(session, parse(SettingIn, data))
    except Invalid as error:
        return await _form(session, {**SettingIn().model_dump(), **data}, error.fields)
    audit(session, access, "idlink.settings", method=saved.method)
    return to("/id-links/settings", _("Saved."))


async def _form(
    session: WorkspaceSession, data: dict[str, Any], errors: dict[str, Text]
) -> Template:
    ours = {language: Words(language) for language in LANGUAGES}
    return page(
        "idlink/settings.html",
        status=422 if errors else 200,
        is_set=await setting_of(session) is not None,
        data={**data, "rewards": drawable(data.get("rewards"))},
        errors=errors,
        editor=await open_editor(session),
        languages=LANGUAGES,
        own=OWN,
        own_labels=OWN_LABELS,
        most=MAX_WORDS,
        ours=ours,
        logins=await _logins(session),
        callback=login.callback_url(),
    )


async def _logins(session: WorkspaceSession) -> list[tuple[LoginChannel, str]]:
    rows = await session.execute(
        select(LoginChannel, Channel.name)
        .join(Channel, Channel.id == LoginChannel.channel_id)
        .order_by(LoginChannel.created_at)
    )
    return [(one, name) for one, name in rows.all()]


@get("/id-links/preview", opt=OPERATOR)
async def show_preview(session: WorkspaceSession, view: str = "form", lang: str = "") -> Template:
    """Show the customers' page as they see it, with nothing behind its buttons.

    In the reader's own language, unless another is asked for.
    """
    workspace = await session.known(Workspace, session.workspace_id)
    channel = await session.scalar(select(Channel).order_by(Channel.created_at).limit(1))
    return sample(
        view,
        lang if lang in LANGUAGES else current_locale(),
        await setting_of(session),
        workspace.name,
        channel.picture_url if channel else "",
    )


# ---- LINE Login ----


@get("/id-links/login-channel", opt=OWNER)
async def new_login_channel(session: WorkspaceSession) -> Template:
    """Show the form for an account's LINE Login channel."""
    return await _login_form(session, {}, {})


@post("/id-links/login-channel", opt=OWNER)
async def save_login_channel(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Keep a LINE Login channel, once LINE has said that the secret fits."""
    data = await form_data(request)
    try:
        saved = await login.save(session, parse(LoginChannelIn, data))
    except HiikiError as error:
        if isinstance(error, NotFound):
            raise
        return await _login_form(session, data, error.fields, error.message, error.status)
    audit(session, access, "idlink.login_channel", saved.id, line_channel_id=saved.line_channel_id)
    return to("/id-links/settings", _("LINE knows this channel: customers can log in."))


async def _login_form(
    session: WorkspaceSession,
    data: dict[str, Any],
    errors: dict[str, Text],
    message: Any = "",
    status: int = 200,
) -> Template:
    channels = await session.execute(
        select(Channel.id, Channel.name).order_by(Channel.is_active.desc(), Channel.created_at)
    )
    return page(
        "idlink/login_channel.html",
        status=status,
        # Secrets are not sent back to the browser.
        data={name: data.get(name, "") for name in ("channel_id", "line_channel_id")},
        channels=[(ident, name) for ident, name in channels.all()],
        errors=errors,
        message=message,
        callback=login.callback_url(),
    )


@post("/id-links/login-channels/{login_channel_id:uuid}/delete", opt=OWNER)
async def delete_login_channel(
    session: WorkspaceSession, access: Access, login_channel_id: UUID
) -> Redirect:
    """Forget a LINE Login channel."""
    await session.delete(await session.one(LoginChannel, login_channel_id))
    audit(session, access, "idlink.login_channel_delete", login_channel_id)
    return to("/id-links/settings", _("The LINE Login channel has been removed."))


# ---- places ----


@get("/id-links/places")
async def show_places(session: WorkspaceSession) -> Template:
    """Show the places with their QR codes, and a form for one more."""
    return await _places(session, {}, {})


@post("/id-links/places")
async def add_place(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Add a place."""
    data = await form_data(request)
    try:
        made = await settings.add_place(session, parse(PlaceIn, data))
    except (Invalid, Conflict) as error:
        return await _places(session, data, error.fields, error.message, error.status)
    audit(session, access, "idlink.place_create", made.id, name=made.name)
    return to("/id-links/places", _("Here is its QR code."))


async def _places(
    session: WorkspaceSession,
    data: dict[str, Any],
    errors: dict[str, Text],
    message: Any = "",
    status: int = 200,
) -> Template:
    found = await settings.places(session)
    channels = await session.execute(select(Channel.id, Channel.name).order_by(Channel.created_at))
    offered = [(ident, name) for ident, name in channels.all()]
    return page(
        "idlink/places.html",
        status=status,
        places=[(one, settings.place_url(one)) for one in found],
        channels=offered,
        names=dict(offered),
        has_login=bool(await _logins(session)),
        data={"name": "", "channel_id": "", **data},
        errors=errors,
        message=message,
    )


@get("/id-links/places/{place_id:uuid}/qr.svg")
async def place_qr_code(session: WorkspaceSession, place_id: UUID) -> Response[bytes]:
    """Draw a place's address as a QR code, to be printed."""
    drawn = segno.make(settings.place_url(await session.one(Place, place_id)), error="m")
    svg = drawn.svg_inline(scale=8, border=4, dark="#14201d", light="#ffffff")
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(svg.encode(), media_type="image/svg+xml")


@post("/id-links/places/{place_id:uuid}/delete")
async def delete_place(session: WorkspaceSession, access: Access, place_id: UUID) -> Redirect:
    """Delete a place; its address then leads nowhere."""
    place = await session.one(Place, place_id)
    await session.delete(place)
    audit(session, access, "idlink.place_delete", place_id, name=place.name)
    return to("/id-links/places", _("The place has been deleted."))


HANDLERS = [
    show_settings,
    save_settings,
    show_preview,
    new_login_channel,
    save_login_channel,
    delete_login_channel,
    show_places,
    add_place,
    place_qr_code,
    delete_place,
]
