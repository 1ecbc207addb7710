"""The ways in and out of purchases: the API, shop systems' posts, the console's pages."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from conftest import Shop
from console import Client, Console, console
from hiiki.actions.models import Rule
from hiiki.contacts.erasure import erase
from hiiki.contacts.models import Contact, ContactTag, Tag
from hiiki.db import scope
from hiiki.imports import running
from hiiki.kit.clock import now
from hiiki.kit.ids import uuid7
from hiiki.kit.importable import Importing, ImportRow
from hiiki.purchases import importing, posts
from hiiki.purchases.jobs import leave_carts
from hiiki.purchases.models import Cart, Order, Post, Subscriber, Subscription
from hiiki.timeline import Event

SECRET = "shpss_0123456789abcdef"


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    """The application on an empty database."""
    async with console() as made:
        yield made


def order(number: str = "A-1", **given: Any) -> dict[str, Any]:
    return {
        "number": number,
        "at": now().isoformat(),
        "customer": {"number": "7"},
        "lines": [{"product": "mug", "name": "マグ", "quantity": 2, "amount": 3000}],
        "store": {"code": "aoyama", "name": "青山店"},
        **given,
    }


def shopify(**given: Any) -> dict[str, Any]:
    """An order as Shopify's Admin REST API describes it, with what is read of it and more."""
    at = now().isoformat()
    return {
        "id": 820982911946154508,
        "name": "#1001",
        "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
        "created_at": at,
        "updated_at": at,
        "cancelled_at": None,
        "financial_status": "paid",
        "currency": "JPY",
        "presentment_currency": "USD",
        "total_price": "5400",
        "total_discounts": "600",
        "total_shipping_price_set": {"shop_money": {"amount": "500", "currency_code": "JPY"}},
        "email": "hana@example.com",
        "phone": None,
        "customer": {"id": 115310627314723954, "email": "hana@example.com", "phone": None},
        "location_id": None,
        "cart_token": "c1-7a2c442263b42d5c",
        "test": False,
        "line_items": [
            {
                "product_id": 632910392,
                "variant_id": 808950810,
                "sku": "KNIT-RED-M",
                "title": "ニット",
                "variant_title": "赤 / M",
                "quantity": 1,
                "price": "5500",
                "discount_allocations": [{"amount": "600"}],
            }
        ],
        "refunds": [],
        **given,
    }


def refund(amount: str = "1400", ident: int = 929361464) -> dict[str, Any]:
    return {
        "id": ident,
        "order_id": 820982911946154508,
        "created_at": now().isoformat(),
        "refund_line_items": [],
        "transactions": [
            {"kind": "refund", "status": "success", "amount": amount},
            {"kind": "refund", "status": "failure", "amount": "9"},
        ],
    }


async def send(
    client: Client, address: str, body: Any, topic: str = "orders/create", secret: str = SECRET
) -> int:
    raw = json.dumps(body).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    headers = {
        "x-shopify-hmac-sha256": signature,
        "x-shopify-topic": topic,
        "x-hiiki-signature": signature,
    }
    path = address[address.index("/shops/") :]
    return (await client.post(path, content=raw, headers=headers)).status_code


async def handled() -> None:
    while await posts.handle_due():
        pass


async def connected(
    app: Console, shop: Shop, kind: str = "shopify", prefix: str = "web-"
) -> tuple[str, str]:
    api = await app.program(shop, "owner")
    given = {"name": "本店", "kind": kind, "prefix": prefix}
    if kind == "shopify":
        given["secret"] = SECRET
    made = (await api.post("/api/v1/shops", json=given)).json()
    return made["address"], made["secret"]


