"""A customer's coupon, on the customer's phone.

The address is the key: whoever has it may show and use the coupon, as with one of paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import segno
from litestar import Request, Response, get, post
from litestar.response import Redirect, Template
from sqlalchemy import select

from hiiki.actions.context import Context
from hiiki.contacts.models import Contact
from hiiki.content import opening, tickets
from hiiki.coupons import service
from hiiki.coupons.models import Coupon, Issue
from hiiki.db import everywhere, scope
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, NotFound
from hiiki.kit.i18n import Text, current_locale
from hiiki.kit.pages import page
from hiiki.workspace.models import Workspace

_OPEN: dict[str, Any] = {"exclude_from_csrf": True}
"""Whoever knows the code may use the coupon; a forged request would have to know it too."""
_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page says."""

    shop: str
    timezone: str
    coupon: Coupon
    issue: Issue
    state: str
    """valid, used or expired."""
    benefit: Text
    until: str


async def _find(code: str) -> Shown:
    # A customer has the code and no log-in: which workspace it belongs to is in the row.
    async with everywhere() as session:
        issue = await session.scalar(select(Issue).where(Issue.code == code))
        coupon = await session.get(Coupon, issue.coupon_id) if issue else None
        workspace = await session.get(Workspace, issue.workspace_id) if issue else None
    if issue is None or coupon is None or workspace is None:
        raise NotFound()
    state = "valid"
    if issue.used_at is not None:
        state = "used"
    elif issue.expires_at is not None and issue.expires_at <= now():
        state = "expired"
    until = ""
    if issue.expires_at is not None:
        until = service.until(issue.expires_at, workspace.timezone, current_locale())
    return Shown(
        shop=workspace.name,
        timezone=workspace.timezone,
        coupon=coupon,
        issue=issue,
        state=state,
        benefit=service.benefit_text(coupon),
        until=until,
    )


def _grouped(code: str) -> str:
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def _local(moment: datetime, timezone: str) -> str:
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(timezone)).strftime("%Y/%m/%d %H:%M:%S")


def _page(shown: Shown, template: str, **more: Any) -> Template:
    used_at = shown.issue.used_at
    answer = page(
        template,
        shown=shown,
        code=_grouped(shown.issue.code),
        used_at=_local(used_at, shown.timezone) if used_at else "",
        **more,
    )
    answer.headers.update(_PRIVATE)
    return answer


@get("/c/{code:str}", opt=_OPEN)
async def show_coupon(code: str) -> Template:
    """Show a coupon, used or not."""
    return _page(await _find(code), "coupons/public.html")


@get("/c/{code:str}/qr.svg", opt=_OPEN)
async def show_qr_code(code: str) -> Response[bytes]:
    """Show the coupon's address as a QR code, for the shop to read."""
    shown = await _find(code)
    drawn = segno.make(service.page_url(shown.issue.code), error="m")
    svg = drawn.svg_inline(scale=1, border=2, omitsize=True, dark="#14201d", light="#ffffff")
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(svg.encode(), media_type="image/svg+xml", headers=_PRIVATE)


@get("/c/{code:str}/use", opt=_OPEN)
async def confirm_use(code: str) -> Template | Redirect:
    """Ask once more, in front of the shop's staff."""
    shown = await _find(code)
    if shown.state != "valid":
        return Redirect(f"/c/{code}", status_code=303)
    return _page(shown, "coupons/public_use.html")


@post("/c/{code:str}/use", opt=_OPEN)
async def use_coupon(code: str) -> Redirect:
    """Use a coupon; a second tap changes nothing."""
    shown = await _find(code)
    try:
        async with scope(shown.issue.workspace_id) as session:
            await service.use(session, code)
    except service.Ended:
        pass  # the page says that it has expired
    return Redirect(f"/c/{code}", status_code=303)


@get("/c/claim/{coupon_id:uuid}/{code:str}/{ticket:str}", opt=_OPEN)
async def claim_coupon(
    request: Request[Any, Any, Any], coupon_id: UUID, code: str, ticket: str
) -> Template | Redirect:
    """Give the recipient of a message the coupon it holds, and show it."""
    link = await opening.find(code)
    contact_id = tickets.contact_of(code, ticket)
    if link is None or contact_id is None or link.url != f"/c/claim/{coupon_id}":
        raise NotFound()
    if not opening.is_visit(request.headers):
        return page("coupons/public_preview.html")
    try:
        async with scope(link.workspace_id) as session:
            if await session.get(Contact, contact_id) is None:
                raise NotFound()
            channel_id = await opening.channel_of(session, contact_id, link.owner)
            given = await service.give(session, coupon_id, contact_id, channel_id, link.owner)
            if given.is_new:
                context = Context(session, contact_id, channel_id)
                await service.granted(context, given.issue, say=False)
                await context.close()
    except Conflict as error:
        return page("coupons/public_gone.html", message=error.message)
    return Redirect(f"/c/{given.issue.code}", status_code=303)


HANDLERS = [show_coupon, show_qr_code, confirm_use, use_coupon, claim_coupon]
