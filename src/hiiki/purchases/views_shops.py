"""Console pages: the shop systems that post orders here, and what could not be handled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.purchases import posts, reactions, shopify, shops
from hiiki.purchases.models import Connection, Setting
from hiiki.purchases.schemas import SettingBody
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
SHOWN = 5
"""Faults of one post that are shown at once."""
OWNER = {"role": "owner"}
HERE = "/purchases/shops"
_EMPTY: dict[str, Any] = {
    "name": "",
    "kind": "shopify",
    "secret": "",
    "source": "",
    "prefix": "",
    "is_active": True,
}


@get(HERE)
async def list_shops(session: WorkspaceSession) -> Template:
    """List the connected systems, what failed, and from when on an order is history."""
    return await _list(session, None, {})


async def _list(
    session: WorkspaceSession, typed: dict[str, Any] | None, errors: dict[str, Text]
) -> Template:
    connections = await shops.all_connections(session)
    decided: Setting = await reactions.setting(session)
    failed = await posts.failed(session)
    plain = {"fresh_hours": decided.fresh_hours, "cart_hours": decided.cart_hours}
    return page(
        "purchases/shops.html",
        status=422 if errors else 200,
        connections=connections,
        names={one.id: one.name for one in connections},
        counts=await posts.counts(session),
        failed=failed,
        kinds=shops.KINDS,
        data=typed or plain,
        errors=errors,
        faults={post.id: posts.faults(post) for post in failed},
        shown=SHOWN,
    )


@post(f"{HERE}/settings")
async def save_settings(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Set from when on an order is history, and a cart left."""
    data = await form_data(request)
    try:
        given = parse(SettingBody, data)
    except Invalid as error:
        typed = {name: data.get(name, "") for name in ("fresh_hours", "cart_hours")}
        return await _list(session, typed, error.fields)
    await reactions.decide(session, given.fresh_hours, given.cart_hours)
    audit(session, access, "purchases.settings", **given.model_dump())
    return to(HERE, _("Saved."))


@get(f"{HERE}/new", opt=OWNER)
async def new_shop() -> Template:
    """Show an empty form."""
    return _form(None, dict(_EMPTY), {})


@post(f"{HERE}/new", opt=OWNER)
async def connect_shop(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Connect a system, and say its address and secret."""
    data = await form_data(request)
    try:
        made = await shops.create(session, parse(shops.ConnectionIn, data))
    except HiikiError as error:
        return _form(None, {**_EMPTY, **data}, error.fields, error.message)
    audit(session, access, "purchases.shop_connect", made.connection.id, name=made.connection.name)
    return page(
        "purchases/shop_made.html",
        connection=made.connection,
        secret="" if made.connection.kind == "shopify" else made.secret,
        address=shops.address(made.connection),
        topics=shopify.topics(),
    )


@get(f"{HERE}/{{connection_id:uuid}}", opt=OWNER)
async def edit_shop(session: WorkspaceSession, connection_id: UUID) -> Template:
    """Show a system in its form, with its address."""
    connection = await session.one(Connection, connection_id)
    data = {
        name: getattr(connection, name)
        for name in ("name", "kind", "source", "prefix", "is_active")
    }
    return _form(connection, {**_EMPTY, **data}, {})


@post(f"{HERE}/{{connection_id:uuid}}", opt=OWNER)
async def save_shop(
    request: AnyRequest, session: WorkspaceSession, access: Access, connection_id: UUID
) -> Redirect | Template:
    """Change a system."""
    connection = await session.one(Connection, connection_id)
    data = await form_data(request)
    try:
        given = parse(shops.ConnectionIn, {**data, "kind": connection.kind})
        await shops.change(session, connection_id, given)
    except Invalid as error:
        typed = {**_EMPTY, **data, "kind": connection.kind, "source": connection.source}
        return _form(connection, typed, error.fields)
    audit(session, access, "purchases.shop_update", connection_id, name=given.name)
    return to(HERE, _("Saved."))


@post(f"{HERE}/{{connection_id:uuid}}/delete", opt=OWNER)
async def delete_shop(session: WorkspaceSession, access: Access, connection_id: UUID) -> Redirect:
    """Disconnect a system; its orders stay."""
    connection = await session.one(Connection, connection_id)
    audit(session, access, "purchases.shop_delete", connection_id, name=connection.name)
    await session.delete(connection)
    return to(HERE, _("The system has been disconnected. Its orders stay."))


@post(f"{HERE}/posts/{{post_id:uuid}}/run")
async def run_again(session: WorkspaceSession, access: Access, post_id: UUID) -> Redirect:
    """Have a post that failed handled once more."""
    await posts.run_again(session, post_id)
    audit(session, access, "purchases.post_run", post_id)
    return to(HERE, _("It is being handled again."))


@post(f"{HERE}/posts/{{post_id:uuid}}/dismiss")
async def dismiss(session: WorkspaceSession, access: Access, post_id: UUID) -> Redirect:
    """Leave a post unhandled."""
    await posts.dismiss(session, post_id)
    audit(session, access, "purchases.post_dismiss", post_id)
    return to(HERE, _("It has been dismissed."))


def _form(
    connection: Connection | None,
    data: dict[str, Any],
    errors: dict[str, Text],
    message: Text | str = "",
) -> Template:
    return page(
        "purchases/shop.html",
        status=422 if errors or message else 200,
        connection=connection,
        address=shops.address(connection) if connection else "",
        topics=shopify.topics(),
        header=shops.SIGNATURES[connection.kind] if connection else "",
        kinds=shops.KINDS,
        data=data,
        errors=errors,
        message=message,
    )


HANDLERS = [
    list_shops,
    save_settings,
    new_shop,
    connect_shop,
    edit_shop,
    save_shop,
    delete_shop,
    run_again,
    dismiss,
]
