"""Orders from exports of shop systems: each comes in once, whole, and can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from conftest import Shop, scope
from hiiki.contacts.erasure import erase
from hiiki.contacts.models import Contact, Identity
from hiiki.delivery.models import Parcel
from hiiki.purchases.models import Customer, Order, OrderLine, Product
from hiiki.timeline import Event

from .conftest import look, reasons, run, send, undo
from .test_members import figures, people

SHOPIFY = """\
Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,\
Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,\
Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,\
Lineitem discount,Billing Name,Billing Phone,Cancelled at,Refunded Amount,Phone
#1001,taro@example.com,paid,2024-05-01 10:00:00 +0900,fulfilled,,yes,JPY,3000,500,0,3300,X,200,\
Yamato,2024-05-01 09:58:10 +0900,2,"Curry, hot",1000,,CUR-1,0,山田 太郎,'090-1234-5678,,0,
#1001,,,,,,,,,,,,,,,2024-05-01 09:58:10 +0900,1,Rice,1000,,RICE,0,,,,,
#1002,hanako@example.com,refunded,,,,no,JPY,1000,0,0,1000,,0,,2024-05-02 12:00:00 +0900,1,Rice,\
1000,,RICE,0,佐藤 花子,,,1000,
#1003,hanako@example.com,paid,,,,no,JPY,1000,0,0,1000,,0,,2024-05-03 12:00:00 +0900,1,Rice,1000,\
,RICE,0,佐藤 花子,,2024-05-03 13:00:00 +0900,0,
"""
EC_CUBE = """\
"注文ID","注文番号","会員ID","お名前(姓)","お名前(名)","メールアドレス","TEL","値引き","送料","支払合計",\
"対応状況(名称)","受注日","注文詳細ID","商品ID","商品名","商品コード","規格分類名1","価格","個数","明細区分(ID)"
"5","5","12","山田","太郎","taro@example.com","09012345678","0","500","2700","発送済み",\
"2024-06-01 10:00:00","9","2","カレー","CUR-1","辛口","1000","2","1"
"5","5","12","山田","太郎","taro@example.com","09012345678","0","500","2700","発送済み",\
"2024-06-01 10:00:00","10","","送料","","","500","1","2"
"6","6","","鈴木","一","suzuki@example.com","","0","0","1000","新規受付",\
"2024-06-02 10:00:00","11","2","カレー","CUR-1","甘口","1000","1","1"
"""
BASE = """\
注文ID,注文日時,氏(請求先),名(請求先),電話番号(請求先),メールアドレス(請求先),備考,商品名,バリエーション,価格,\
税率,数量,合計金額,送料,支払い方法,発送状況,商品ID,種類ID,購入元,調整金額
AAA111,2024-07-01 10:00:00,山田,太郎,09012345678,taro@example.com,,カレー,辛口,"1,000",8,2,"2,000",\
500,カード,発送済み,77,1,,-100
BBB222,2024-07-02 10:00:00,佐藤,花子,,hanako@example.com,,カレー,甘口,1000,8,1,1000,0,カード,\
キャンセル,77,2,,
"""


async def orders(shop: Shop) -> dict[str, Order]:
    """Return the shop's orders by their number."""
    async with scope(shop.workspace_id) as session:
        return {one.number: one for one in await session.scalars(select(Order))}


async def count(shop: Shop, table: Any) -> int:
    """Return how many rows of a table the shop has."""
    async with scope(shop.workspace_id) as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_shopify(shop: Shop) -> None:
    """Its headings are known; lines make orders; what was cancelled or refunded does not count."""
    ident = await send(shop, "orders", SHOPIFY)
    made = await look(shop, ident)
    assert made.source == "shopify"
    assert figures(made.foreseen) == (4, 0, 0, 0)
    assert await orders(shop) == {}
    assert figures(await run(shop, ident)) == (4, 0, 0, 0)
    found = await orders(shop)
    one = found["#1001"]
    assert one.at == datetime(2024, 5, 1, 0, 58, 10, tzinfo=UTC)
    assert (one.amount, one.discount, one.shipping) == (3300, 200, 500)
    assert {number: each.status for number, each in found.items()} == {
        "#1001": "paid", "#1002": "returned", "#1003": "cancelled",
    }  # fmt: skip
    async with scope(shop.workspace_id) as session:
        lines = (
            await session.scalars(
                select(OrderLine).where(OrderLine.order_id == one.id).order_by(OrderLine.position)
            )
        ).all()
        [customer] = await session.scalars(select(Customer))
    assert [(x.product, x.name, x.quantity, x.amount) for x in lines] == [
        ("CUR-1", "Curry, hot", 2, 2000), ("RICE", "Rice", 1, 1000),
    ]  # fmt: skip
    taro = (await people(shop))["山田 太郎"]
    assert (taro.email, taro.phone) == ("taro@example.com", "+819012345678")
    assert (customer.contact_id, customer.orders, customer.spent) == (taro.id, 1, 3300)


