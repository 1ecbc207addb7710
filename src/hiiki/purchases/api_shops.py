"""`/api/v1/shops`: the shop systems that post orders here, and what could not be handled."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import delete, get, post, put
from pydantic import BaseModel

from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import current_locale
from hiiki.purchases import posts, shops
from hiiki.purchases.models import Connection, Post
from hiiki.workspace.access import Access, audit

TAGS = ["purchases"]
OWNER = {"role": "owner"}


class ShopOut(BaseModel):
    """A connected system."""

    id: UUID
    name: str
    kind: str
    source: str
    """The word under which its orders stand."""
    prefix: str
    is_active: bool
    address: str
    """Where it is to post."""
    last_at: datetime | None
    """When it last did."""

    @classmethod
    def of(cls, connection: Connection) -> ShopOut:
        """Return `connection` as the API shows it."""
        values = {name: getattr(connection, name) for name in cls.model_fields if name != "address"}
        return cls(**values, address=shops.address(connection))


class ShopMade(ShopOut):
    """A new connection, with the secret that it is never told again."""

    secret: str


class ShopList(BaseModel):
    """The connected systems."""

    items: list[ShopOut]


class PostFault(BaseModel):
    """Why something could not be taken."""

    what: str
    """The order's number, the cart's or subscription's key; "" for the whole post."""
    path: str
    message: str


class PostOut(BaseModel):
    """Something a system posted that could not be handled yet, or what is left of it."""

    id: UUID
    connection_id: UUID
    topic: str
    state: str
    attempts: int
    errors: list[PostFault]
    """Why; what of it is not named here has come in."""
    received_at: datetime

    @classmethod
    def of(cls, post: Post) -> PostOut:
        """Return `post` as the API shows it."""
        names = cls.model_fields.keys() - {"errors"}
        errors = [
            PostFault(what=one.what, path=one.path, message=one.message.to(current_locale()))
            for one in posts.faults(post)
        ]
        return cls(**{name: getattr(post, name) for name in names}, errors=errors)


class PostList(BaseModel):
    """What could not be handled, the latest first."""

    items: list[PostOut]


@get("/shops", tags=TAGS)
async def list_shops(session: WorkspaceSession) -> ShopList:
    """List the shop systems that post orders here."""
    return ShopList(items=[ShopOut.of(one) for one in await shops.all_connections(session)])


@post("/shops", tags=TAGS, opt=OWNER)
async def connect_shop(
    session: WorkspaceSession, access: Access, data: shops.ConnectionIn
) -> ShopMade:
    """Connect a shop system; the answer holds the address it is to post to, and its secret.

    A post is signed by the base64 of its body's HMAC-SHA256, in `X-Hiiki-Signature` (Shopify:
    `X-Shopify-Hmac-Sha256`). Its body is an order as `POST /orders` takes it, or an object with
    lists of `orders`, `carts` and `subscriptions`. Its orders' `source` is the shop's; where they
    say one of their own, it stands behind that: `shop/east`.
    """
    made = await shops.create(session, data)
    audit(session, access, "purchases.shop_connect", made.connection.id, name=data.name)
    return ShopMade(**ShopOut.of(made.connection).model_dump(), secret=made.secret)


@put("/shops/{connection_id:uuid}", tags=TAGS, opt=OWNER)
async def update_shop(
    session: WorkspaceSession, access: Access, connection_id: UUID, data: shops.ConnectionIn
) -> ShopOut:
    """Change a shop system; an empty secret leaves it as it is."""
    changed = await shops.change(session, connection_id, data)
    audit(session, access, "purchases.shop_update", connection_id, name=data.name)
    return ShopOut.of(changed)


@delete("/shops/{connection_id:uuid}", tags=TAGS, opt=OWNER)
async def delete_shop(session: WorkspaceSession, access: Access, connection_id: UUID) -> None:
    """Disconnect a shop system; its orders stay."""
    connection = await session.one(Connection, connection_id)
    audit(session, access, "purchases.shop_delete", connection_id, name=connection.name)
    await session.delete(connection)


@get("/shops/posts", tags=TAGS)
async def list_posts(session: WorkspaceSession) -> PostList:
    """List what systems posted that failed, or waits to be tried again."""
    return PostList(items=[PostOut.of(one) for one in await posts.failed(session)])


@post("/shops/posts/{post_id:uuid}/run", tags=TAGS, status_code=204)
async def run_post(session: WorkspaceSession, access: Access, post_id: UUID) -> None:
    """Have a post that failed handled once more."""
    await posts.run_again(session, post_id)
    audit(session, access, "purchases.post_run", post_id)


@post("/shops/posts/{post_id:uuid}/dismiss", tags=TAGS, status_code=204)
async def dismiss_post(session: WorkspaceSession, access: Access, post_id: UUID) -> None:
    """Leave a post unhandled."""
    await posts.dismiss(session, post_id)
    audit(session, access, "purchases.post_dismiss", post_id)


HANDLERS = [
    list_shops,
    connect_shop,
    update_shop,
    delete_shop,
    list_posts,
    run_post,
    dismiss_post,
]
