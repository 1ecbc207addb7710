"""Coupons: giving them out exactly once, using them exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import ARRAY, Uuid, any_, func, literal, or_, select, text, update
from sqlalchemy.orm import Session, make_transient_to_detached

from hiiki.content.links import base_url
from hiiki.content.service import coupon_message
from hiiki.coupons.models import Coupon, Issue
from hiiki.coupons.schemas import CouponIn
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import code, uuid7
from hiiki.kit.road import ActionContext, Card, road
from hiiki.workspace.models import Workspace

CODE_LENGTH = 12


class SoldOut(Conflict):
    """The stock is used up."""

    default = _("All of these coupons have been given out.")


class Ended(Conflict):
    """It is switched off, or its last day has passed."""

    default = _("This coupon is no longer given out.")


class UsedBefore(Conflict):
    """Somebody has used it already."""

    default = _("This coupon has been used already.")


@dataclass(frozen=True, slots=True)
class Given:
    """What became of giving a coupon."""

    issue: Issue
    is_new: bool
    """False when the same cause had granted it already."""


@dataclass(frozen=True, slots=True)
class Used:
    """What became of using one."""

    issue: Issue
    is_new: bool
    """False when it had been used before; `issue.used_at` says when."""


def page_url(issue_code: str) -> str:
    """Return the public address of one person's coupon."""
    return f"{base_url()}/c/{issue_code}"


def plain_code(typed: str) -> str:
    """Return a code as it is stored, from one that was read aloud and typed in groups."""
    return typed.lower().replace(" ", "").replace("-", "")


def benefit_text(coupon: Coupon) -> Text:
    """Return what it gives, such as "10% off"."""
    match coupon.benefit:
        case "percent":
            return _("%(amount)s%% off", amount=coupon.amount)
        case "yen":
            return _("¥%(amount)s off", amount=f"{coupon.amount or 0:,}")
        case _:
            return _("A gift")


async def create(session: WorkspaceSession, data: CouponIn) -> Coupon:
    """Make a coupon; raises `Invalid`."""
    coupon = Coupon(issued=0)
    _fill(coupon, data)
    session.add(coupon)
    await session.flush()
    return coupon


async def change(session: WorkspaceSession, coupon_id: UUID, data: CouponIn) -> Coupon:
    """Change a coupon; what people already hold keeps its own expiry. Raises `Invalid`."""
    coupon = await session.get(Coupon, coupon_id, with_for_update=True, populate_existing=True)
    if coupon is None:
        raise NotFound()
    if data.stock is not None and data.stock < coupon.issued:
        raise Invalid(
            fields={
                "stock": _(
                    "%(issued)s have been given out already: please enter that or more.",
                    issued=coupon.issued,
                )
            }
        )
    _fill(coupon, data)
    await session.flush()
    return coupon


def _fill(coupon: Coupon, data: CouponIn) -> None:
    changed = data.valid_until != coupon.valid_until
    if data.valid_until is not None and changed and data.valid_until <= now():
        raise Invalid(fields={"valid_until": _("This day has passed. Please choose a later one.")})
    for name, value in data.model_dump().items():
        setattr(coupon, name, value)


async def delete(session: WorkspaceSession, coupon_id: UUID) -> None:
    """Delete a coupon that nobody holds and nothing uses; raises `Conflict`."""
    coupon = await session.get(Coupon, coupon_id, with_for_update=True, populate_existing=True)
    if coupon is None:
        raise NotFound()
    if coupon.issued:
        raise Conflict(
            _("People hold this coupon, so it is kept. You can stop giving it out instead.")
        )
    usages = await road().usages(session, "coupon", coupon_id)
    if usages:
        raise Conflict(
            _("This coupon is in use: %(places)s.", places=", ".join(u.label for u in usages[:5]))
        )
    await session.delete(coupon)


