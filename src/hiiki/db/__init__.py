"""PostgreSQL: the engine, the gate between workspaces, migrations, the embedded server."""

from hiiki.db.base import Base, Identified, Owned
from hiiki.db.gate import Unscoped, WorkspaceSession, everywhere, scope

__all__ = ["Base", "Identified", "Owned", "Unscoped", "WorkspaceSession", "everywhere", "scope"]
