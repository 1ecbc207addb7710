"""`/api/v1/coupons`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import delete, get, post, put
from litestar.params import Parameter

from hiiki.coupons import listing, service
from hiiki.coupons.actions import give_by_hand
from hiiki.coupons.models import Coupon, Issue
from hiiki.coupons.schemas import (
    CouponIn,
    CouponOut,
    CouponPage,
    IssueIn,
    IssueOut,
    IssuePage,
    UseIn,
)
from hiiki.db import WorkspaceSession
from hiiki.workspace.access import Access, audit

TAGS = ["coupons"]
Limit = Annotated[int, Parameter(ge=1, le=200)]


@get("/coupons", tags=TAGS)
async def list_coupons(
    session: WorkspaceSession, q: str = "", before: UUID | None = None, limit: Limit = 50
) -> CouponPage:
    """List coupons, newest first; `q` is a part of the title."""
    found, more = await listing.coupons(session, q, before, limit)
    used = await service.used_counts(session, [one.id for one in found])
    return CouponPage(items=[CouponOut.of(one, used.get(one.id, 0)) for one in found], next=more)


@post("/coupons", tags=TAGS)
async def create_coupon(session: WorkspaceSession, access: Access, data: CouponIn) -> CouponOut:
    """Make a coupon."""
    made = await service.create(session, data)
    audit(session, access, "coupons.create", made.id, title=made.title)
    return CouponOut.of(made, 0)


@get("/coupons/{coupon_id:uuid}", tags=TAGS)
async def get_coupon(session: WorkspaceSession, coupon_id: UUID) -> CouponOut:
    """Get one coupon."""
    return await _out(session, await session.one(Coupon, coupon_id))


@put("/coupons/{coupon_id:uuid}", tags=TAGS)
async def update_coupon(
    session: WorkspaceSession, access: Access, coupon_id: UUID, data: CouponIn
) -> CouponOut:
    """Change a coupon."""
    changed = await service.change(session, coupon_id, data)
    audit(session, access, "coupons.update", coupon_id, title=changed.title)
    await session.refresh(changed)
    return await _out(session, changed)


@delete("/coupons/{coupon_id:uuid}", tags=TAGS)
async def delete_coupon(session: WorkspaceSession, access: Access, coupon_id: UUID) -> None:
    """Delete a coupon that nobody holds and nothing uses."""
    await service.delete(session, coupon_id)
    audit(session, access, "coupons.delete", coupon_id)


@get("/coupons/{coupon_id:uuid}/issues", tags=TAGS)
async def list_issues(
    session: WorkspaceSession,
    coupon_id: UUID,
    q: str = "",
    before: UUID | None = None,
    limit: Limit = 50,
) -> IssuePage:
    """List who got it, the latest first; `q` is a code or a part of a name."""
    await session.one(Coupon, coupon_id)
    found, more = await listing.holders(session, coupon_id, q, before, limit)
    return IssuePage(items=[_issue(one.issue) for one in found], next=more)


@post("/coupons/{coupon_id:uuid}/issues", tags=TAGS)
async def issue_coupon(
    session: WorkspaceSession, access: Access, coupon_id: UUID, data: IssueIn
) -> IssueOut:
    """Give a contact one more, and tell them."""
    made = await give_by_hand(session, coupon_id, data.contact_id, data.channel_id)
    audit(session, access, "coupons.issue", coupon_id, contact=str(data.contact_id))
    return _issue(made)


@post("/coupons/use", tags=TAGS, status_code=200)
async def use_coupon(session: WorkspaceSession, access: Access, data: UseIn) -> IssueOut:
    """Use the coupon with this code; a second time is a conflict."""
    used = await service.use(session, service.plain_code(data.code))
    if not used.is_new:
        raise service.UsedBefore()
    audit(session, access, "coupons.use", used.issue.coupon_id, issue=str(used.issue.id))
    return _issue(used.issue)


def _issue(issue: Issue) -> IssueOut:
    return IssueOut.of(issue, service.page_url(issue.code))


async def _out(session: WorkspaceSession, coupon: Coupon) -> CouponOut:
    used = await service.used_counts(session, [coupon.id])
    return CouponOut.of(coupon, used.get(coupon.id, 0))


HANDLERS = [
    list_coupons,
    create_coupon,
    get_coupon,
    update_coupon,
    delete_coupon,
    list_issues,
    issue_coupon,
    use_coupon,
]