async def give(
    session: WorkspaceSession,
    coupon_id: UUID,
    contact_id: UUID,
    channel_id: UUID | None,
    grant_key: str,
) -> Given:
    """Put one coupon into a contact's hands, once for each `grant_key` (requirement A2).

    The stock is never exceeded, however many ask at once. Raises `NotFound`, `SoldOut` or
    `Ended`; then nothing is written. It records no event: `granted` does.
    """
    held = await _held(session, coupon_id, contact_id, grant_key)
    if held is not None:
        return Given(held, is_new=False)
    coupon = await session.known(Coupon, coupon_id)
    if not coupon.is_active or (coupon.valid_until is not None and coupon.valid_until <= now()):
        raise Ended()
    has_stock = coupon.stock is not None
    if has_stock and not await _take(session, coupon_id):
        # The same cause may just have granted it on another worker, and it was the last.
        held = await _issued(session, coupon_id, contact_id, grant_key)
        if held is None:
            raise SoldOut()
        return Given(held, is_new=False)
    issue = Issue(
        workspace_id=session.workspace_id,
        id=uuid7(),
        contact_id=contact_id,
        coupon_id=coupon_id,
        channel_id=channel_id,
        grant_key=grant_key,
        code=code(CODE_LENGTH),
        issued_at=now(),
        expires_at=expiry(coupon, now()),
        used_at=None,
    )
    columns = {name: getattr(issue, name) for name in _COLUMNS}
    if await session.apart(_ISSUE, columns) is None:
        # The same cause, at the same moment, on another worker: it was first.
        if has_stock:
            session.gather(_count, (coupon_id, -1))
        held = await _issued(session, coupon_id, contact_id, grant_key)
        assert held is not None
        return Given(held, is_new=False)
    if not has_stock:
        session.gather(_count, (coupon_id, 1))
    make_transient_to_detached(issue)
    session.add(issue)  # a row of the session, as if it had been read
    return Given(issue, is_new=True)


_COLUMNS = tuple(column.name for column in Issue.__table__.columns)
_ISSUE = text(
    f"""
    insert into coupons.issue ({", ".join(_COLUMNS)})
    values ({", ".join(f":{name}" for name in _COLUMNS)})
    on conflict (coupon_id, contact_id, grant_key) do nothing returning id
    """  # noqa: S608 — put together of the table's own columns
)


async def _take(session: WorkspaceSession, coupon_id: UUID) -> bool:
    """Take one off the stock; False when nothing is left or it was switched off just now."""
    taken = await session.execute(
        update(Coupon)
        .where(
            Coupon.id == coupon_id,
            Coupon.is_active,
            or_(Coupon.stock.is_(None), Coupon.issued < Coupon.stock),
        )
        .values(issued=Coupon.issued + 1)
        .returning(Coupon.issued)
        .execution_options(synchronize_session=False)
    )
    return taken.first() is not None


def _count(session: Session, given: list[tuple[UUID, int]]) -> None:
    """Count what was given of coupons without a stock: late, for the row is everybody's."""
    counts: Counter[UUID] = Counter()
    for coupon_id, number in given:
        counts[coupon_id] += number
    for coupon_id in sorted(counts):
        session.execute(
            update(Coupon)
            .where(Coupon.id == coupon_id)
            .values(issued=Coupon.issued + counts[coupon_id])
            .execution_options(synchronize_session=False)
        )


async def granted(context: ActionContext, issue: Issue, *, say: bool) -> None:
    """Record that a contact got a coupon, and tell them if `say`."""
    session: WorkspaceSession = context.session
    coupon = await session.known(Coupon, issue.coupon_id)
    if say:
        context.say(await issue_message(session, coupon, issue), f"coupon:{coupon.id}")
    await context.emit(
        "coupon_issue",
        subject=coupon.id,
        value=coupon.amount,
        data={"issue": str(issue.id), "grant": issue.grant_key},
    )


async def use(session: WorkspaceSession, issue_code: str) -> Used:
    """Use a coupon, once; raises `NotFound`, or `Ended` when it has expired."""
    at = now()
    done = await session.execute(
        update(Issue)
        .where(
            Issue.code == issue_code,
            Issue.used_at.is_(None),
            or_(Issue.expires_at.is_(None), Issue.expires_at > at),
        )
        .values(used_at=at)
        .returning(Issue.id)
        .execution_options(synchronize_session=False)
    )
    is_new = done.first() is not None
    issue = await session.scalar(
        select(Issue).where(Issue.code == issue_code).execution_options(populate_existing=True)
    )
    if issue is None:
        raise NotFound()
    if not is_new:
        if issue.used_at is None:
            raise Ended(_("This coupon has expired."))
        return Used(issue, is_new=False)
    coupon = await session.one(Coupon, issue.coupon_id)
    await road().emit(
        session,
        issue.contact_id,
        issue.channel_id,
        "coupon_use",
        subject=coupon.id,
        value=coupon.amount,
        data={"issue": str(issue.id), "grant": issue.grant_key},
    )
    return Used(issue, is_new=True)


