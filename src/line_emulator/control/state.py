"""State, reset, clock, faults and the list of operations."""

from __future__ import annotations

from typing import Any, cast

from ..api.operation import OPERATIONS
from ..faults import KINDS
from ..model import Json
from .route import Ask, ControlError, control


@control("GET", "/_emulator/state", "Counts and the clock", returns="Counts")
async def state(ask: Ask) -> Json:
    """How many of everything there are, and what time it is."""
    platform = ask.platform
    return {
        "channels": len(platform.channels),
        "users": len(platform.users),
        "friends": {
            channel.id: sum(1 for _ in platform.friends(channel))
            for channel in platform.channels.values()
        },
        "deliveries": platform.deliveries.last,
        "requests": platform.requests.last,
        "webhooks_pending": platform.webhooks.pending(),
        "duties_pending": len(platform.agenda),
        "faults": len(platform.faults.rules),
        "own_errors": platform.own_errors,
        "clock": _clock(ask),
    }


@control("POST", "/_emulator/reset", "Start again: same channels, ids and tokens, nothing else")
async def reset(ask: Ask) -> Json:
    """Forget users, messages, faults, settings and the clock."""
    await ask.platform.reset()
    return {"channels": [channel.public() for channel in ask.platform.channels.values()]}


def _clock(ask: Ask) -> Json:
    clock = ask.platform.clock
    return {"now": clock.now(), "now_ms": clock.now_ms(), "frozen": clock.frozen}


@control("GET", "/_emulator/clock", "What time it is", returns="The clock")
async def read_clock(ask: Ask) -> Json:
    """The emulated time."""
    return _clock(ask)


@control(
    "POST",
    "/_emulator/clock",
    "Freeze, advance or free the clock",
    body={
        "type": "object",
        "properties": {
            "freeze": {
                "description": "true: now; a number: seconds since 1970; false: back to real time",
                "oneOf": [{"type": "boolean"}, {"type": "number"}],
            },
            "advance": {"type": "number", "minimum": 0, "description": "seconds"},
            "real": {"type": "boolean"},
        },
    },
    returns="The clock",
)
async def set_clock(ask: Ask) -> Json:
    """Reply tokens, retry keys, token lifetimes and quota months follow this clock."""
    body = ask.object()
    clock = ask.platform.clock
    freeze: Any = body.get("freeze")
    if freeze is False or body.get("real"):
        clock.real()
    elif freeze is True:
        clock.freeze()
    elif isinstance(freeze, (int, float)):
        clock.freeze(float(freeze))
    advance: Any = body.get("advance")
    if advance is not None:
        if isinstance(advance, bool) or not isinstance(advance, (int, float)) or advance < 0:
            raise ControlError("advance must be a number of seconds, not negative")
        clock.advance(float(advance))
    ask.platform.agenda.wake()
    return _clock(ask)


_RULE = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"type": "string", "enum": list(KINDS)},
        "on": {
            "enum": ["api", "webhook"],
            "description": "requests of bots (by default), or LINE's posts to them",
        },
        "match": {
            "type": "object",
            "properties": {
                "method": {"type": "string"},
                "path": {"type": "string", "description": "prefix of the path"},
                "channel": {"type": "string"},
                "user": {"type": "string", "description": "named in the path or the body"},
            },
        },
        "nth": {"description": "the nth matching requests (1 is the first): a number or a list"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "count": {"type": "integer", "description": "strike at most so often"},
        "seconds": {"type": "number", "description": "how long `slow` waits"},
        "accept": {
            "type": "boolean",
            "description": "timeout and reset: do the work before the answer is lost",
        },
    },
}


@control(
    "POST",
    "/_emulator/faults",
    "Add fault rules",
    body={"type": "object", "properties": {"rules": {"type": "array", "items": _RULE}}},
    returns="The rules added",
)
async def add_faults(ask: Ask) -> Json:
    """One rule or several: `{"rules": [...]}`, a list, or a single rule."""
    body = ask.body
    rules: Any = body
    if isinstance(body, dict):
        given = cast(Json, body)
        rules = given.get("rules", [given])
    if not isinstance(rules, list) or not all(isinstance(r, dict) for r in cast(list[Any], rules)):
        raise ControlError("rules must be a list of objects")
    try:
        added = [ask.platform.faults.add(rule) for rule in cast(list[Json], rules)]
    except (ValueError, TypeError, AttributeError) as error:
        raise ControlError(str(error)) from None
    return {"rules": [rule.describe() for rule in added]}


@control("GET", "/_emulator/faults", "Fault rules and what they did", returns="The rules")
async def list_faults(ask: Ask) -> Json:
    """All rules in force."""
    return {"rules": [rule.describe() for rule in ask.platform.faults.rules]}


@control("DELETE", "/_emulator/faults", "Lift all fault rules, or the one with `id`",
         query={"id": "of one rule"})  # fmt: skip
async def clear_faults(ask: Ask) -> Json:
    """Lift rules."""
    rule = ask.request.query.get("id")
    ask.platform.faults.remove(int(rule) if rule and rule.isdigit() else None)
    return {"rules": [rule.describe() for rule in ask.platform.faults.rules]}


@control("GET", "/_emulator/operations", "What of LINE's API is served", returns="METHOD path list")
async def operations(ask: Ask) -> Json:
    """`METHOD path` of every operation implemented."""
    return {"operations": sorted(f"{one.method} {one.path}" for one in OPERATIONS)}
