"""`/api/v1/id-links`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import Parameter
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.idlink import login, passes, report, service, settings
from hiiki.idlink.models import Link, LoginChannel, Place, Setting
from hiiki.idlink.schemas import (
    DayOut,
    GroupOut,
    LinkIn,
    LinkOut,
    LinkPage,
    LoginChannelIn,
    LoginChannelOut,
    NonceIn,
    NonceOut,
    PlaceIn,
    PlaceOut,
    ReportOut,
    SettingIn,
    SettingOut,
    StepOut,
)
from hiiki.kit.errors import NotFound
from hiiki.workspace.access import Access, audit

TAGS = ["id-links"]
Limit = Annotated[int, Parameter(ge=1, le=200)]
OWNER = {"role": "owner"}


@get("/id-links", tags=TAGS)
async def list_links(
    session: WorkspaceSession, q: str = "", before: UUID | None = None, limit: Limit = 50
) -> LinkPage:
    """List who is linked, the latest first; `q` is how the customer number begins."""
    found, more = await service.links(session, q, before, limit)
    return LinkPage(items=[LinkOut.of(one) for one, _who in found], next=more)


@post("/id-links", tags=TAGS)
async def create_link(session: WorkspaceSession, access: Access, data: LinkIn) -> LinkOut:
    """Link a friend with a customer number; a number that another friend has is moved."""
    done = await service.link_now(session, data.contact_id, None, data.customer, way="api")
    if done.is_new:
        audit(session, access, "idlink.link", data.contact_id, customer=done.link.customer)
    return LinkOut.of(done.link)


@get("/id-links/{contact_id:uuid}", tags=TAGS)
async def get_link(session: WorkspaceSession, contact_id: UUID) -> LinkOut:
    """Get a friend's link; 404 when they are not linked."""
    return LinkOut.of(await session.one(Link, contact_id))


@delete("/id-links/{contact_id:uuid}", tags=TAGS)
async def delete_link(session: WorkspaceSession, access: Access, contact_id: UUID) -> None:
    """Unlink a friend."""
    if not await service.unlink(session, contact_id, by="api"):
        raise NotFound()
    audit(session, access, "idlink.unlink", contact_id)


@post("/id-links/nonces", tags=TAGS)
async def create_nonce(session: WorkspaceSession, access: Access, data: NonceIn) -> NonceOut:
    """Say who has logged in on the shop's own site, before sending the browser on to LINE.

    LINE Developers, "User account linking", step 4.
    """
    made = await passes.take_nonce(session, data.customer, data.nonce, data.link_token)
    audit(session, access, "idlink.nonce")
    return NonceOut(nonce=made.nonce, url=made.url, expires_at=made.expires_at)


@get("/id-links/report", tags=TAGS)
async def get_report(
    session: WorkspaceSession,
    access: Access,
    days: Annotated[int, Parameter(ge=1, le=366)] = 28,
) -> ReportOut:
    """Get the link rate by day, source and place, and where linking breaks."""
    found = await report.report(session, access.timezone, days)
    return ReportOut(
        friends=found.friends,
        linked=found.linked,
        rate=found.rate,
        matched=found.matched,
        known=found.known,
        known_rate=found.known_rate,
        days=[DayOut(day=one.day, linked=one.linked, rate=one.rate) for one in found.days],
        sources=[_group(one) for one in found.sources],
        places=[_group(one) for one in found.places],
        funnel=[StepOut(step=name, people=count) for name, count in found.funnel.items()],
        failures=dict(found.failures),
    )


@get("/id-links/settings", tags=TAGS)
async def get_settings(session: WorkspaceSession) -> SettingOut:
    """Get how customers link; 404 while nobody has set it."""
    return SettingOut.of(await session.one(Setting, session.workspace_id))


@put("/id-links/settings", tags=TAGS)
async def update_settings(session: WorkspaceSession, access: Access, data: SettingIn) -> SettingOut:
    """Set how customers link."""
    saved = await settings.save(session, data)
    audit(session, access, "idlink.settings", method=saved.method)
    return SettingOut.of(saved)


@get("/id-links/login-channels", tags=TAGS)
async def list_login_channels(session: WorkspaceSession) -> list[LoginChannelOut]:
    """List the LINE Login channels."""
    found = await session.scalars(select(LoginChannel).order_by(LoginChannel.created_at))
    return [LoginChannelOut.of(one) for one in found]


@put("/id-links/login-channels", tags=TAGS, opt=OWNER)
async def save_login_channel(
    session: WorkspaceSession, access: Access, data: LoginChannelIn
) -> LoginChannelOut:
    """Set an official account's LINE Login channel; LINE is asked whether the secret fits."""
    saved = await login.save(session, data)
    audit(session, access, "idlink.login_channel", saved.id, line_channel_id=saved.line_channel_id)
    return LoginChannelOut.of(saved)


@delete("/id-links/login-channels/{login_channel_id:uuid}", tags=TAGS, opt=OWNER)
async def delete_login_channel(
    session: WorkspaceSession, access: Access, login_channel_id: UUID
) -> None:
    """Forget a LINE Login channel."""
    await session.delete(await session.one(LoginChannel, login_channel_id))
    audit(session, access, "idlink.login_channel_delete", login_channel_id)


@get("/id-links/places", tags=TAGS)
async def list_places(session: WorkspaceSession) -> list[PlaceOut]:
    """List the places where customers are asked to link."""
    return [PlaceOut.of(one, settings.place_url(one)) for one in await settings.places(session)]


@post("/id-links/places", tags=TAGS)
async def create_place(session: WorkspaceSession, access: Access, data: PlaceIn) -> PlaceOut:
    """Add a place."""
    made = await settings.add_place(session, data)
    audit(session, access, "idlink.place_create", made.id, name=made.name)
    return PlaceOut.of(made, settings.place_url(made))


@delete("/id-links/places/{place_id:uuid}", tags=TAGS)
async def delete_place(session: WorkspaceSession, access: Access, place_id: UUID) -> None:
    """Delete a place; its address then leads nowhere."""
    place = await session.one(Place, place_id)
    await session.delete(place)
    audit(session, access, "idlink.place_delete", place_id, name=place.name)


def _group(one: report.Group) -> GroupOut:
    return GroupOut(name=one.name, friends=one.friends, linked=one.linked, rate=one.rate)


HANDLERS = [
    list_links,
    create_link,
    get_link,
    delete_link,
    create_nonce,
    get_report,
    get_settings,
    update_settings,
    list_login_channels,
    save_login_channel,
    delete_login_channel,
    list_places,
    create_place,
    delete_place,
]
