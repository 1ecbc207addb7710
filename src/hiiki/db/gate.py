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

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from hiiki.db.base import Base, Owned
from hiiki.db.engine import engine
from hiiki.kit.errors import NotFound

_WORKSPACE = "workspace_id"
_EVERYWHERE = "everywhere"
_KNOWN = "known"
T = TypeVar("T", bound=Base)


class Unscoped(RuntimeError):
    """A programming error: workspace data was touched outside its workspace's scope."""


class GatedSession(Session):
    """The synchronous heart of every session; only it carries the gate's listeners."""


@event.listens_for(GatedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    info = state.session.info
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

    async def known(self, kind: type[T], ident: Any) -> T:
        """Return the row as `one` does, but ask for it only once in this transaction.

        For what many events of a transaction need and none of them changes: the workspace, a
        survey. (A session forgets a row as soon as nobody holds it.)
        """
        kept: dict[tuple[type[Base], Any], Base] = self.info.setdefault(_KNOWN, {})
        found = kept.get((kind, ident))
        if found is None:
            found = kept[(kind, ident)] = await self.one(kind, ident)
        return cast("T", found)


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
