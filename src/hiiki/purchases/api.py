"""`/api/v1`: orders, products, stores, carts, subscriptions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import get, post, put
from litestar.params import Parameter
from pydantic import AwareDatetime

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import current_locale
from hiiki.purchases import carts, catalogue, listing, reactions, service, subscriptions
from hiiki.purchases.models import Product, Setting, Store
from hiiki.purchases.orders import Taken
from hiiki.purchases.schemas import (
    CartBody,
    NameBody,
    OrderBody,
    OrdersBody,
    SettingBody,
    SubscriptionBody,
    Unread,
)
from hiiki.purchases.schemas_out import (
    CartOut,
    CartPage,
    Continuation,
    CustomerOut,
    Fault,
    OrderOut,
    OrderPage,
    OrdersTaken,
    OrderTaken,
    OrderWithLines,
    ProductOut,
    ProductPage,
    Reached,
    StoreList,
    StoreOut,
    SubscriptionOut,
    SubscriptionPage,
    product_out,
    store_out,
)
from hiiki.workspace.access import Access, audit

TAGS = ["purchases"]
Limit = Annotated[int, Parameter(ge=1, le=200)]
State = Annotated[str, Parameter(query="state")]


@post("/orders", tags=TAGS, status_code=200)
async def take_orders(session: WorkspaceSession, access: Access, data: OrdersBody) -> OrdersTaken:
    """Bring in orders, up to 1,000 at once; the answer says of each what became of it.

    An order comes in once, by `source` and `number`: the same order changes nothing, a version
    with a later `updated_at` changes it. What cannot be taken does not keep the others out.
    """
    read = data.read()
    taken = await service.take(
        session, [each.order() for each in read if not isinstance(each, Unread)]
    )
    results = _results(read, taken)
    counts = {name: sum(one.status == name for one in results) for name in _OUTCOMES}
    if counts["new"] or counts["changed"]:
        audit(session, access, "purchases.orders", **counts)
    return OrdersTaken(**counts, results=results)


_OUTCOMES = ("new", "changed", "same", "refused")


def _results(read: list[OrderBody | Unread], taken: list[Taken]) -> list[OrderTaken]:
    done = iter(taken)
    results: list[OrderTaken] = []
    for each in read:
        if isinstance(each, Unread):
            faults = [
                _fault(path, str(said.to(current_locale()))) for path, said in each.faults.items()
            ]
            results.append(
                OrderTaken(status="refused", number="", id=None, contact_id=None, errors=faults)
            )
            continue
        one = next(done)
        refused = [_fault(one.field, str(one.reason))] if one.reason is not None else []
        results.append(
            OrderTaken(
                status=one.outcome,
                number=each.number,
                id=None if refused else one.order_id,
                contact_id=one.contact_id,
                errors=refused,
            )
        )
    return results


def _fault(path: str, message: str) -> Fault:
    return Fault(path={"keys": "customer", "refunds": "refunded"}.get(path, path), message=message)


@get("/orders", tags=TAGS)
async def list_orders(
    session: WorkspaceSession,
    q: str = "",
    status: State = "",
    store: str = "",
    product: str = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: str = "",
    limit: Limit = 50,
) -> OrderPage:
    """List orders, the latest first; `q` is a number or a part of a customer's name."""
    wanted = listing.Wanted(q, status, store, product, since, until)
    found, more = await listing.orders(session, wanted, before, limit)
    return OrderPage(items=[OrderOut.model_validate(one.row) for one in found], next=more)


@get("/orders/{order_id:uuid}", tags=TAGS)
async def get_order(session: WorkspaceSession, order_id: UUID) -> OrderWithLines:
    """Get one order with its lines."""
    order = await listing.order(session, order_id)
    return OrderWithLines.of(order, await listing.lines(session, order))


@get("/contacts/{contact_id:uuid}/purchases", tags=TAGS)
async def get_purchases(session: WorkspaceSession, contact_id: UUID) -> CustomerOut:
    """Get what somebody has bought in all."""
    await session.one(Contact, contact_id)
    found = await listing.bought(session, contact_id)
    return CustomerOut.of(found.customer, found.continued)