async def test_the_api_answers_for_each_order(app: Console, shop: Shop) -> None:
    api = await app.program(shop)
    bad = [order("A-2", at="yesterday"), order("A-3", customer={}), order("A-4", lines=[{}])]
    answer = await api.post("/api/v1/orders", json={"orders": [order(), *bad]})
    assert answer.status_code == 200
    found = answer.json()
    assert [found[name] for name in ("new", "changed", "same", "refused")] == [1, 0, 0, 3]
    paths = [[each["path"] for each in one["errors"]] for one in found["results"]]
    assert paths == [[], ["at"], ["customer"], ["lines.0.product"]]
    [kept] = (await api.get("/api/v1/orders", params={"q": "A-1"})).json()["items"]
    whole = (await api.get(f"/api/v1/orders/{kept['id']}")).json()
    assert whole["amount"] == "3000"
    assert [line["product"] for line in whole["lines"]] == ["mug"]
    sums = (await api.get(f"/api/v1/contacts/{kept['contact_id']}/purchases")).json()
    assert (sums["orders"], sums["spent"]) == (1, "3000")
    [product] = (await api.get("/api/v1/products")).json()["items"]
    renamed = await api.put(f"/api/v1/products/{product['id']}", json={"name": "マグカップ"})
    assert renamed.json()["name"] == "マグカップ"
    assert (await api.post("/api/v1/orders", json={"orders": []})).status_code == 422
    viewer = await app.program(shop, "viewer")
    assert (await viewer.post("/api/v1/orders", json={"orders": [order()]})).status_code == 403


async def test_shopify_tells_of_an_order_its_refund_and_its_end(app: Console, shop: Shop) -> None:
    address, _secret = await connected(app, shop)
    client = app.client()
    assert await send(client, address, shopify(), secret="another") == 401
    assert await send(client, f"{address}x", shopify()) == 404
    # The refund is here before its order: it waits, and nothing is lost.
    assert await send(client, address, refund(), "refunds/create") == 200
    await handled()
    body = shopify()
    assert [await send(client, address, body) for _n in range(2)] == [200, 200]
    await handled()
    async with scope(shop.workspace_id) as session:
        kept = await session.scalar(select(Order))
        assert kept
        assert (kept.number, kept.status, kept.amount, kept.refunded) == ("#1001", "paid", 5400, 0)
        assert (await session.get_one(Contact, kept.contact_id)).email == "hana@example.com"
        await session.execute(update(Post).where(Post.state == "waiting").values(due_at=now()))
    await handled()
    assert await send(client, address, refund(), "refunds/create") == 200
    await handled()
    async with scope(shop.workspace_id) as session:
        kept = await session.scalar(select(Order))
        assert kept
        assert (kept.status, kept.refunded) == ("partly_returned", 1400)
        values = await session.scalars(select(Event.value).where(Event.kind == "purchase"))
        assert list(values) == [4000]
    later = (now() + timedelta(seconds=5)).isoformat()
    await send(client, address, shopify(cancelled_at=later, updated_at=later), "orders/cancelled")
    await handled()
    async with scope(shop.workspace_id) as session:
        states = (await session.execute(select(Post.state, Post.body))).all()
        assert {tuple(each) for each in states} == {("done", b"")}  # nobody's data is left in it
        assert await session.scalar(select(Order.status)) == "cancelled"
        assert await session.scalar(select(Event.id).where(Event.kind == "purchase")) is None


