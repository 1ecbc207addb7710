"""Linking a LINE friend with the shop's customer number, and taking that back.

To link is to say that the friend and the member whom the shop's own systems know by a number
are one person: the number becomes an identity of the friend, and what is known of the member
(imported data, purchases) becomes the friend's (`hiiki.contacts.merging`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from hiiki.actions.context import Context
from hiiki.contacts.identities import Keys, attach, detach, normal, resolve
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import WorkspaceSession
from hiiki.idlink.models import Link, Reward, Setting
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import ActionContext

FAILURES: dict[str, Text] = {
    "wrong": _("Number and check did not match"),
    "too_many": _("Too many tries"),
    "taken": _("The number is linked with another LINE account"),
    "other": _("The LINE account is linked with another number"),
    "not_friend": _("Not a friend of the account"),
    "denied": _("Cancelled the log-in at LINE"),
    "login_failed": _("The log-in at LINE did not work"),
    "line_down": _("LINE did not answer"),
    "expired": _("Took too long"),
}
"""Why a linking broke: the subject of `id_link_fail` → what staff read."""


class Refused(Conflict):
    """It cannot be linked; `reason` is one of `FAILURES`."""

    def __init__(self, reason: str) -> None:
        super().__init__(FAILURES[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Linked:
    """What became of linking."""

    link: Link
    is_new: bool
    """False when the two were linked already."""


async def setting_of(session: WorkspaceSession) -> Setting | None:
    """Return how this workspace links its customers; None when that was never set."""
    return await session.get(Setting, session.workspace_id)


async def link(
    context: ActionContext,
    customer: str,
    *,
    way: str,
    place: str = "",
    may_move: bool = False,
    thanks: Sequence[dict[str, Any]] = (),
) -> Linked:
    """Link the context's contact with the shop's customer of this number.

    Records `id_link` and, when neither the person nor the number has had it before, runs the
    incentive. `may_move` takes the number from another LINE account that has it. `thanks` is
    said for a new link, ahead of all that follows from it. Raises `Refused` ("taken", "other",
    "not_friend") before anything is written.
    """
    session: WorkspaceSession = context.session
    contact_id = context.contact_id
    customer = plain_number(customer)
    await _lock(session, f"number:{customer}", f"contact:{contact_id}")
    known = await session.get(Link, contact_id, populate_existing=True)
    if known is not None:
        if known.customer != customer:
            raise Refused("other")
        return Linked(known, is_new=False)
    if not await _is_line_friend(session, contact_id):
        raise Refused("not_friend")
    await _take_number(session, contact_id, customer, may_move=may_move)
    made = Link(
        contact_id=contact_id,
        customer=customer,
        way=way,
        place=place,
        channel_id=context.channel_id,
        linked_at=now(),
    )
    session.add(made)
    await session.flush()
    if thanks:
        context.say(thanks, "id_link")
    await context.emit("id_link", subject=place, data={"way": way})
    if await _is_first(session, contact_id, customer):
        setting = await setting_of(session)
        await context.run(setting.rewards if setting else [], origin="id_link")
    return Linked(made, is_new=True)


async def _take_number(
    session: WorkspaceSession, contact_id: UUID, customer: str, *, may_move: bool
) -> None:
    """Make the number this person's, with the member who has had it; raises `Refused`."""
    [owner] = await resolve(session, [Keys(customer=customer)], create=False)
    if owner == contact_id:
        return
    if owner is not None and await _is_line_friend(session, owner):
        if not may_move:
            raise Refused("taken")
        if not await unlink(session, owner, by="moved"):
            await detach(session, owner, "customer", customer)
        owner = None
    if owner is None:
        await attach(session, contact_id, Keys(customer=customer))
    else:
        await merge(session, contact_id, owner)


async def link_now(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID | None, customer: str, **how: str
) -> Linked:
    """Link as `link` does, from a page or the API; an open question to moving is a no.

    Raises `NotFound` and `Refused`. Staff and programs know what they do: they move numbers.
    """
    await session.one(Contact, contact_id)
    way = how.get("way", "staff")
    setting = await setting_of(session)
    context = Context(session, contact_id, channel_id or await channel_of(session, contact_id))
    done = await link(
        context,
        customer,
        way=way,
        place=how.get("place", ""),
        may_move=way in ("staff", "api") or (setting is not None and setting.moves),
    )
    await context.close()
    return done


