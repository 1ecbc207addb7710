"""Reading request bodies the way LINE does: what is allowed, and the error JSON when it is not."""

from __future__ import annotations

from typing import Any, cast

from ..model import Json
from .core import Check
from .report import Report, Unreadable

__all__ = ["problem"]


def problem(check: Check, body: Any) -> Json | None:
    """Check a parsed request body; returns LINE's error JSON, or None if all is well."""
    report = Report()
    if not isinstance(body, dict):
        return {"message": "The request body could not be parsed as JSON (line: 1, column: 1)"}
    try:
        check(cast(Json, body), None, report)
    except Unreadable as error:
        return {"message": str(error)}
    return report.answer() if report else None
