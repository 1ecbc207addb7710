"""Whether a coupon message can be sent: the coupon exists and is not over."""

from __future__ import annotations

from ..model import Channel, Json
from ..platform import Platform
from ..validation.report import Report
from .store import Coupons


def missing_coupons(platform: Platform, channel: Channel, messages: list[Json]) -> Json | None:
    """LINE's error JSON for coupon messages with a coupon that the channel does not have.

    LINE publishes no wording for it; that of "Discontinue a coupon" is used.
    """
    report = Report()
    by_id = channel.store.of(Coupons).by_id
    now = platform.clock.now()
    for index, message in enumerate(messages):
        if message.get("type") != "coupon":
            continue
        path = (((None, "messages"), index), "couponId")
        coupon = by_id.get(message["couponId"])
        if coupon is None:
            report.invalid(path, "coupon not found")
        elif coupon.status(now) == "CLOSED":
            report.invalid(path, "The coupon has already been closed.")
    return report.answer() if report else None