@get("/products", tags=TAGS)
async def list_products(
    session: WorkspaceSession, q: str = "", after: UUID | None = None, limit: Limit = 50
) -> ProductPage:
    """List products, those that brought in most first; `q` is a part of a name or key."""
    found, more = await catalogue.products(session, q, after, limit)
    return ProductPage(items=[product_out(one) for one in found], next=more)


@put("/products/{product_id:uuid}", tags=TAGS)
async def update_product(
    session: WorkspaceSession, access: Access, product_id: UUID, data: NameBody
) -> ProductOut:
    """Rename a product."""
    product = await session.one(Product, product_id)
    product.name = data.name
    audit(session, access, "purchases.product_update", product_id, name=data.name)
    return product_out(product)


@get("/stores", tags=TAGS)
async def list_stores(session: WorkspaceSession) -> StoreList:
    """List the stores, those that brought in most first."""
    return StoreList(items=[store_out(one) for one in await catalogue.stores(session)])


@put("/stores/{store_id:uuid}", tags=TAGS)
async def update_store(
    session: WorkspaceSession, access: Access, store_id: UUID, data: NameBody
) -> StoreOut:
    """Rename a store."""
    store = await session.one(Store, store_id)
    store.name = data.name
    audit(session, access, "purchases.store_update", store_id, name=data.name)
    return store_out(store)


@put("/carts", tags=TAGS)
async def put_cart(session: WorkspaceSession, data: CartBody) -> CartOut:
    """Say what a cart holds now; `left` says that its owner went away, `emptied` that it is gone.

    An order of the same customer, or one that names the cart, ends it by itself.
    """
    return CartOut.of(await carts.put(session, data.cart()))


@get("/carts", tags=TAGS)
async def list_carts(
    session: WorkspaceSession, status: State = "", before: str = "", limit: Limit = 50
) -> CartPage:
    """List carts that are open or left (or of one `state`), those that changed last first."""
    found, more = await listing.carts(session, status, before, limit)
    return CartPage(items=[CartOut.of(one.row) for one in found], next=more)


@put("/subscriptions", tags=TAGS)
async def put_subscription(session: WorkspaceSession, data: SubscriptionBody) -> SubscriptionOut:
    """Say how a subscription stands now: how often it has come, whether it is paused or ended."""
    return SubscriptionOut.of(await subscriptions.put(session, data.subscription()))


@get("/subscriptions", tags=TAGS)
async def list_subscriptions(
    session: WorkspaceSession, status: State = "", before: str = "", limit: Limit = 50
) -> SubscriptionPage:
    """List subscriptions, the latest begun first."""
    found, more = await listing.subscriptions(session, status, before, limit)
    return SubscriptionPage(items=[SubscriptionOut.of(one.row) for one in found], next=more)


@get("/subscriptions/continuation", tags=TAGS)
async def get_continuation(session: WorkspaceSession) -> Continuation:
    """Get how many subscriptions came to their second, third, … delivery."""
    found = await subscriptions.reaching(session)
    return Continuation(items=[Reached(time=n, reached=r, of=of) for n, r, of in found])


@get("/purchases/settings", tags=TAGS)
async def get_settings(session: WorkspaceSession) -> SettingBody:
    """Get from when on an order is history, and a cart left."""
    return _setting(await reactions.setting(session))


@put("/purchases/settings", tags=TAGS)
async def update_settings(
    session: WorkspaceSession, access: Access, data: SettingBody
) -> SettingBody:
    """Set from when on an order is history, and a cart left."""
    setting = await reactions.decide(session, data.fresh_hours, data.cart_hours)
    audit(session, access, "purchases.settings", **data.model_dump())
    return _setting(setting)


def _setting(setting: Setting) -> SettingBody:
    return SettingBody(fresh_hours=setting.fresh_hours, cart_hours=setting.cart_hours)


HANDLERS = [
    take_orders,
    list_orders,
    get_order,
    get_purchases,
    list_products,
    update_product,
    list_stores,
    update_store,
    put_cart,
    list_carts,
    put_subscription,
    list_subscriptions,
    get_continuation,
    get_settings,
    update_settings,
]