async def test_two_shops_number_their_orders_alike(app: Console, shop: Shop) -> None:
    client = app.client()
    shops = [
        await connected(app, shop, kind, f"{kind}-")
        for kind in ("shopify", "shopify", "json", "json")
    ]
    for address, _secret in shops[:2]:
        await send(client, address, shopify())
    same = {
        "orders": [order(cart="c", subscription="s"), order(source="east")],
        "carts": [{"key": "c", "customer": {"number": "8"}, "amount": 900}],
        "subscriptions": [{"key": "s", "customer": {"number": "8"}, "times": 3}],
    }
    for address, secret in shops[2:]:
        await send(client, address, same, secret=secret)
    await send(client, shops[1][0], refund(), "refunds/create")
    await handled()
    async with scope(shop.workspace_id) as session:
        rows = await session.execute(select(Order.source, Order.refunded).order_by(Order.source))
        assert [tuple(row) for row in rows] == [
            ("shop", 0),
            ("shop-2", 0),
            ("shop-2/east", 0),
            ("shop/east", 0),
            ("shopify", 0),
            ("shopify-2", 1400),
        ]
        assert await session.scalar(select(func.count()).select_from(Cart)) == 2
        assert await session.scalar(select(func.count()).select_from(Subscription)) == 2
    # The same order in the file that the second shop writes is the same order.
    row = {"number": "#1001", "at": now(), "customer": "115310627314723954", "product": "x"}
    async with scope(shop.workspace_id) as session:
        chosen = Importing(uuid7(), "shopify", options={"shop": "shopify-2"})
        lines = (await importing.ready(session, chosen))([ImportRow(2, row)])
        [known] = await importing.take(session, chosen, lines)
        kept = await session.scalar(select(Order.id).where(Order.source == "shopify-2"))
        assert (known.state, known.key) == ("same", kept)
    api = await app.program(shop, "owner")
    head = "Name,Financial Status,Paid at,Fulfillment Status,Lineitem quantity,Created at"
    raw = f"{head}\n#1001,paid,,,1,{now():%Y-%m-%d %H:%M:%S %z}\n".encode()
    sent = await api.post("/api/v1/imports", params={"kind": "orders"}, content=raw)
    made, mapping = sent.json()["id"], sent.json()["mapping"]
    for word, status in (("none", 422), ("shopify-2", 200)):
        body = {"mapping": mapping, "options": {"shop": word}, "run": True}
        answer = await api.put(f"/api/v1/imports/{made}/columns", json=body)
        assert answer.status_code == status, answer.text
    await running.work(shop.workspace_id, UUID(made))
    found = (await api.get(f"/api/v1/imports/{made}")).json()
    assert (found["foreseen"]["same"], found["foreseen"]["new"]) == (1, 0)
    # Whose the last such file was is offered for the next.
    again = await api.post("/api/v1/imports", params={"kind": "orders"}, content=raw)
    staff = await app.person(shop, "operator", "en")
    offered = (await staff.get(f"/imports/{again.json()['id']}")).text
    assert '<option value="shopify-2" selected>' in offered
    given = {"name": "支店", "kind": "json"}
    for word in ("shop", "Ä"):
        refused = await api.post("/api/v1/shops", json={**given, "source": word})
        assert refused.status_code == 422
        assert "source" in refused.text


async def test_two_refunds_at_once_are_both_kept(app: Console, shop: Shop) -> None:
    address, _secret = await connected(app, shop)
    client = app.client()
    await send(client, address, shopify())
    await handled()
    for n in range(1, 5):
        await send(client, address, refund("100", n), "refunds/create")
    async with scope(shop.workspace_id) as session:
        waiting = list(await session.scalars(select(Post.id).where(Post.state == "waiting")))
    await asyncio.gather(*(posts.handle(shop.workspace_id, each) for each in waiting))
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(Order.refunded)) == 400


async def test_of_a_post_what_can_be_taken_comes_in(app: Console, shop: Shop) -> None:
    address, secret = await connected(app, shop, "json")
    future = (now() + timedelta(days=3)).isoformat()
    body = {
        "orders": [order(), order("A-2", customer={}), order("A-3", at="?"), "?"],
        "carts": [
            {"key": "c1", "customer": {"number": "8"}, "at": future},
            {"key": "c2", "customer": {"number": "8", "email": "hana@example.com"}},
        ],
        "subscriptions": 7,
    }
    await send(app.client(), address, body, secret=secret)
    await handled()
    api = await app.program(shop)
    [post] = (await api.get("/api/v1/shops/posts")).json()["items"]
    found = [(one["what"], one["path"]) for one in post["errors"]]
    assert found == [("A-3", "at"), ("", ""), ("A-2", "customer"), ("c1", "at"), ("", "")]
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(Order.number)) == "A-1"
        assert await session.scalar(select(Cart.key)) == "c2"
        kept = await session.get_one(Post, UUID(post["id"]))
        assert kept.state == "failed"
        left = json.loads(kept.body)
        assert [len(left["orders"]), len(left["carts"])] == [3, 1]
    page = (await (await app.person(shop)).get("/purchases/shops")).text
    assert "A-2" in page
    assert "将来" in page


