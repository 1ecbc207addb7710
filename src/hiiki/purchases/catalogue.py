"""Products and stores: what is sold and where, known from the orders themselves."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import distinct, func, or_, select, tuple_

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.kit.road import Option
from hiiki.purchases.models import COUNTED, Order, OrderLine, Product, Store

PAGE_SIZE = 50
OFFERED = 1_000
"""Products that a picker offers: those that brought in most."""


async def product_options(session: WorkspaceSession) -> Sequence[Option]:
    """Return what is sold, the best first, by the key that events name."""
    rows = await session.execute(
        select(Product.key, Product.name).order_by(Product.revenue.desc()).limit(OFFERED)
    )
    return [Option(key, name or key) for key, name in rows]


async def store_options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the stores, by the code that events name."""
    rows = await session.execute(
        select(Store.code, Store.name).order_by(Store.name, Store.code).limit(OFFERED)
    )
    return [Option(code, name or code) for code, name in rows]


async def products(
    session: WorkspaceSession, search: str = "", after: UUID | None = None, limit: int = PAGE_SIZE
) -> tuple[list[Product], UUID | None]:
    """Return products, those that brought in most first, and the id to go on from."""
    query = select(Product).order_by(Product.revenue.desc(), Product.id.desc()).limit(limit + 1)
    if wanted := search.strip():
        query = query.where(
            or_(
                Product.name.icontains(wanted, autoescape=True),
                Product.key.icontains(wanted, autoescape=True),
            )
        )
    if after is not None:
        last = await session.one(Product, after)
        query = query.where(tuple_(Product.revenue, Product.id) < (last.revenue, last.id))
    found = list(await session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def buyers(session: WorkspaceSession, keys: Sequence[str]) -> dict[str, int]:
    """Return how many people have bought each of these products, in orders that count."""
    rows = await session.execute(
        select(OrderLine.product, func.count(distinct(OrderLine.contact_id)))
        .join(Order, (Order.contact_id == OrderLine.contact_id) & (Order.id == OrderLine.order_id))
        .where(OrderLine.product.in_(keys), Order.status.in_(COUNTED))
        .group_by(OrderLine.product)
    )
    return dict(rows.tuples().all())


async def stores(session: WorkspaceSession) -> list[Store]:
    """Return the stores, those that brought in most first."""
    found = await session.scalars(
        select(Store).order_by(Store.revenue.desc(), Store.id).limit(OFFERED)
    )
    return list(found)


async def store_names(session: WorkspaceSession, codes: Sequence[str]) -> dict[str, str]:
    """Return what these stores are called, by their codes."""
    rows = await session.execute(select(Store.code, Store.name).where(Store.code.in_(codes)))
    return {code: name or code for code, name in rows}


async def product_of(session: WorkspaceSession, key: str) -> Product:
    """Return the product with this key; raises `NotFound`."""
    found = await session.scalar(select(Product).where(Product.key == key))
    if found is None:
        raise NotFound()
    return found


async def product_names(session: WorkspaceSession, keys: Sequence[str]) -> dict[str, str]:
    """Return what these products are called, by their keys."""
    rows = await session.execute(select(Product.key, Product.name).where(Product.key.in_(keys)))
    return {key: name or key for key, name in rows.all()}


async def ids_of(session: WorkspaceSession, order: Order) -> dict[str, UUID]:
    """Return the ids of an order's products, by their keys."""
    bought = select(OrderLine.product).where(
        OrderLine.contact_id == order.contact_id, OrderLine.order_id == order.id
    )
    rows = await session.execute(select(Product.key, Product.id).where(Product.key.in_(bought)))
    return {row.key: row.id for row in rows}
