"""Who is asking: the log-in or token behind a request, and what it may do.

Handlers take `access: Access` and `session: WorkspaceSession`; both are given by `web`.
What is not said is the safe default: reading needs any role, changing needs an
operator. A handler that needs the owner says `opt={"role": "owner"}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Forbidden
from hiiki.workspace.models import ROLES, AuditEntry

SESSION_COOKIE = "hiiki_session"
LOCALE_COOKIE = "hiiki_lang"


@dataclass(frozen=True, slots=True)
class Access:
    """One request's standing in one workspace."""

    workspace_id: UUID
    workspace_name: str
    timezone: str
    role: str
    locale: str
    actor_kind: str
    """staff or token."""
    actor_id: UUID
    actor_name: str
    staff_id: UUID | None = None

    def may(self, role: str) -> bool:
        """True when this one's role is `role` or more."""
        return ROLES.index(self.role) <= ROLES.index(role)

    def require(self, role: str) -> None:
        """Raise `Forbidden` unless this one's role is `role` or more."""
        if not self.may(role):
            raise Forbidden()


def audit(
    session: WorkspaceSession, access: Access, action: str, subject: object = "", **data: Any
) -> None:
    """Write down, in the same transaction, that `access` did `action` (`segments.delete`)."""
    session.add(
        AuditEntry(
            actor_kind=access.actor_kind,
            actor_id=access.actor_id,
            actor_name=access.actor_name,
            action=action,
            subject=str(subject),
            data=data,
        )
    )
