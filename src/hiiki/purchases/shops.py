"""The shop systems that post their orders here: each has an address and a secret of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import select

from hiiki.contacts.schemas import Line
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import Wrong
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import code, uuid7
from hiiki.purchases.models import Connection
from hiiki.settings import settings
from hiiki.workspace.seal import seal, unseal

AT_MOST = 50
KEY_LENGTH = 24
PURPOSE = "shop"
SIGNATURES = {"shopify": "x-shopify-hmac-sha256", "json": "x-hiiki-signature"}
"""The header with the base64 of the body's HMAC-SHA256, by the kind of system."""
KINDS: dict[str, Text] = {"shopify": Text("Shopify"), "json": _("Any other system, by JSON")}


_WORD = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_WORDS = {"shopify": "shopify", "json": "shop"}


def _word(value: str) -> str:
    if value and not _WORD.fullmatch(value):
        raise Wrong("Please use up to 20 small letters, digits and hyphens.")
    return value


class ConnectionIn(BaseModel):
    """What staff decide of a shop system."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, Field(min_length=1, max_length=80)]
    kind: Literal["shopify", "json"]
    secret: Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e]*$")] = ""
    """Shopify says it; for another system it is made here."""
    source: Annotated[str, AfterValidator(_word)] = ""
    """The word under which its orders stand; "" for one that is made here. It stays."""
    prefix: Annotated[Line, Field(max_length=20)] = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A new connection, with its secret, which is shown this once."""

    connection: Connection
    secret: str


def address(connection: Connection) -> str:
    """Return where the system is to post."""
    return f"{settings().public_url.rstrip('/')}/shops/{connection.key}"


async def all_connections(session: WorkspaceSession) -> list[Connection]:
    """Return the systems, by name."""
    return list(await session.scalars(select(Connection).order_by(Connection.name, Connection.id)))


async def create(session: WorkspaceSession, data: ConnectionIn) -> Made:
    """Connect a system; raises `Invalid` or `Conflict`."""
    others = await all_connections(session)
    if len(others) >= AT_MOST:
        raise Conflict(_("There are as many connections as there can be: %(n)s.", n=AT_MOST))
    secret = data.secret
    if not secret:
        if data.kind == "shopify":
            raise Invalid(fields={"secret": _("Please enter the secret that Shopify shows you.")})
        secret = secrets.token_urlsafe(32)
    ident = uuid7()
    connection = Connection(
        id=ident,
        name=data.name,
        kind=data.kind,
        key=code(KEY_LENGTH),
        source=_free_word(data, others),
        sealed_secret=seal(secret, ident, PURPOSE),
        prefix=data.prefix,
        is_active=data.is_active,
        last_at=None,
    )
    session.add(connection)
    await session.flush()
    return Made(connection, secret)


def _free_word(data: ConnectionIn, others: Sequence[Connection]) -> str:
    taken = {one.source for one in others}
    if data.source:
        if data.source in taken:
            raise Invalid(fields={"source": _("Another shop has this word already.")})
        return data.source
    word = _WORDS[data.kind]
    return next(
        free
        for n in range(1, AT_MOST + 2)
        if (free := f"{word}-{n}" if n > 1 else word) not in taken
    )


NONE = "-"
"""What is chosen for a file of orders that are of no connected shop; no word begins so."""


async def of_file(session: WorkspaceSession, kind: str, chosen: str = "") -> Connection | None:
    """Return the shop whose orders a file holds: the one that was chosen by its word, or else the
    only one of the system (`shopify`, …) that wrote it; None for none of those connected."""
    wanted = Connection.source == chosen if chosen else Connection.kind == kind
    found = (await session.scalars(select(Connection).where(wanted).limit(2))).all()
    return found[0] if len(found) == 1 else None


async def change(session: WorkspaceSession, ident: UUID, data: ConnectionIn) -> Connection:
    """Change a system; an empty secret leaves it as it is. Raises `NotFound`, `Invalid`."""
    connection = await session.one(Connection, ident)
    if data.kind != connection.kind:
        raise Invalid(fields={"kind": _("The kind stays. Please connect it anew instead.")})
    if data.source not in ("", connection.source):
        raise Invalid(fields={"source": _("The word stays: its orders are known by it.")})
    connection.name, connection.prefix = data.name, data.prefix
    connection.is_active = data.is_active
    if data.secret:
        connection.sealed_secret = seal(data.secret, ident, PURPOSE)
    await session.flush()
    return connection


def is_signed(connection: Connection, body: bytes, signature: str | None) -> bool:
    """Whether `signature` is that of `body` by the connection's secret."""
    if not signature:
        return False
    secret = unseal(connection.sealed_secret, connection.id, PURPOSE)
    wanted = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
    return hmac.compare_digest(wanted, signature.strip().encode("latin-1", "replace"))