async def test_who_is_erased_goes_out_of_what_waits(app: Console, shop: Shop) -> None:
    address, secret = await connected(app, shop, "json")
    api = await app.program(shop)
    hana = {"number": "7", "email": "hana@example.com"}
    await api.post("/api/v1/orders", json={"orders": [order(customer=hana)]})
    wrong = [order("A-2", customer={"email": "HANA@example.com"}, at="?"), order("A-3", at="?")]
    for body in ({"orders": wrong}, wrong[0]):
        await send(app.client(), address, body, secret=secret)
    await handled()
    async with scope(shop.workspace_id) as session:
        await erase(session, (await session.scalars(select(Contact))).one())
    async with scope(shop.workspace_id) as session:
        rows = (await session.execute(select(Post.state, Post.body).order_by(Post.id))).all()
        assert [row.state for row in rows] == ["failed", "dismissed"]
        assert b"A-3" in rows[0].body
        assert not any(b"HANA" in row.body for row in rows)


async def test_any_system_posts_signed_json_and_what_fails_can_be_repeated(
    app: Console, shop: Shop
) -> None:
    address, secret = await connected(app, shop, "json")
    client = app.client()
    body = {
        "orders": [order()],
        "carts": [{"key": "c1", "customer": {"number": "8"}, "amount": 900}],
        "subscriptions": [{"key": "s1", "customer": {"number": "8"}, "times": 3}],
    }
    assert await send(client, address, body, secret=secret) == 200
    assert await send(client, address, order("A-2", customer={}), secret=secret) == 200
    assert await send(client, address, [1], secret=secret) == 400
    await handled()
    owner = await app.person(shop)
    page = (await owner.get("/purchases/shops")).text
    assert "どのお客様の注文か分かりません" in page or "customer number" in page
    async with scope(shop.workspace_id) as session:
        assert await session.scalar(select(Order.number)) == "A-1"
        assert await session.scalar(select(Cart.key)) == "c1"
        assert await session.scalar(select(Subscriber.continued)) == 3
        failed = await session.scalar(select(Post).where(Post.state == "failed"))
        assert failed
    run = f"/purchases/shops/posts/{failed.id}"
    assert (await owner.form(f"{run}/run")).status_code == 303
    await handled()
    assert (await owner.form(f"{run}/dismiss")).status_code == 303
    async with scope(shop.workspace_id) as session:
        again = await session.get_one(Post, failed.id)
        assert (again.state, again.body) == ("dismissed", b"")


async def test_a_cart_that_is_left_starts_a_rule_and_an_order_ends_it(
    app: Console, shop: Shop
) -> None:
    api = await app.program(shop)
    async with scope(shop.workspace_id) as session:
        tag = Tag(name="カゴ落ち")
        session.add(tag)
        await session.flush()
        action = {"kind": "tag_add", "tag_id": str(tag.id)}
        session.add(Rule(name="忘れ物", event_kind="cart_left", actions=[action]))
    for key, who in (("c1", "7"), ("c2", "8"), ("c3", "9")):
        cart = {"key": key, "customer": {"number": who}, "items": order()["lines"]}
        made = (await api.put("/api/v1/carts", json=cart)).json()
        assert (made["status"], made["amount"]) == ("open", "3000")
    await api.post("/api/v1/orders", json={"orders": [order(), order("A-2", cart="c2")]})
    async with scope(shop.workspace_id) as session:
        earlier = now() - timedelta(hours=4)
        await session.execute(update(Cart).values(touched_at=earlier, opened_at=earlier))
    await leave_carts(0)
    await leave_carts(0)
    async with scope(shop.workspace_id) as session:
        rows = await session.execute(select(Cart.key, Cart.status).order_by(Cart.key))
        assert [tuple(row) for row in rows] == [("c1", "bought"), ("c2", "bought"), ("c3", "left")]
        owner = await session.scalar(select(Cart.contact_id).where(Cart.key == "c3"))
        assert list(await session.scalars(select(ContactTag.contact_id))) == [owner]
        left = await session.scalars(select(Event).where(Event.kind == "cart_left"))
        assert [each.contact_id for each in left] == [owner]
    late = {"key": "c3", "status": "emptied", "at": (now() - timedelta(days=1)).isoformat()}
    assert (await api.put("/api/v1/carts", json=late)).json()["status"] == "left"


