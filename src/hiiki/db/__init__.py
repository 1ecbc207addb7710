"""PostgreSQL: the engine, the gate between workspaces, migrations, the embedded server."""

from hiiki.db.base import WORKED_OUT, Base, Identified, Owned, OwnedInBulk
from hiiki.db.gate import Unscoped, WorkspaceSession, everywhere, scope

__all__ = [
    "WORKED_OUT",
    "Base",
    "Identified",
    "Owned",
    "OwnedInBulk",
    "Unscoped",
    "WorkspaceSession",
    "everywhere",
    "scope",
]
