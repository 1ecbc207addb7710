"""Reading form bodies, and OAuth's error answers (reference, "Channel access token")."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import parse_qsl

from ..api.operation import Call, LineError


def form(call: Call) -> dict[str, str]:
    """The fields of a form body. Raises LineError when it cannot be read."""
    try:
        return dict(parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        refuse("invalid_request", "The request body could not be read")


def refuse(error: str, description: str | None = None, status: int = 400) -> NoReturn:
    """Raise OAuth's error JSON."""
    body = {"error": error}
    if description is not None:
        body["error_description"] = description
    raise LineError(status, body)