async def test_a_subscription_is_told_and_its_continuation_counted(
    app: Console, shop: Shop
) -> None:
    api = await app.program(shop)

    async def put(key: str, **given: Any) -> dict[str, Any]:
        body = {"key": key, "customer": {"number": key}, "product": "tea", **given}
        answer = await api.put("/api/v1/subscriptions", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    await put("s1", times=1)
    await put("s1", times=2)
    assert (await put("s1", status="paused"))["times"] == 2
    await put("s2", times=1, status="ended")
    await put("s2", times=1, status="ended")
    await put("s3", times=1)
    found = (await api.get("/api/v1/subscriptions/continuation")).json()["items"]
    # The third still runs towards its second delivery: it could not have come to it yet.
    assert [(one["time"], one["reached"], one["of"]) for one in found] == [(1, 3, 3), (2, 1, 2)]
    async with scope(shop.workspace_id) as session:
        kinds = await session.scalars(
            select(Event.kind).where(Event.kind.like("subscription%")).order_by(Event.kind)
        )
        assert list(kinds) == [
            "subscription_end",
            *["subscription_renew"],
            *["subscription_start"] * 3,
        ]


async def test_the_pages_show_it_and_lead_into_segments(app: Console, shop: Shop) -> None:
    owner = await app.person(shop, locale="ja")
    for path in ("", "/products", "/stores", "/carts", "/subscriptions", "/shops"):
        empty = await owner.get(f"/purchases{path}")
        assert empty.status_code == 200, path
    api = await app.program(shop)
    orders = [order(), order("A-2", customer={"number": "8"}, status="open", subscription="s1")]
    await api.post("/api/v1/orders", json={"orders": [*orders, order("A-3", subscription="s1")]})
    await api.put("/api/v1/carts", json={"key": "c", "customer": {"number": "8"}, "amount": 5})
    listed = (await owner.get("/purchases", params={"product": "mug", "least": "100"})).text
    assert "A-1" in listed
    assert "青山店" in listed
    narrowed = (await owner.get("/purchases", params={"state": "open"})).text
    assert "A-2" in narrowed
    assert "A-1<" not in narrowed
    refused = await owner.get("/purchases", params={"first": "きのう", "most": "nan"})
    assert refused.status_code == 422
    assert refused.text.count("hk-error") == 2
    ident = re.findall(r"/purchases/orders/([0-9a-f-]{36})", listed)[0]
    assert "マグ" in (await owner.get(f"/purchases/orders/{ident}")).text
    async with scope(shop.workspace_id) as session:
        buyer = await session.scalar(select(Order.contact_id).where(Order.number == "A-1"))
        other = await session.scalar(select(Order.contact_id).where(Order.number == "A-2"))
        assert buyer
        assert other
    assert "A-1" in (await owner.get(f"/friends/{buyer}/purchases")).text
    products = (await owner.get("/purchases/products")).text
    product = re.findall(r"/purchases/products/[0-9a-f-]{36}", products)[0]
    shown = await owner.get(product)
    link = re.findall(r'href="(/segments/new[^"]+)"', shown.text)[0].replace("&amp;", "&")
    builder = await owner.get(link)
    assert builder.status_code == 200
    assert "マグ" in builder.text
    assert (await owner.form(product, {"name": ""})).status_code == 422
    assert (await owner.form(product, {"name": "マグカップ"})).status_code == 303
    assert "マグカップ" in (await owner.get("/purchases/products")).text
    for path in ("/stores", "/carts", "/subscriptions", "/subscriptions?state=active"):
        assert (await owner.get(f"/purchases{path}")).status_code == 200
    saved = await owner.form("/purchases/shops/settings", {"fresh_hours": "48", "cart_hours": "0"})
    assert saved.status_code == 422
    made = await owner.form("/purchases/shops/new", {"name": "店", "kind": "shopify"})
    assert made.status_code == 422
    made = await owner.form("/purchases/shops/new", {"name": "店", "kind": "json"})
    assert made.status_code == 200
    assert "X-Hiiki-Signature" in made.text
