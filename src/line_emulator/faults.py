"""Faults on demand: what can go wrong between a bot and LINE, by rule."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from .model import Json

FaultKind = Literal[
    "500_before", "500_after", "timeout", "reset", "slow", "429", "401", "400", "signature",
]  # fmt: skip
Side = Literal["api", "webhook"]
KINDS: tuple[str, ...] = get_args(FaultKind)
ONLY_API = frozenset({"429", "401", "400"})
ONLY_WEBHOOK = frozenset({"signature"})
LONGEST_SLOW = 600.0


@dataclass(slots=True)
class Fault:
    """One rule: which requests it meets and what happens to them.

    `on` is "api" for requests of bots to LINE, "webhook" for LINE's posts to bots. There "before"
    means that the post never arrives, "after" (or `accept`) that it does, but LINE takes it as
    failed; "signature" signs it wrongly.

    `nth` picks the nth matching requests (1 is the first), `chance` picks by lot, `count` is how
    often the rule may strike in all. `accept` says for "timeout" and "reset" whether LINE has done
    the work before the answer is lost. `seconds` is how long "slow" waits.
    """

    id: int
    kind: FaultKind
    on: Side = "api"
    method: str | None = None
    path: str | None = None
    channel: str | None = None
    user: str | None = None
    nth: frozenset[int] | None = None
    chance: float | None = None
    count: int | None = None
    seconds: float = 1.0
    accept: bool = False
    seen: int = field(default=0)
    struck: int = field(default=0)

    def meets(self, method: str, path: str, channel: str | None, body: bytes) -> bool:
        """Whether a request is of the kind this rule is about."""
        return (
            (self.method is None or self.method == method)
            and (self.path is None or path.startswith(self.path))
            and (self.channel is None or self.channel == channel)
            and (self.user is None or self.user in path or self.user.encode() in body)
        )

    def describe(self) -> Json:
        """The rule and what it has done so far, for the control API."""
        return {
            "id": self.id,
            "kind": self.kind,
            "on": self.on,
            "match": {
                "method": self.method,
                "path": self.path,
                "channel": self.channel,
                "user": self.user,
            },
            "nth": sorted(self.nth) if self.nth else None,
            "probability": self.chance,
            "count": self.count,
            "seconds": self.seconds,
            "accept": self.accept,
            "seen": self.seen,
            "struck": self.struck,
        }


class Faults:
    """The rules in force, asked in order; the first that strikes wins."""

    def __init__(self, rng: random.Random) -> None:
        self.rules: list[Fault] = []
        self._rng = rng
        self._ids = itertools.count(1)

    def add(self, spec: Json) -> Fault:
        """Add a rule from the control API's JSON. Raises ValueError with a sentence."""
        kind, on = spec.get("kind"), spec.get("on", "api")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if on not in get_args(Side):
            raise ValueError("on must be api or webhook")
        if kind in (ONLY_API if on == "webhook" else ONLY_WEBHOOK):
            raise ValueError(f"{kind} makes no sense on {on}")
        match: Any = spec.get("match") or {}
        if not isinstance(match, dict):
            raise ValueError("match must be an object")
        where = cast(Json, match)
        unknown = set(where) - {"method", "path", "channel", "user"}
        if unknown:
            raise ValueError(f"match does not know {', '.join(sorted(unknown))}")
        if not all(one is None or isinstance(one, str) for one in where.values()):
            raise ValueError("what match compares with must be text")
        method: str | None = where.get("method")
        rule = Fault(
            id=next(self._ids),
            kind=cast(FaultKind, kind),
            on=cast(Side, on),
            method=method.upper() if method else None,
            path=where.get("path"),
            channel=where.get("channel"),
            user=where.get("user"),
            nth=_places(spec.get("nth")),
            chance=_number(spec, "probability", None, 1),
            count=_whole(spec.get("count")),
            seconds=_number(spec, "seconds", 1.0, LONGEST_SLOW) or 0.0,
            accept=spec.get("accept") is True,
        )
        self.rules.append(rule)
        return rule

    def restore(self, rules: list[Fault]) -> None:
        """Put rules in force with what they have counted so far."""
        self.rules = rules
        self._ids = itertools.count(max((rule.id for rule in rules), default=0) + 1)

    def strike(
        self, method: str, path: str, channel: str | None, body: bytes, on: Side = "api"
    ) -> Fault | None:
        """The rule that strikes this request, if any.

        Every rule counts what it saw, also when an earlier one strikes: "the second push" means
        the second push of all.
        """
        striking: Fault | None = None
        for rule in self.rules:
            if rule.on != on or not rule.meets(method, path, channel, body):
                continue
            rule.seen += 1
            if striking is None and self._is_due(rule):
                rule.struck += 1
                striking = rule
        return striking

    def _is_due(self, rule: Fault) -> bool:
        if rule.count is not None and rule.struck >= rule.count:
            return False
        if rule.nth is not None and rule.seen not in rule.nth:
            return False
        return rule.chance is None or self._rng.random() < rule.chance

    def remove(self, rule_id: int | None = None) -> None:
        """Lift one rule, or all."""
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]


def _whole(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError("nth and count must be whole numbers")
    return value


def _places(value: Any) -> frozenset[int] | None:
    if value is None:
        return None
    given = cast(list[Any], value) if isinstance(value, list) else [value]
    places = frozenset(place for one in given if (place := _whole(one)) is not None)
    if not places or 0 in places:
        raise ValueError("nth counts from 1")
    return places


def _number(spec: Json, name: str, default: float | None, high: float) -> float | None:
    value: Any = spec.get(name, default)
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high
    ):
        raise ValueError(f"{name} must be between 0 and {high:g}")
    return value
