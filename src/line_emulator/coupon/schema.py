"""The body of "Create a coupon" (reference), with the words that LINE has for coupons.

They differ a little from those for messages: texts have a size, lists of values no spaces.
"""

from __future__ import annotations

from typing import Any

from ..model import Json
from ..validation.core import Check, Rule, as_object, obj, url, utf16_length
from ..validation.report import Path, Report

_ZONES = """
    ETC_GMT_MINUS_12 ETC_GMT_MINUS_11 PACIFIC_HONOLULU AMERICA_ANCHORAGE AMERICA_LOS_ANGELES
    AMERICA_PHOENIX AMERICA_CHICAGO AMERICA_NEW_YORK AMERICA_CARACAS AMERICA_SANTIAGO
    AMERICA_ST_JOHNS AMERICA_SAO_PAULO ETC_GMT_MINUS_2 ATLANTIC_CAPE_VERDE EUROPE_LONDON
    EUROPE_PARIS EUROPE_ISTANBUL EUROPE_MOSCOW ASIA_TEHRAN ASIA_TBILISI ASIA_KABUL ASIA_TASHKENT
    ASIA_COLOMBO ASIA_KATHMANDU ASIA_ALMATY ASIA_RANGOON ASIA_BANGKOK ASIA_TAIPEI ASIA_TOKYO
    AUSTRALIA_DARWIN AUSTRALIA_SYDNEY ASIA_VLADIVOSTOK ETC_GMT_PLUS_12 PACIFIC_TONGATAPU
"""
TIMEZONES = tuple(_ZONES.split())
REWARDS = ("discount", "free", "gift", "cashBack", "others")
_LATEST = 253_402_300_799
"""The end of the year 9999."""
_AMOUNTS: dict[str, tuple[str, ...]] = {
    "fixed": ("fixedAmount",),
    "percentage": ("percentage",),
    "explicit": ("originalPrice", "priceAfterDiscount"),
}
_PRICES = {"discount": ("fixed", "percentage", "explicit"), "cashBack": ("fixed", "percentage")}


def must_be_one_of(path: Path, values: tuple[str, ...], report: Report) -> None:
    """Complain about a value that is none of these."""
    report.invalid(path, f"Must be one of the following values: [{','.join(values)}]")


def must_be_between(path: Path, value: float, low: float, high: float, report: Report) -> None:
    """Complain about a number that is too small or too large."""
    if value < low:
        report.invalid(path, f"Must be greater than or equal to {low}")
    elif value > high:
        report.invalid(path, f"Must be less than or equal to {high}")


def _text(high: int, low: int = 0) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
        elif not low <= utf16_length(value) <= high:
            report.invalid(path, f"Size must be between {low} and {high}")

    return check


def _one_of(*values: str) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if not isinstance(value, str):
            report.unreadable(path)
        elif value not in values:
            must_be_one_of(path, values, report)

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any, path: Path, report: Report) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            report.unreadable(path)
        else:
            must_be_between(path, value, low, high, report)

    return check


def _minus_one_or(low: int, high: int) -> Check:
    """A whole number in the range, or -1 for no limit."""
    inside = _whole(low, high)

    def check(value: Any, path: Path, report: Report) -> None:
        if value != -1:
            inside(value, path, report)

    return check


_CONDITION = obj(
    {"type": _one_of("normal", "lottery")},
    {"lotteryProbability": _whole(1, 99), "maxAcquireCount": _minus_one_or(1, 999_999)},
)


def _condition(value: Any, path: Path, report: Report) -> None:
    _CONDITION(value, path, report)
    given = as_object(value)
    for name in ("lotteryProbability", "maxAcquireCount"):
        if given.get("type") == "lottery" and given.get(name) is None:
            report.missing((path, name))
        elif given.get("type") == "normal" and given.get(name) is not None:
            report.invalid((path, name), "Must not be specified")


def _price_of(reward: str) -> Check:
    amount = _whole(1, 2**53)

    def amounts_fit(price: Json, path: Path, report: Report) -> None:
        kind = price.get("type")
        if isinstance(kind, str) and kind in _PRICES[reward]:
            _amounts_fit(_AMOUNTS[kind], price, path, report)

    return obj(
        {"type": _one_of(*_PRICES[reward])},
        {
            "fixedAmount": amount,
            "percentage": _whole(1, 99),
            "originalPrice": amount,
            "priceAfterDiscount": amount,
        },
        amounts_fit,
    )


def _amounts_fit(wanted: tuple[str, ...], price: Json, path: Path, report: Report) -> None:
    for names in _AMOUNTS.values():
        for name in names:
            if name in wanted and price.get(name) is None:
                report.missing((path, name))
            elif name not in wanted and price.get(name) is not None:
                report.invalid((path, name), "Must not be specified")


_PRICE_CHECKS = {reward: _price_of(reward) for reward in _PRICES}
_REWARD_TYPE = obj({"type": _one_of(*REWARDS)})


def _reward(value: Any, path: Path, report: Report) -> None:
    _REWARD_TYPE(value, path, report)
    given = as_object(value)
    kind, price = given.get("type"), given.get("priceInfo")
    if not isinstance(kind, str) or kind not in REWARDS:
        return
    check = _PRICE_CHECKS.get(kind)
    if check is None:
        if price is not None:
            report.invalid((path, "priceInfo"), "Must not be specified")
    elif price is None:
        report.missing((path, "priceInfo"))
    else:
        check(price, (path, "priceInfo"), report)


def _use_count(value: Any, path: Path, report: Report) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        report.unreadable(path)
    elif value not in (1, -1):
        must_be_one_of(path, ("1", "-1"), report)


def create(now: float) -> Check:
    """The check for a coupon that is made at `now`, seconds since 1970."""

    def in_order(coupon: Json, path: Path, report: Report) -> None:
        start, end = coupon.get("startTimestamp"), coupon.get("endTimestamp")
        if not isinstance(end, int) or not isinstance(start, int):
            return
        if end < now or end <= start:
            report.invalid((path, "endTimestamp"), "Must be after the start and the current time")

    rule: Rule = in_order
    moment = _whole(0, _LATEST)
    return obj(
        {
            "title": _text(60, 1),
            "acquisitionCondition": _condition,
            "maxUseCountPerTicket": _use_count,
            "startTimestamp": moment,
            "endTimestamp": moment,
            "timezone": _one_of(*TIMEZONES),
            "reward": _reward,
            "visibility": _one_of("PUBLIC", "UNLISTED"),
        },
        {
            "description": _text(1000),
            "imageUrl": _IMAGE,
            "barcodeImageUrl": _IMAGE,
            "couponCode": _text(16),
            "usageCondition": _text(100),
        },
        rule,
    )


_IMAGE = url(2000, "https")
