"""What shop systems post: kept before it is answered, then handled by a worker, never lost.

What cannot be handled is tried again for a day, each time later, and then stands on the page
until somebody has it tried again or dismisses it. A body holds people's data, so it is forgotten
when it is done with.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from hiiki.contacts.identities import Key, normal
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.db.outage import is_outage
from hiiki.jobs.keep import pause
from hiiki.kit.clock import now
from hiiki.kit.errors import BadRequest, HiikiError, Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import uuid7
from hiiki.kit.phones import country_of
from hiiki.kit.road import Direct
from hiiki.purchases import bodies, shops
from hiiki.purchases.bodies import Refused
from hiiki.purchases.models import Connection, Post
from hiiki.workspace.models import Workspace

log = structlog.get_logger()

MAX_BODY = 2_000_000
"""Bytes. A Shopify order of 500 lines is about one million."""
EVERY = 1.0
"""Seconds between two looks for what was posted."""
AT_ONCE = 20
ATTEMPTS = 9
FIRST_WAIT = timedelta(seconds=30)
FAULTS = 100
"""Of a post, that are kept."""
KEPT_FOR = timedelta(days=30)


class WrongSignature(HiikiError):
    """The body is not the system's, or the secret here is not the system's."""

    status = 401
    code = "wrong_signature"
    default: ClassVar[Text] = _(
        "The signature is missing, or does not fit the connection's secret."
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something that was posted could not be taken."""

    what: str
    """The order's number, the cart's or subscription's key; "" for all of the post."""
    path: str
    """Which part of it is at fault."""
    message: Text

    def kept(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        values = {name: str(value) for name, value in self.message.values.items()}
        english = self.message.english
        return {"what": self.what, "path": self.path, "english": english, "values": values}


def faults(post: Post) -> list[Fault]:
    """Return why a post, or what is left of it, could not be taken."""
    if post.error:
        return [Fault("", "", Text(post.error))]
    return [
        Fault(each["what"], each["path"], Text(each["english"], each["values"]))
        for each in post.faults
    ]


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
    post: dict[str, Any] = {
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
        "faults": [],
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
            refused = await bodies.take(session, connection, post.topic, _json(post.body))
            if refused:
                _keep_refused(post, refused)
            else:
                _forget(post, "done")
    except Exception as error:
        if is_outage(error):
            raise
        if not isinstance(error, HiikiError):
            log.exception("purchases.post_failed", post=str(ident))
        async with scope(workspace_id) as session:
            await _note(session, ident, error)


def _keep_refused(post: Post, refused: Sequence[Refused]) -> None:
    """Keep of a post what could not be taken, and why; all else of it has come in."""
    post.body = bodies.joined(refused)
    post.attempts += 1
    post.error = ""
    post.faults = [
        Fault(each.name, path, text).kept()
        for each in refused[:FAULTS]
        for path, text in each.faults.items()
    ]
    _wait_or_fail(post, is_lasting=any(each.is_lasting for each in refused))


async def _note(session: WorkspaceSession, ident: UUID, error: Exception) -> None:
    post = await session.get(Post, ident, with_for_update=True)
    if post is None or post.state != "waiting":
        return
    post.attempts += 1
    post.error, post.faults = "", []
    if isinstance(error, HiikiError) and error.fields:
        post.faults = [Fault("", path, text).kept() for path, text in error.fields.items()][:FAULTS]
    else:
        known = error.message if isinstance(error, HiikiError) else HiikiError.default
        post.error = known.english % dict(known.values)
    # A body that cannot be read will not be readable tomorrow.
    _wait_or_fail(post, is_lasting=isinstance(error, Invalid | BadRequest))


def _wait_or_fail(post: Post, *, is_lasting: bool) -> None:
    if is_lasting or post.attempts >= ATTEMPTS:
        post.state = "failed"
    else:
        post.due_at = now() + FIRST_WAIT * 4 ** min(post.attempts - 1, 5)


def _forget(post: Post, state: str) -> None:
    post.state, post.body, post.done_at = state, b"", now()
    post.error, post.faults = "", []


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


async def forget_person(
    session: WorkspaceSession, keys: Collection[Key], references: Collection[str]
) -> None:
    """Forget what of the posts that could not be taken yet is about who is erased.

    `keys` are theirs, `references` what shops' systems call their orders inside.
    """
    waiting = await session.scalars(select(Post.id).where(Post.state.in_(("waiting", "failed"))))
    country = country_of((await session.known(Workspace, session.workspace_id)).timezone)
    connections = {one.id: one for one in await shops.all_connections(session)}
    for ident in list(waiting):
        # One that is being handled waits for us, and is then as one that was posted afterwards.
        post = await session.get(Post, ident, with_for_update={"skip_locked": True})
        if post is None:
            continue
        connection = connections[post.connection_id]
        parts = bodies.parts(connection, _json(post.body))
        left = [
            part
            for part in parts
            if part.reference not in references
            and not keys & set(normal(part.keys(connection.prefix), country))
        ]
        if not left:
            _forget(post, "dismissed")
        elif len(left) < len(parts):
            post.body, post.faults = bodies.joined(left), []


async def forget_old() -> int:
    """Delete what was done with long ago, and what nobody wanted any more."""
    # How long they are kept is the same for everybody.
    async with everywhere() as session:
        gone = await session.execute(
            delete(Post).where(Post.received_at < now() - KEPT_FOR).returning(Post.id)
        )
        return len(gone.all())
