"""Carts: what somebody has put into one, left there, or bought after all (requirement B7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text

from hiiki.actions.context import Context
from hiiki.contacts.identities import Keys, resolve
from hiiki.content.opening import channel_of
from hiiki.db import WorkspaceSession
from hiiki.db.locking import lockable
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.purchases import reactions
from hiiki.purchases.models import Cart
from hiiki.purchases.orders import derived, event_id
from hiiki.purchases.writing import Version, run
from hiiki.timeline import Event
from hiiki.timeline.service import keep, retract

FORGOTTEN = timedelta(days=7)
"""A cart that has not changed for so long is history: nobody is reminded of it any more."""
AT_ONCE = 200

_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:cart, 0))")
_BOUGHT = text(
    """
    update purchases.cart c set status = 'bought', order_id = k.order_id
    from unnest(cast(:contacts as uuid[]), cast(:orders as uuid[]), cast(:moments as timestamptz[]))
        as k(contact_id, order_id, at)
    where c.workspace_id = :workspace_id and c.contact_id = k.contact_id
      and c.status in ('open', 'left') and c.opened_at <= k.at
    """
)
_BOUGHT_BY_KEY = text(
    """
    update purchases.cart c set status = 'bought', order_id = k.order_id
    from unnest(cast(:carts as uuid[]), cast(:orders as uuid[])) as k(id, order_id)
    where c.workspace_id = :workspace_id and c.id = k.id and c.status <> 'bought'
    """
)


@dataclass(frozen=True, slots=True)
class CartIn:
    """A cart as it stands now in the shop's system. `(source, key)` says which it is."""

    source: str
    key: str
    keys: Keys
    amount: Decimal
    items: Sequence[dict[str, Any]] = ()
    """Its lines, as JSON takes them: product, name, quantity, amount."""
    url: str = ""
    status: str = "open"
    """open, left (the shop's system says so itself), bought or emptied."""
    at: datetime | None = None
    """When it changed; None: now."""


def cart_id(workspace_id: UUID, source: str, key: str) -> UUID:
    """Return the id of the cart that `source` calls `key`."""
    return derived(workspace_id, "cart", f"{source}:{key}")


async def put(session: WorkspaceSession, data: CartIn) -> Cart:
    """Take a cart as it stands now; raises `Invalid` when it is nobody's.

    What is older than what is known changes nothing, and what has been bought stays bought.
    """
    ident = cart_id(session.workspace_id, data.source, data.key)
    await run(session, _HOLD, cart=str(ident))
    [contact_id] = await resolve(session, [data.keys])
    standing = await session.scalar(select(Cart).where(Cart.id == ident))
    contact_id = contact_id or (standing.contact_id if standing else None)
    if contact_id is None:
        raise Invalid(fields={"customer": _("Please say whose cart it is.")})
    at = data.at or now()
    if standing is not None and (standing.status == "bought" or standing.touched_at > at):
        return standing
    if standing is not None:
        await session.execute(delete(Cart).where(Cart.id == ident))
        session.expunge(standing)
        await retract(session, [(standing.contact_id, event_id(ident, 0))])
    cart = Cart(
        workspace_id=session.workspace_id,
        contact_id=contact_id,
        id=ident,
        source=data.source,
        key=data.key,
        status="open" if data.status == "left" else data.status,
        amount=data.amount,
        items=list(data.items),
        url=data.url,
        opened_at=standing.opened_at if standing else at,
        touched_at=at,
        left_at=standing.left_at if standing else None,
        order_id=None,
    )
    session.add(cart)
    await session.flush()
    event = _event(cart)
    if cart.status != "emptied":
        keep(session, event)
    if standing is None and cart.status == "open" and at >= await reactions.since(session):
        await _react(session, event)
    if data.status == "left":
        await leave(session, cart)
    return cart


def _event(cart: Cart) -> Event:
    return Event(
        workspace_id=cart.workspace_id,
        contact_id=cart.contact_id,
        id=event_id(cart.id, 0),
        at=cart.touched_at,
        channel_id=None,
        kind="cart",
        subject=cart.key,
        value=cart.amount,
        data=_about(cart),
    )


def _about(cart: Cart) -> dict[str, Any]:
    names = [str(item.get("name") or item.get("product")) for item in cart.items[:5]]
    return {"labels": names, **({"link": cart.url} if cart.url else {})}


async def _react(session: WorkspaceSession, event: Event) -> None:
    channel_id = await channel_of(session, event.contact_id, "")
    context = Context(session, event.contact_id, channel_id)
    await context.react(event)
    await context.close()


async def leave(session: WorkspaceSession, cart: Cart) -> None:
    """Note that a cart has been left, and run what waits for that unless it is long ago."""
    if cart.status != "open":
        return
    cart.status, cart.left_at = "left", now()
    await session.flush()
    if cart.touched_at < now() - FORGOTTEN:
        return
    channel_id = await channel_of(session, cart.contact_id, "")
    context = Context(session, cart.contact_id, channel_id)
    await context.emit("cart_left", subject=cart.key, value=cart.amount, data=_about(cart))
    await context.close()


async def leave_old(session: WorkspaceSession) -> int:
    """Note which carts have been left; returns how many were found, `AT_ONCE` at the most."""
    hours = (await reactions.setting(session)).cart_hours
    old = (Cart.status == "open", Cart.touched_at < now() - timedelta(hours=hours))
    found = await session.execute(
        select(Cart.contact_id, Cart.id).where(*old).order_by(Cart.touched_at).limit(AT_ONCE)
    )
    whose = {ident: contact_id for contact_id, ident in found}
    left: list[Cart] = []
    for part in await lockable(session, whose.values()):
        left += await session.scalars(
            select(Cart)
            .where(*old, Cart.contact_id.in_(part), Cart.id.in_(whose))
            .with_for_update(skip_locked=True)
        )
    left.sort(key=lambda cart: cart.touched_at)
    for cart in left:
        await leave(session, cart)
    return len(left)


async def end_by_orders(session: WorkspaceSession, added: Sequence[Version]) -> None:
    """Note that carts were bought: those of which an order was made, and its buyer's others."""
    bought = [one.order for one in added if one.order["status"] in ("open", "paid")]
    if not bought:
        return
    await run(
        session,
        _BOUGHT,
        contacts=[order["contact_id"] for order in bought],
        orders=[order["id"] for order in bought],
        moments=[order["at"] for order in bought],
    )
    named = [order for order in bought if order["cart"]]
    if named:
        await run(
            session,
            _BOUGHT_BY_KEY,
            carts=[
                cart_id(session.workspace_id, order["source"], order["cart"]) for order in named
            ],
            orders=[order["id"] for order in named],
        )
