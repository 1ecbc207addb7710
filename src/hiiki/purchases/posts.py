"""What shop systems post: kept before it is answered, then handled by a worker, never lost.

What cannot be handled is tried again for a day, each time later, and then stands on the page
until somebody has it tried again or dismisses it. A body holds people's data, so it is forgotten
when it is done with.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.identities import Keys
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.db.outage import is_outage
from hiiki.jobs.keep import pause
from hiiki.kit.clock import now
from hiiki.kit.errors import BadRequest, HiikiError, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import uuid7
from hiiki.kit.road import Direct
from hiiki.purchases import carts, listing, service, shopify, shops, subscriptions
from hiiki.purchases.models import Connection, Order, Post
from hiiki.purchases.orders import LineIn, OrderIn, StoreIn
from hiiki.purchases.schemas import CartBody, OrderBody, SubscriptionBody

log = structlog.get_logger()

MAX_BODY = 2_000_000
"""Bytes. A Shopify order of 500 lines is about one million."""
EVERY = 1.0
"""Seconds between two looks for what was posted."""
AT_ONCE = 20
ATTEMPTS = 9
FIRST_WAIT = timedelta(seconds=30)
KEPT_FOR = timedelta(days=30)


class WrongSignature(HiikiError):
    """The body is not the system's, or the secret here is not the system's."""

    status = 401
    code = "wrong_signature"
    default: ClassVar[Text] = _(
        "The signature is missing, or does not fit the connection's secret."
    )


class NotYet(HiikiError):
    """It is about an order that has not come in yet."""

    status = 409
    code = "not_yet"
    default: ClassVar[Text] = _("The order that this is about has not come in yet.")


async def receive(key: str, body: bytes, header: Callable[[str], str | None]) -> None:
    """Keep what was posted; raises what the system is to be answered."""
    # Whose address it is, is in the address.
    async with everywhere() as session:
        connection = await session.scalar(select(Connection).where(Connection.key == key))
    if connection is None or not connection.is_active:
        raise NotFound()
    if not shops.is_signed(connection, body, header(shops.SIGNATURES[connection.kind])):
        raise WrongSignature()
    _json(body)
    once = header("x-shopify-webhook-id") or header("x-hiiki-id") or ""
    post = {
        "id": uuid7(),
        "workspace_id": connection.workspace_id,
        "connection_id": connection.id,
        # A digest too: the id's sender may use it again by mistake.
        "once": f"{once[:100]}:{hashlib.sha256(body).hexdigest()}",
        "topic": (header("x-shopify-topic") or "")[:100],
        "body": body,
        "state": "waiting",
        "attempts": 0,
        "due_at": now(),
        "error": "",
        "received_at": now(),
    }
    async with scope(connection.workspace_id) as session:
        await session.execute(
            insert(Post).values(post).on_conflict_do_nothing(), execution_options=_BY_HAND
        )
        await session.execute(
            update(Connection).where(Connection.id == connection.id).values(last_at=now())
        )


_BY_HAND = {"scoped_by_hand": True}
webhook = Direct(prefix="/shops/", most=MAX_BODY, take=receive)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest() from error
    if not isinstance(found, dict):
        raise BadRequest()
    return cast("dict[str, Any]", found)


# ---- handling ----


async def work(stop: asyncio.Event) -> None:
    """Handle what is posted, until `stop` is set."""
    while not stop.is_set():
        if await handle_due() == 0:
            await pause(stop, EVERY)


async def handle_due() -> int:
    """Handle what is due, a few posts of any workspaces; returns how many there were."""
    # A worker works for everybody; each post is then handled in its own workspace's scope.
    async with everywhere() as session:
        due = await session.execute(
            select(Post.id, Post.workspace_id)
            .where(Post.state == "waiting", Post.due_at <= now())
            .order_by(Post.due_at, Post.id)
            .limit(AT_ONCE)
        )
        found = due.all()
    for ident, workspace_id in found:
        await handle(workspace_id, ident)
    return len(found)


async def handle(workspace_id: UUID, ident: UUID) -> None:
    """Handle one post in a transaction of its own; what goes wrong is kept with it."""
    try:
        async with scope(workspace_id) as session:
            post = await session.scalar(
                select(Post)
                .where(Post.id == ident, Post.state == "waiting")
                .with_for_update(skip_locked=True)
            )
            if post is None:
                return  # another worker has it
            connection = await session.one(Connection, post.connection_id)
            await _take(session, connection, post)
            _forget(post, "done")
    except Exception as error:
        if is_outage(error):
            raise
        if not isinstance(error, HiikiError):
            log.exception("purchases.post_failed", post=str(ident))
        async with scope(workspace_id) as session:
            await _note(session, ident, error)


async def _note(session: WorkspaceSession, ident: UUID, error: Exception) -> None:
    post = await session.get(Post, ident, with_for_update=True)
    if post is None or post.state != "waiting":
        return
    post.attempts += 1
    post.error = _words(error)
    # A body that cannot be read will not be readable tomorrow.
    if post.attempts >= ATTEMPTS or isinstance(error, Invalid | BadRequest):
        post.state = "failed"
    else:
        post.due_at = now() + FIRST_WAIT * 4 ** min(post.attempts - 1, 5)


def _words(error: Exception) -> str:
    if not isinstance(error, HiikiError):
        return HiikiError.default.english
    parts = [f"{path}: {text.english % dict(text.values)}" for path, text in error.fields.items()]
    return "; ".join(parts) or error.message.english % dict(error.message.values)


def _forget(post: Post, state: str) -> None:
    post.state, post.body, post.error, post.done_at = state, b"", "", now()


async def _take(session: WorkspaceSession, connection: Connection, post: Post) -> None:
    body = _json(post.body)
    if connection.kind == "shopify":
        await _take_shopify(session, connection, post.topic, body)
    else:
        await _take_json(session, connection, body)


async def _take_shopify(
    session: WorkspaceSession, connection: Connection, topic: str, body: Any
) -> None:
    if topic in shopify.ORDER_TOPICS:
        order = parse(shopify.ShopifyOrder, body)
        if not order.test:
            await _take_orders(session, [order.order(connection.prefix)])
    elif topic == shopify.REFUND_TOPIC:
        refund = parse(shopify.ShopifyRefund, body)
        standing = await _by_reference(session, shopify.SOURCE, refund.order_id)
        if (changed := shopify.with_refund(standing, refund)) is not None:
            await _take_orders(session, [changed])


async def _take_json(session: WorkspaceSession, connection: Connection, body: Any) -> None:
    prefix = connection.prefix
    named = [name for name in ("orders", "carts", "subscriptions") if name in body]
    given = _Posted(orders=body) if not named else _Posted(**{name: body[name] for name in named})
    read = [parse(OrderBody, each) for each in given.listed(given.orders)]
    await _take_orders(session, [each.order(prefix) for each in read])
    for each in given.listed(given.carts):
        await carts.put(session, parse(CartBody, each).cart(prefix))
    for each in given.listed(given.subscriptions):
        await subscriptions.put(session, parse(SubscriptionBody, each).subscription(prefix))


@dataclass(frozen=True, slots=True)
class _Posted:
    """A body of JSON: an order by itself, or lists of orders, carts and subscriptions."""

    orders: Any = ()
    carts: Any = ()
    subscriptions: Any = ()

    @staticmethod
    def listed(value: Any) -> Sequence[Any]:
        """Return a list as it is, and one thing as a list of it."""
        return [value] if isinstance(value, dict) else list(value)


async def _take_orders(session: WorkspaceSession, orders: Sequence[OrderIn]) -> None:
    for taken in await service.take(session, orders):
        if taken.reason is not None:
            raise Invalid(fields={taken.field or "order": taken.reason})


async def _by_reference(session: WorkspaceSession, source: str, reference: str) -> OrderIn:
    found = await session.scalar(
        select(Order).where(Order.source == source, Order.reference == reference).limit(1)
    )
    if found is None:
        raise NotYet()
    return order_in(found, await listing.lines(session, found))


def order_in(order: Order, lines: Sequence[Any]) -> OrderIn:
    """Return an order as it stands, as if it came in so."""
    return OrderIn(
        source=order.source,
        number=order.number,
        at=order.at,
        keys=Keys(),
        status=order.status,
        currency=order.currency,
        amount=order.amount,
        discount=order.discount,
        shipping=order.shipping,
        refunds={key: Decimal(value) for key, value in order.refunds.items()},
        store=StoreIn(order.store) if order.store else None,
        lines=[LineIn(x.product, x.name, x.quantity, x.amount, x.variant) for x in lines],
        updated_at=order.updated_at,
        reference=order.reference,
        cart=order.cart,
        subscription=order.subscription,
    )


# ---- what staff see of it ----


async def failed(session: WorkspaceSession, limit: int = 50) -> list[Post]:
    """Return what could not be handled, or waits to be tried again, the latest first."""
    found = await session.scalars(
        select(Post)
        .where((Post.state == "failed") | ((Post.state == "waiting") & (Post.attempts > 0)))
        .order_by(Post.id.desc())
        .limit(limit)
    )
    return list(found)


async def counts(session: WorkspaceSession) -> dict[tuple[UUID, str], int]:
    """Return how many posts there are by connection and state."""
    rows = await session.execute(
        select(Post.connection_id, Post.state, func.count()).group_by(
            Post.connection_id, Post.state
        )
    )
    return {(ident, state): n for ident, state, n in rows.all()}


async def run_again(session: WorkspaceSession, ident: UUID) -> None:
    """Have a post that failed handled once more; raises `NotFound`."""
    post = await session.one(Post, ident)
    if post.state in ("failed", "waiting"):
        post.state, post.due_at, post.attempts = "waiting", now(), 0


async def dismiss(session: WorkspaceSession, ident: UUID) -> None:
    """Leave a post unhandled, and forget what it held; raises `NotFound`."""
    post = await session.one(Post, ident)
    if post.state in ("failed", "waiting"):
        _forget(post, "dismissed")


async def forget_old() -> int:
    """Delete what was done with long ago, and what nobody wanted any more."""
    # How long they are kept is the same for everybody.
    async with everywhere() as session:
        gone = await session.execute(
            delete(Post).where(Post.received_at < now() - KEPT_FOR).returning(Post.id)
        )
        return len(gone.all())