@pytest.mark.parametrize(
    ("body", "source", "lines", "amounts"),
    [
        (EC_CUBE, "ec-cube", 2, {"5": ("paid", 2700), "6": ("open", 1000)}),
        (BASE, "base", 2, {"AAA111": ("paid", 2400), "BBB222": ("cancelled", 1000)}),
    ],
)
async def test_japanese_shops(
    shop: Shop, body: str, source: str, lines: int, amounts: dict[str, tuple[str, int]]
) -> None:
    """In Shift_JIS, as these systems write; what EC-CUBE lists beside products is no product."""
    ident = await send(shop, "orders", body.encode("cp932"))
    made = await look(shop, ident)
    assert (made.source, made.encoding) == (source, "cp932")
    outcome = await run(shop, ident)
    assert outcome["refused"] == 0, await reasons(shop, ident)
    found = await orders(shop)
    assert {n: (each.status, each.amount) for n, each in found.items()} == amounts
    assert await count(shop, OrderLine) == lines
    assert "山田 太郎" in await people(shop)


async def test_an_order_comes_in_once(shop: Shop) -> None:
    """Sent again nothing changes; a change changes it, and undoing that brings the first back."""
    first = await send(shop, "orders", SHOPIFY)
    await run(shop, first)
    events = await count(shop, Event)
    again = await send(shop, "orders", SHOPIFY)
    assert figures((await look(shop, again)).foreseen) == (0, 0, 4, 0)
    assert figures(await run(shop, again)) == (0, 0, 4, 0)
    assert await count(shop, Event) == events
    changed = await send(shop, "orders", SHOPIFY.replace(",3300,X,200,", ",3400,X,100,"))
    assert figures(await run(shop, changed)) == (0, 2, 2, 0)
    assert (await orders(shop))["#1001"].amount == 3400
    assert (await undo(shop, changed))["undone"] == 1
    assert (await orders(shop))["#1001"].amount == 3300
    assert await count(shop, Event) == events
    assert (await undo(shop, first))["undone"] == 3
    for table in (Order, OrderLine, Customer, Event, Contact, Identity):
        assert await count(shop, table) == 0, table
    async with scope(shop.workspace_id) as session:
        assert {one.sold for one in await session.scalars(select(Product))} <= {Decimal(0)}


async def test_orders_of_somebody_erased_are_refused_for_that_reason(shop: Shop) -> None:
    ident = await send(shop, "orders", SHOPIFY)
    await run(shop, ident)
    taro = (await people(shop))["山田 太郎"]
    async with scope(shop.workspace_id) as session:
        await erase(session, await session.one(Contact, taro.id))
    again = await send(shop, "orders", SHOPIFY)
    assert figures(await run(shop, again)) == (0, 0, 2, 2)
    assert {sentence for _column, sentence in (await reasons(shop, again)).values()} == {
        "This person has been erased, and does not come back by a file."
    }


async def test_a_bad_line_refuses_its_order_alone(shop: Shop) -> None:
    """Not half of an order; the reason stands at the line and at the column."""
    body = (
        "注文番号,注文日,顧客番号,金額,商品コード,数量,単価\n"
        "1,2024/5/1,C1,,A,1,￥1,000円\n".replace("￥1,000円", '"￥1,000円"')
        + "1,,,,B,x,500\n2,2024/5/2,C2,,A,1,100\n3,2024/5/3,,,A,1,100\n4,,C4,,A,1,100\n"
    )
    mapping = ["number", "at", "customer", "amount", "product", "quantity", "price"]
    ident = await send(shop, "orders", body, mapping)
    assert figures(await run(shop, ident)) == (1, 0, 0, 4)
    said = await reasons(shop, ident)
    assert {line: column for line, (column, _why) in said.items()} == {
        2: "", 3: "quantity", 5: "customer", 6: "at",
    }  # fmt: skip
    assert set(await orders(shop)) == {"2"}


async def test_old_orders_start_no_rules(shop: Shop) -> None:
    """They stand on the timeline at their own time; nothing is said to anybody."""
    await run(shop, await send(shop, "orders", SHOPIFY))
    async with scope(shop.workspace_id) as session:
        events = (await session.scalars(select(Event).where(Event.kind == "purchase"))).all()
    assert [one.at for one in events] == [datetime(2024, 5, 1, 0, 58, 10, tzinfo=UTC)]
    assert await count(shop, Parcel) == 0
