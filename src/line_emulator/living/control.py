"""The control API's routes for people who live by themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

import msgspec

from ..audience.people import AREAS
from ..control.route import Ask, ControlError, Schema, control
from ..model import Json
from . import life
from .believable import believable
from .store import Behaviour, Buying, Goods, Thinking, Who

MAX_BEHAVIOURS = 50
_CHANCES = (
    "open", "play", "block", "quick_reply", "coupon", "button", "link", "menu", "answer",
    "follow", "unblock", "drop_in",
)  # fmt: skip
_GENDERS = ("male", "female", "unknown")
_SYSTEMS = ("ios", "android", "others")
_PARTS: dict[str, type[Any]] = {
    "who": Who,
    "before_opening": Thinking,
    "before_acting": Thinking,
    "buy": Buying,
}
_SECONDS = {
    "type": "object",
    "description": "seconds, log-normal",
    "properties": {name: {"type": "number"} for name in ("min", "median", "max")},
}
_BEHAVIOUR: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "channel": {"type": "string", "description": "all channels by default"},
        "who": {
            "type": "object",
            "description": "of those whom no earlier behaviour took",
            "properties": {
                "share": {"type": "number", "description": "0 to 1"},
                "users": {"type": "array", "items": {"type": "string"}},
                "gender": {"enum": list(_GENDERS)},
                "age_from": {"type": "integer"},
                "age_to": {"type": "integer"},
                "app_type": {"enum": list(_SYSTEMS)},
                "areas": {"type": "array", "items": {"type": "string"}},
            },
        },
        "before_opening": _SECONDS,
        "before_acting": _SECONDS,
        **{name: {"type": "number", "description": "a chance, 0 to 1"} for name in _CHANCES},
        "answers": {"type": "array", "items": {"type": "string"}},
        "visit": {"type": "boolean", "description": "really fetch the links that are tapped"},
        "buy": {
            "type": "object",
            "description": "orders as JSON, posted to `url`",
            "required": ["url"],
            "properties": {
                "url": {"type": "string"},
                "chance": {"type": "number"},
                "goods": {"type": "array", "items": {"type": "object"}},
                "most": {"type": "integer"},
                "headers": {"type": "object"},
                "fields": {"type": "object"},
            },
        },
        "most_a_day": {"type": "integer"},
    },
}


def _describe(ask: Ask) -> Json:
    here = life.living(ask.platform)
    return {
        "behaviours": [asdict(one) for one in here.behaviours],
        "seed": here.seed,
        "pace": here.pace,
        "paused": here.paused,
        "counts": here.counts,
        "about_to_act": sum(
            len(wave.plans) + len(wave.waiting) - wave.thought for wave in here.waves.values()
        ),
        "errands_pending": len(ask.platform.errands),
    }


@control(
    "GET",
    "/_emulator/behaviours",
    "How simulated people behave, and what they did",
    returns="The behaviours, pace, seed, and counts of what happened",
)
async def show(ask: Ask) -> Json:
    """Behaviours as they were set, with everything that was left out filled in."""
    return _describe(ask)


@control(
    "POST",
    "/_emulator/behaviours",
    "Let simulated people live by themselves",
    body={
        "type": "object",
        "properties": {
            "behaviours": {
                "description": 'a list, the first that takes a person counts; or "believable"',
                "anyOf": [{"type": "array", "items": _BEHAVIOUR}, {"enum": ["believable"]}],
            },
            "seed": {"type": "integer", "description": "other chances fall"},
            "pace": {"type": "number", "description": "everything so many times quicker"},
            "paused": {"type": "boolean", "description": "nobody acts until it is false again"},
        },
    },
    returns="The same as GET",
)
async def change(ask: Ask) -> Json:
    """Change what is named. New behaviours replace the old, and what people had in mind."""
    body = ask.object()
    unknown = set(body) - {"behaviours", "seed", "pace", "paused"}
    if unknown:
        raise ControlError(f"unknown: {', '.join(sorted(unknown))}")
    here = life.living(ask.platform)
    seed, pace, paused = body.get("seed"), body.get("pace"), body.get("paused")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise ControlError("seed must be a whole number")
    if pace is not None and (
        isinstance(pace, bool) or not isinstance(pace, (int, float)) or not 0 < pace <= 1e6
    ):
        raise ControlError("pace must be a number above 0, at most 1000000")
    if paused is not None and not isinstance(paused, bool):
        raise ControlError("paused must be true or false")
    behaviours = _read(ask, body["behaviours"]) if "behaviours" in body else None
    if seed is not None:
        here.seed = seed
    if pace is not None:
        here.pace = float(pace)
    if behaviours is not None:
        life.behave(ask.platform, behaviours)
    if paused is True:
        here.paused = True
    elif paused is False:
        life.resume(ask.platform)
    return _describe(ask)


@control("DELETE", "/_emulator/behaviours", "Let nobody do anything by themselves any more")
async def stop(ask: Ask) -> Json:
    """Forget behaviours, counts and what people had in mind."""
    life.behave(ask.platform, [])
    life.living(ask.platform).counts.clear()
    return _describe(ask)


# Reading


def _read(ask: Ask, given: Any) -> list[Behaviour]:
    if given == "believable":
        return believable()
    if not isinstance(given, list):
        raise ControlError('behaviours must be a list, or "believable"')
    several = cast(list[Any], given)
    if len(several) > MAX_BEHAVIOURS:
        raise ControlError(f"at most {MAX_BEHAVIOURS} behaviours")
    return [_read_one(ask, one, f"behaviours[{place}]") for place, one in enumerate(several)]


def _read_one(ask: Ask, given: Any, where: str) -> Behaviour:
    _check_names(given, Behaviour, where)
    for name, kind in _PARTS.items():
        if given.get(name) is not None:
            _check_names(given[name], kind, f"{where}.{name}")
    buy: Json = given.get("buy") or {}
    goods = buy.get("goods")
    for place, one in enumerate(cast(list[Any], goods if isinstance(goods, list) else [])):
        _check_names(one, Goods, f"{where}.buy.goods[{place}]")
    try:
        behaviour = msgspec.convert(given, Behaviour)
    except msgspec.ValidationError as error:
        raise ControlError(f"{where}: {error}") from None
    _check(ask, behaviour, where)
    return behaviour


def _check_names(given: Any, kind: type[Any], where: str) -> None:
    if not isinstance(given, dict):
        raise ControlError(f"{where} must be an object")
    unknown = set(cast(Json, given)) - set(kind.__dataclass_fields__)
    if unknown:
        raise ControlError(f"{where} knows no {', '.join(sorted(unknown))}")


def _check(ask: Ask, one: Behaviour, where: str) -> None:
    chances = {name: cast(float, getattr(one, name)) for name in _CHANCES}
    chances["who.share"] = one.who.share
    if one.buy is not None:
        chances["buy.chance"] = one.buy.chance
        if not one.buy.url.startswith(("http://", "https://")):
            raise ControlError(f"{where}.buy.url must be an http or https address")
        if not 1 <= one.buy.most <= 1000:
            raise ControlError(f"{where}.buy.most must be from 1 to 1000")
        if any(not text.isprintable() for pair in one.buy.headers.items() for text in pair):
            raise ControlError(f"{where}.buy.headers must be printable")
    for name, chance in chances.items():
        if not 0 <= chance <= 1:
            raise ControlError(f"{where}.{name} must be from 0 to 1")
    for name, pause in (
        ("before_opening", one.before_opening),
        ("before_acting", one.before_acting),
    ):
        if not 0 <= pause.min <= pause.median <= pause.max <= 30 * 86_400:
            raise ControlError(f"{where}.{name} needs 0 <= min <= median <= max <= 30 days")
    if one.channel is not None and one.channel not in ask.platform.channels:
        raise ControlError(f"{where}: no such channel: {one.channel}", 404)
    if one.who.gender not in (None, *_GENDERS):
        raise ControlError(f"{where}.who.gender must be one of {', '.join(_GENDERS)}")
    if one.who.app_type not in (None, *_SYSTEMS):
        raise ControlError(f"{where}.who.app_type must be one of {', '.join(_SYSTEMS)}")
    for area in one.who.areas or ():
        if area not in AREAS and area != "unknown":
            raise ControlError(f"{where}.who.areas: no such area: {area}")
    if one.answer and not one.answers:
        raise ControlError(f"{where}.answer needs `answers`")
    if one.buy is not None and one.buy.chance and not one.buy.goods:
        raise ControlError(f"{where}.buy needs `goods`")
