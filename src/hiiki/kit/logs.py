"""Log lines: one shape for all of Hiiki, and never a secret in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, cast

import structlog

_SECRET_NAME = re.compile(
    r"secret|token|password|cookie|authorization|signature|api_key|sealing", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"(?P<name>bearer\s+|hiiki_session=|csrftoken=|access_token=|password=)[^\s;,&'\"]+"
    r"|hiiki_[A-Za-z0-9_-]{40,}",
    re.IGNORECASE,
)
REDACTED = "[redacted]"


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Take secrets out of a log line, by their names and by their looks."""
    return cast("dict[str, Any]", _clean(event))


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value)
        return {
            name: REDACTED
            if isinstance(name, str) and _SECRET_NAME.search(name) and inner
            else _clean(inner)
            for name, inner in pairs.items()
        }
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in cast("list[Any]", value)]
    if isinstance(value, str):
        return _SECRET_VALUE.sub(lambda found: (found["name"] or "") + REDACTED, value)
    return value


def configure_logs(*, as_json: bool = False, level: str = "info") -> None:
    """Send this process's log lines, those of libraries too, to standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    logging.getLogger("hiiki").setLevel(number)
