"""The action `coupon_issue`, and giving a coupon by hand."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from pydantic import BaseModel, Field

from hiiki.actions.context import Context
from hiiki.contacts.models import Contact
from hiiki.content.opening import channel_of
from hiiki.coupons import service
from hiiki.coupons.models import Issue
from hiiki.db import WorkspaceSession
from hiiki.kit.road import ActionContext


class IssueParams(BaseModel):
    """Which coupon."""

    coupon_id: Annotated[UUID, Field(json_schema_extra={"picker": "coupon"})]


async def issue(context: ActionContext, params: IssueParams) -> None:
    """Give the contact a coupon, once for each cause, and tell them.

    Raises `NotFound` or `Ended`, which the runner records for staff to see.
    """
    try:
        given = await service.give(
            context.session,
            params.coupon_id,
            context.contact_id,
            context.channel_id,
            grant_key_of(context),
        )
    except service.SoldOut:
        context.say(await service.sold_out_message(context.session))
        return
    if given.is_new:
        await service.granted(context, given.issue, say=True)


def grant_key_of(context: ActionContext) -> str:
    """Return what a coupon is granted for: the same survey, or event about the same thing, once."""
    cause = context.cause
    if cause is None:
        return f"manual:{uuid4()}"
    if str(cause.kind).startswith("survey_"):
        return f"survey:{cause.subject}"
    return f"{cause.kind}:{cause.subject}"


async def give_by_hand(
    session: WorkspaceSession, coupon_id: UUID, contact_id: UUID, channel_id: UUID | None
) -> Issue:
    """Give a contact one more of a coupon, because staff want to; raises `NotFound`, `Conflict`."""
    await session.one(Contact, contact_id)
    channel_id = channel_id or await channel_of(session, contact_id, "")
    context = Context(session, contact_id, channel_id)
    given = await service.give(session, coupon_id, contact_id, channel_id, f"manual:{uuid4()}")
    await service.granted(context, given.issue, say=True)
    await context.close()
    return given.issue