async def find(session: WorkspaceSession, coupon_id: UUID, issue_code: str) -> Issue:
    """Return the issue of this coupon with this code; raises `NotFound`."""
    found = await session.scalar(
        select(Issue).where(Issue.coupon_id == coupon_id, Issue.code == issue_code)
    )
    if found is None:
        raise NotFound(_("No coupon of this kind has this code. Please check it."))
    return found


def expiry(coupon: Coupon, at: datetime) -> datetime | None:
    """Return when a coupon got at `at` expires; None for never."""
    ends = [
        end
        for end in (
            coupon.valid_until,
            at + timedelta(days=coupon.valid_days) if coupon.valid_days else None,
        )
        if end is not None
    ]
    return min(ends) if ends else None


def until(moment: datetime, timezone: str, locale: str) -> str:
    """Return the last day on which something that ends at `moment` is good."""
    last = (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(timezone))
    return format_date(last.date(), format="long", locale=locale)


async def card(session: WorkspaceSession, coupon_id: UUID) -> Card:
    """Return how a coupon stands in a message to many; raises `NotFound`."""
    coupon = await session.one(Coupon, coupon_id)
    if not coupon.is_active:
        raise NotFound(_("This coupon is no longer given out."))
    workspace = await _workspace(session)
    text = ""
    if coupon.valid_until is not None:
        text = _(
            "Until %(day)s", day=until(coupon.valid_until, workspace.timezone, workspace.locale)
        )
        text = text.to(workspace.locale)
    elif coupon.valid_days is not None:
        text = _("For %(days)s days after you get it", days=coupon.valid_days).to(workspace.locale)
    return Card(
        label=_("Coupon").to(workspace.locale),
        title=coupon.title,
        highlight=benefit_text(coupon).to(workspace.locale),
        text=text,
        button=_("Get the coupon").to(workspace.locale),
        path=f"/c/claim/{coupon.id}",
    )


async def issue_message(
    session: WorkspaceSession, coupon: Coupon, issue: Issue
) -> list[dict[str, Any]]:
    """Return the message by which somebody learns that they have a coupon."""
    workspace = await _workspace(session)
    text = ""
    if issue.expires_at is not None:
        day = until(issue.expires_at, workspace.timezone, workspace.locale)
        text = _("Until %(day)s", day=day).to(workspace.locale)
    shown = Card(
        label=_("Coupon").to(workspace.locale),
        title=coupon.title,
        highlight=benefit_text(coupon).to(workspace.locale),
        text=text,
        button=_("Open the coupon").to(workspace.locale),
        path="",
    )
    return [coupon_message(shown, page_url(issue.code))]


async def sold_out_message(session: WorkspaceSession) -> list[dict[str, Any]]:
    """Return what somebody is told for whom no coupon was left."""
    workspace = await _workspace(session)
    said = _("We are sorry: all of these coupons have been given out.").to(workspace.locale)
    return [{"type": "text", "text": said}]


async def used_counts(session: WorkspaceSession, coupon_ids: list[UUID]) -> dict[UUID, int]:
    """Return how many of each coupon have been used."""
    rows = await session.execute(
        select(Issue.coupon_id, func.count())
        .where(Issue.coupon_id.in_(coupon_ids), Issue.used_at.is_not(None))
        .group_by(Issue.coupon_id)
    )
    return dict(rows.all())


async def _held(
    session: WorkspaceSession, coupon_id: UUID, contact_id: UUID, grant_key: str
) -> Issue | None:
    """Return what a person holds of a coupon for a cause, as it was known a moment ago."""

    async def ask(contact_ids: Sequence[UUID]) -> dict[UUID, Issue]:
        issues = await session.scalars(
            select(Issue).where(
                Issue.coupon_id == coupon_id,
                Issue.contact_id == any_(literal(list(contact_ids), ARRAY(Uuid()))),
                Issue.grant_key == grant_key,
            )
        )
        return {issue.contact_id: issue for issue in issues}

    return await session.ahead(("issue", coupon_id, grant_key), contact_id, ask)


async def _issued(
    session: WorkspaceSession, coupon_id: UUID, contact_id: UUID, grant_key: str
) -> Issue | None:
    """Return what a person holds of a coupon for a cause by now."""
    return await session.scalar(
        select(Issue).where(
            Issue.coupon_id == coupon_id,
            Issue.contact_id == contact_id,
            Issue.grant_key == grant_key,
        )
    )


async def _workspace(session: WorkspaceSession) -> Workspace:
    return await session.known(Workspace, session.workspace_id)
