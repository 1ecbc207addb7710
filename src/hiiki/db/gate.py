"""The wall between workspaces: the one way to a database session.

`scope(workspace_id)` opens a transaction in which every query on an `Owned` table is
narrowed to that workspace, whoever wrote the query, and every new row gets that
workspace's id. A query on an `Owned` table outside a scope raises `Unscoped`.

Set-based statements that are written with Core tables are not rewritten; they carry
their own `workspace_id` and say so with `execution_options(scoped_by_hand=True)`, which
a reader (and a test) can look for. `everywhere()` is for the few things that concern
all workspaces: log-in, the webhook's address, the workers' queues.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Row, TextClause, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from hiiki.db import gathered, rows
from hiiki.db.base import Base, Owned
from hiiki.db.engine import engine
from hiiki.kit.errors import NotFound

_WORKSPACE = "workspace_id"
_EVERYWHERE = "everywhere"
_COMPANY = "company"
T = TypeVar("T", bound=Base)
V = TypeVar("V")


class Unscoped(RuntimeError):
    """A programming error: workspace data was touched outside its workspace's scope."""


class GatedSession(Session):
    """The synchronous heart of every session; only it carries the gate's listeners."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what is gathered (`hiiki.db.gathered`), then what changed in rows."""
        gathered.write_gathered(self)
        if self.dirty or self.deleted:
            gathered.wrote(self)
        super().flush(objects)


gathered.listen(GatedSession)


@event.listens_for(GatedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    info = state.session.info
    gathered.write_gathered(state.session)
    if not state.is_select:
        gathered.wrote(state.session)
    if info.get(_EVERYWHERE) or state.execution_options.get("scoped_by_hand"):
        return
    workspace_id = info[_WORKSPACE]
    if state.is_orm_statement:
        if state.is_column_load or state.is_relationship_load:
            return  # the row these belong to has already passed the gate
        state.statement = state.statement.options(
            with_loader_criteria(
                Owned,
                lambda cls: cls.workspace_id == workspace_id,  # pyright: ignore[reportUnknownLambdaType,reportUnknownMemberType]
                include_aliases=True,
            )
        )
        return
    raise Unscoped(
        "a Core or text statement must carry its own workspace_id and say "
        "execution_options(scoped_by_hand=True)"
    )


@event.listens_for(GatedSession, "before_flush")
def _stamp(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    workspace_id = session.info.get(_WORKSPACE)
    if workspace_id is None:
        return
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Owned):
            if getattr(row, "workspace_id", None) is None:
                row.workspace_id = workspace_id
            elif row.workspace_id != workspace_id:
                raise Unscoped(f"{type(row).__name__} belongs to another workspace")


class WorkspaceSession(AsyncSession):
    """An `AsyncSession` that knows its workspace."""

    sync_session_class = GatedSession

    @property
    def workspace_id(self) -> UUID:
        """The workspace whose rows this session sees; raises `Unscoped` in `everywhere()`."""
        found = self.info.get(_WORKSPACE)
        if found is None:
            raise Unscoped("this session is not in a workspace's scope")
        return found

    async def one(self, kind: type[T], ident: Any) -> T:
        """Return the row with this primary key; raises `NotFound` when there is none here."""
        found = await self.get(kind, ident)
        if found is None:
            raise NotFound()
        return found

    async def once(self, key: Hashable, ask: Callable[[], Awaitable[V]]) -> V:
        """Return what `ask` gives, asking only once in this transaction.

        For what many events of a transaction need and none of them changes: it is asked without
        writing before it what is gathered.
        """
        kept: dict[Hashable, Any] = self.info.setdefault(gathered.KNOWN, {})
        if key not in kept:
            with self.no_autoflush, gathered.held(self.sync_session):
                kept[key] = await ask()
        return cast("V", kept[key])

    async def known(self, kind: type[T], ident: Any) -> T:
        """Return the row as `one` does, but ask for it only once: the workspace, a survey.

        (A session forgets a row as soon as nobody holds it.)
        """
        return await self.once((kind, ident), lambda: self.one(kind, ident))

    def deals_with(self, contact_ids: Iterable[UUID]) -> None:
        """Say whom this transaction is about: what is asked of one is asked of all (`ahead`)."""
        self.info[_COMPANY] = dict.fromkeys(contact_ids)

    async def ahead(
        self,
        what: Hashable,
        contact_id: UUID,
        ask: Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, V]]],
    ) -> V | None:
        """Return what `ask` finds of a person, or None.

        `ask` is called with all people whom this transaction deals with, once for each `what`.
        Whoever is going to change what is found asks first, and changes it there, too. For
        anybody else, and where nobody said whom it deals with, `ask` is called each time.
        """
        company: dict[UUID, None] = self.info.get(_COMPANY, {})
        if contact_id not in company:
            return (await ask([contact_id])).get(contact_id)
        found = await self.once(("ahead", what), lambda: ask(list(company)))
        return found.get(contact_id)

    def gather(self, write: gathered.Write, row: Any) -> None:
        """Have this row written by `write`, with all others that are gathered for it."""
        gathered.gather(self.sync_session, write, row)

    def write(self, row: Base, ending: str = "") -> None:
        """Have a new row inserted with all others of its table that this transaction writes.

        As `add` does, but the row stays an object that belongs to no session. `ending` is what
        the statement ends with, such as `on conflict do nothing`.
        """
        if isinstance(row, Owned) and row.workspace_id != self.workspace_id:
            raise Unscoped(f"{type(row).__name__} belongs to another workspace")
        rows.complete(row)
        self.gather(rows.inserting(type(row), ending), row)

    async def apart(self, statement: TextClause, values: Mapping[str, Any]) -> Row[Any] | None:
        """Execute a statement for one person, without writing before it what is gathered.

        It must have nothing to do with any of that, and carry its own `workspace_id`, as Core
        statements do. Returns the first row, if there is any.
        """
        gathered.wrote(self.sync_session)
        connection = await self.connection()
        done = await connection.execute(
            statement, values, execution_options={"scoped_by_hand": True}
        )
        return done.first()

    @property
    def writes(self) -> int:
        """A number that stays the same as long as nothing is written in this transaction."""
        if self.dirty or self.deleted:
            gathered.wrote(self.sync_session)
        return gathered.writes(self.sync_session)


@asynccontextmanager
async def scope(workspace_id: UUID) -> AsyncGenerator[WorkspaceSession]:
    """Open one transaction inside a workspace; commits at the end, rolls back on an error."""
    async with (
        WorkspaceSession(
            engine(), expire_on_commit=False, autoflush=True, info={_WORKSPACE: workspace_id}
        ) as session,
        session.begin(),
    ):
        yield session


@asynccontextmanager
async def everywhere() -> AsyncGenerator[WorkspaceSession]:
    """Open one transaction that sees all workspaces. Say in a comment why it has to."""
    async with (
        WorkspaceSession(engine(), expire_on_commit=False, info={_EVERYWHERE: True}) as session,
        session.begin(),
    ):
        yield session