async def unlink(
    session: WorkspaceSession,
    contact_id: UUID,
    *,
    by: str,
    within: ActionContext | None = None,
) -> bool:
    """Take a link back; False when there was none. `by`: customer, staff, api or moved.

    What has been joined stays; what is bought under the number from now on is no longer the
    friend's, though an order names an address of theirs (`contacts.models.Parted`). `within` is
    the event that is being handled, if one is. LINE: "You must let users unlink accounts at all
    times" ("User account linking").
    """
    gone = await session.get(Link, contact_id, with_for_update=True, populate_existing=True)
    if gone is None:
        return False
    await detach(session, contact_id, "customer", gone.customer)
    await session.delete(gone)
    await session.flush()
    context = within or Context(session, contact_id, gone.channel_id)
    await context.emit("id_unlink", subject=by)
    if within is None:
        await context.close()
    return True


async def fail(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID | None, reason: str
) -> None:
    """Record that a linking broke, and why (`FAILURES`); rules may help with it."""
    context = Context(session, contact_id, channel_id)
    await context.emit("id_link_fail", subject=reason)
    await context.close()


async def channel_of(session: WorkspaceSession, contact_id: UUID) -> UUID | None:
    """Return the account that a person follows, the one where they were seen last."""
    return await session.scalar(
        select(Friendship.channel_id)
        .where(Friendship.contact_id == contact_id, Friendship.status == "following")
        .order_by(Friendship.last_seen_at.desc().nulls_last(), Friendship.channel_id)
        .limit(1)
    )


async def friendship(
    session: WorkspaceSession, contact_id: UUID, channel_id: UUID | None
) -> Friendship | None:
    """Return a person's standing with an account."""
    if channel_id is None:
        return None
    return await session.get(Friendship, (contact_id, channel_id))


async def links(
    session: WorkspaceSession, search: str = "", before: UUID | None = None, limit: int = 50
) -> tuple[Sequence[tuple[Link, Contact]], UUID | None]:
    """Return who is linked, the latest first, and the contact to go on from.

    `search` is a customer number's beginning. Raises `NotFound` for an unknown `before`.
    """
    query = (
        select(Link, Contact)
        .join(Contact, Contact.id == Link.contact_id)
        .order_by(Link.linked_at.desc(), Link.contact_id.desc())
        .limit(limit + 1)
    )
    if search.strip():
        query = query.where(Link.customer.istartswith(search.strip(), autoescape=True))
    if before is not None:
        last = await session.one(Link, before)
        query = query.where(
            tuple_(Link.linked_at, Link.contact_id) < (last.linked_at, last.contact_id)
        )
    found = [(one, who) for one, who in (await session.execute(query)).all()]
    return found[:limit], found[limit - 1][0].contact_id if len(found) > limit else None


async def _is_line_friend(session: WorkspaceSession, contact_id: UUID) -> bool:
    found = await session.scalar(
        select(func.count()).where(Friendship.contact_id == contact_id).select_from(Friendship)
    )
    return bool(found)


async def _is_first(session: WorkspaceSession, contact_id: UUID, customer: str) -> bool:
    """True once for a person and once for a number; both are locked by who asks."""
    had = await session.scalar(
        select(Reward.contact_id).where(Reward.customer == customer).limit(1)
    )
    made = await session.scalars(
        insert(Reward)
        .values(
            workspace_id=session.workspace_id,
            contact_id=contact_id,
            customer=customer,
            at=now(),
        )
        .on_conflict_do_nothing()
        .returning(Reward.contact_id),
        execution_options={"scoped_by_hand": True},
    )
    return made.first() is not None and had is None


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 4))")


async def _lock(session: WorkspaceSession, *names: str) -> None:
    for name in sorted(names):
        await session.execute(
            _LOCK,
            {"name": f"idlink:{session.workspace_id}:{name}"},
            execution_options={"scoped_by_hand": True},
        )


def plain_number(customer: str) -> str:
    """Return a customer number in the form in which numbers are compared; raises `Invalid`."""
    found = normal(Keys(customer=customer))
    if not found:
        raise Invalid(fields={"customer": _("Please fill this in.")})
    return found[0][1]


def masked(customer: str) -> str:
    """Return a number of which only the end can be read, for the customer's own page."""
    shown = min(3, len(customer) // 2)
    return "•" * (len(customer) - shown) + (customer[-shown:] if shown else "")
