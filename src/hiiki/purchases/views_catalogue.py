"""Console pages: products and who bought them, stores, carts that were left, subscriptions."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.params import Parameter
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, gettext
from hiiki.kit.pages import form_data, page, to
from hiiki.purchases import catalogue, listing, reactions, subscriptions, words
from hiiki.purchases.models import Product, Store
from hiiki.purchases.schemas import NameBody
from hiiki.segments.prefill import new_segment_url
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]
State = Annotated[str, Parameter(query="state")]
OPERATOR = {"role": "operator"}


def _happened(event: str, subject: str = "") -> dict[str, Any]:
    return {"kind": "event", "event": event, "subject": subject}


def _not(rule: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "rule": rule}


@get("/purchases/products")
async def list_products(
    session: WorkspaceSession, q: str = "", after: UUID | None = None
) -> Template:
    """List what is sold, what brought in most first."""
    found, more = await catalogue.products(session, q.replace("\0", ""), after)
    return page(
        "purchases/products.html",
        products=found,
        buyers=await catalogue.buyers(session, [one.key for one in found]),
        q=q,
        back=f"/purchases/products?{urlencode({'q': q})}" if after else "",
        more=f"/purchases/products?{urlencode({'q': q, 'after': more})}" if more else "",
    )


@get("/purchases/products/{product_id:uuid}")
async def show_product(session: WorkspaceSession, product_id: UUID) -> Template:
    """Show a product: how many were sold, and who bought it."""
    return await _product(session, product_id, None, {})


async def _product(
    session: WorkspaceSession, product_id: UUID, typed: str | None, errors: dict[str, Text]
) -> Template:
    product = await session.one(Product, product_id)
    found, _more = await listing.orders(session, listing.Wanted(product=product.key), limit=10)
    name = product.name or product.key
    return page(
        "purchases/product.html",
        status=422 if errors else 200,
        product=product,
        name=name,
        typed=product.name if typed is None else typed,
        errors=errors,
        buyers=(await catalogue.buyers(session, [product.key])).get(product.key, 0),
        orders=found,
        words=words.ORDERS,
        segment_url=new_segment_url(
            _happened("purchase_item", product.key), gettext("Buyers: %(name)s") % {"name": name}
        ),
    )


@post("/purchases/products/{product_id:uuid}")
async def rename_product(
    request: AnyRequest, session: WorkspaceSession, access: Access, product_id: UUID
) -> Redirect | Template:
    """Rename a product."""
    product = await session.one(Product, product_id)
    data = await form_data(request)
    try:
        given = parse(NameBody, {"name": data.get("name", "")})
    except Invalid as error:
        return await _product(session, product_id, str(data.get("name", "")), error.fields)
    product.name = given.name
    audit(session, access, "purchases.product_update", product_id, name=given.name)
    return to(f"/purchases/products/{product_id}", _("Saved."))


@get("/purchases/stores")
async def list_stores(session: WorkspaceSession) -> Template:
    """List the stores with what each brought in."""
    found = await catalogue.stores(session)
    return page(
        "purchases/stores.html",
        stores=found,
        links={
            one.id: new_segment_url(
                _happened("purchase", one.code),
                gettext("Buyers: %(name)s") % {"name": one.name or one.code},
            )
            for one in found
        },
    )


@get("/purchases/stores/{store_id:uuid}", opt=OPERATOR)
async def edit_store(session: WorkspaceSession, store_id: UUID) -> Template:
    """Show the form that renames a store."""
    store = await session.one(Store, store_id)
    return page("purchases/store.html", store=store, typed=store.name, errors={})


@post("/purchases/stores/{store_id:uuid}")
async def rename_store(
    request: AnyRequest, session: WorkspaceSession, access: Access, store_id: UUID
) -> Redirect | Template:
    """Rename a store."""
    store = await session.one(Store, store_id)
    data = await form_data(request)
    typed = str(data.get("name", ""))
    try:
        given = parse(NameBody, {"name": typed})
    except Invalid as error:
        return page(
            "purchases/store.html", status=422, store=store, typed=typed, errors=error.fields
        )
    store.name = given.name
    audit(session, access, "purchases.store_update", store_id, name=given.name)
    return to("/purchases/stores", _("Saved."))


@get("/purchases/carts")
async def list_carts(session: WorkspaceSession, status: State = "", before: str = "") -> Template:
    """List carts that are open or were left (requirement B7)."""
    status = status if status in words.CARTS else ""
    found, more = await listing.carts(session, status, before)
    chosen = {"state": status} if status else {}
    left_and_not_bought = {
        "kind": "all",
        "rules": [_recently("cart_left"), _not(_recently("purchase"))],
    }
    return page(
        "purchases/carts.html",
        carts=found,
        sums=await listing.cart_sums(session),
        words=words.CARTS,
        state=status,
        hours=(await reactions.setting(session)).cart_hours,
        segment_url=new_segment_url(left_and_not_bought, gettext("Left in the cart")),
        back=f"/purchases/carts?{urlencode(chosen)}" if before else "",
        more=f"/purchases/carts?{urlencode({**chosen, 'before': more})}" if more else "",
    )


def _recently(event: str) -> dict[str, Any]:
    return {**_happened(event), "period": {"kind": "recent", "days": 7}}


@get("/purchases/subscriptions")
async def list_subscriptions(
    session: WorkspaceSession, status: State = "", before: str = ""
) -> Template:
    """List subscriptions, below how many of them are continued (requirement B10)."""
    status = status if status in words.SUBSCRIPTIONS else ""
    found, more = await listing.subscriptions(session, status, before)
    chosen = {"state": status} if status else {}
    reached = await subscriptions.reaching(session)
    return page(
        "purchases/subscriptions.html",
        subscriptions=found,
        names=await catalogue.product_names(session, [one.row.product for one in found]),
        sums=await listing.subscription_sums(session),
        reached=reached,
        chart=_continuation(reached),
        words=words.SUBSCRIPTIONS,
        state=status,
        back=f"/purchases/subscriptions?{urlencode(chosen)}" if before else "",
        more=f"/purchases/subscriptions?{urlencode({**chosen, 'before': more})}" if more else "",
    )


def _continuation(reached: list[tuple[int, int, int]]) -> dict[str, Any] | None:
    if len(reached) < 2:
        return None
    names = [gettext("No. %(n)s") % {"n": time} for time, _n, _of in reached]
    shares = [round(100 * n / of, 1) for _time, n, of in reached]
    return {
        "option": {
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "category", "data": names},
            "yAxis": {"type": "value", "max": 100, "axisLabel": {"formatter": "{value}%"}},
            "grid": {"left": 8, "right": 8, "top": 32, "bottom": 4, "containLabel": True},
            "series": [
                {
                    "type": "bar",
                    "name": gettext("Continuation rate"),
                    "data": shares,
                    "itemStyle": {"borderRadius": [4, 4, 0, 0]},
                    "label": {"show": True, "position": "top", "formatter": "{c}%"},
                }
            ],
        },
        "rows": [
            (name, n, of, f"{share}%")
            for name, (_t, n, of), share in zip(names, reached, shares, strict=True)
        ],
    }


HANDLERS = [
    list_products,
    show_product,
    rename_product,
    list_stores,
    edit_store,
    rename_store,
    list_carts,
    list_subscriptions,
]
