"""Coupons in the control API: what people have got and used."""

from __future__ import annotations

from ..control.route import Ask, ControlError, control
from ..model import Json
from . import acts  # pyright: ignore[reportUnusedImport]  # noqa: F401 - registers the acts
from .operations import described
from .store import Coupon, Coupons


def _described(ask: Ask, coupon: Coupon) -> Json:
    tickets = coupon.tickets.values()
    return described(coupon, ask.platform.clock.now()) | {
        "opened": len(tickets),
        "got": sum(one.won for one in tickets),
        "used": sum(len(one.used_at) for one in tickets),
    }


@control("GET", "/_emulator/coupons", "A channel's coupons", returns="Coupons with counts")
async def listing(ask: Ask) -> Json:
    """How many people opened, got and used each coupon."""
    coupons = ask.channel().store.of(Coupons).by_id.values()
    return {"coupons": [_described(ask, one) for one in coupons]}


@control("GET", "/_emulator/coupons/{coupon}", "Who got a coupon", returns="The coupon's tickets")
async def one(ask: Ask) -> Json:
    """Every person who opened it: won, and when it was used."""
    wanted = ask.request.match_info["coupon"]
    coupon = ask.channel().store.of(Coupons).by_id.get(wanted)
    if coupon is None:
        raise ControlError(f"no such coupon: {wanted}", 404)
    return _described(ask, coupon) | {
        "tickets": [
            {"user": user_id, "at": one.at, "won": one.won, "used_at": one.used_at}
            for user_id, one in coupon.tickets.items()
        ]
    }
