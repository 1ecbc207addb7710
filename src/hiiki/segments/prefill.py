"""Links from other pages into the builder: a new segment with its rule already in it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hiiki.kit.errors import Invalid
from hiiki.segments.rules import AnyRule, read_rule


def new_segment_url(rule: dict[str, Any], name: str = "") -> str:
    """Return the address of the builder with this rule (as JSON takes it) and name in it."""
    given = json.dumps(rule, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"/segments/new?{urlencode({'name': name, 'rule': given})}"


def rule_in(given: str) -> AnyRule | None:
    """Return the rule that such an address holds; None when it holds none that can be read."""
    try:
        return read_rule(json.loads(given))
    except (ValueError, RecursionError, Invalid):
        return None
