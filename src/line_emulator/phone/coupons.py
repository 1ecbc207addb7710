"""Coupons on the phone: what a coupon message shows, and the coupon itself with its buttons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from markupsafe import Markup

from ..clock import JST
from ..coupon.store import Coupon, Coupons, Ticket
from ..model import Channel, Json, User
from ..platform import Platform
from .shell import join
from .words import word


def shown(channel: Channel, messages: list[Json]) -> dict[str, Json]:
    """What coupon messages show of their coupons, by coupon id."""
    wanted = {message["couponId"] for message in messages if message.get("type") == "coupon"}
    if not wanted:
        return {}
    known = channel.store.of(Coupons).by_id
    return {one: _summary(known[one]) for one in wanted if one in known}


def _summary(coupon: Coupon) -> Json:
    body = coupon.body
    return {
        "title": body["title"],
        "imageUrl": body.get("imageUrl"),
        "until": _moment(body["endTimestamp"]),
        "lottery": coupon.lottery,
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, JST).strftime("%Y/%m/%d %H:%M")


def detail(platform: Platform, channel: Channel, user: User, coupon_id: str, lang: str) -> Markup:
    """The inside of the coupon's sheet: what it is worth, and what the person can do with it."""
    coupon = channel.store.of(Coupons).by_id.get(coupon_id)
    if coupon is None:
        return Markup('<p class="hint">{}</p>').format(word("coupon_gone", lang))
    body = coupon.body
    now = platform.clock.now()
    ticket = coupon.tickets.get(user.id)
    rows = [
        (word("coupon_period", lang), f"{_moment(body['startTimestamp'])} – "
         f"{_moment(body['endTimestamp'])}"),
        (word("coupon_how", lang), body.get("usageCondition")),
        (word("coupon_about", lang), body.get("description")),
        (word("coupon_code", lang), body.get("couponCode") if ticket and ticket.won else None),
    ]  # fmt: skip
    picture = body.get("imageUrl")
    return Markup(
        '<article class="ticket">{picture}<h3>{title}</h3>{worth}<dl>{rows}</dl>'
        '<p class="stand">{stand}</p>{buttons}</article>'
    ).format(
        picture=Markup('<img src="{}" alt="" referrerpolicy="no-referrer">').format(picture)
        if picture
        else "",
        title=body["title"],
        worth=Markup('<p class="worth">{}</p>').format(worth)
        if (worth := _worth(body.get("reward"), lang))
        else "",
        rows=join(
            Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in rows if value
        ),
        stand=_stand(coupon, ticket, now, lang),
        buttons=_buttons(coupon, ticket, now, lang),
    )


def _worth(reward: Any, lang: str) -> str:
    """What one gets: a discount, cash back, a present (reference, "Create a coupon", `reward`)."""
    if not isinstance(reward, dict):
        return ""
    given: Json = reward  # pyright: ignore[reportUnknownVariableType]
    price: Json = given.get("priceInfo") or {}
    kind = given.get("type")
    if "percentage" in price:
        amount = f"{price['percentage']}%"
    elif "fixedAmount" in price:
        amount = f"¥{price['fixedAmount']:,}"
    elif "priceAfterDiscount" in price:
        before, after = price.get("originalPrice"), price["priceAfterDiscount"]
        return f"¥{before:,} → ¥{after:,}" if isinstance(before, int) else f"¥{after:,}"
    else:
        amount = ""
    key = f"reward_{kind}"
    if kind not in ("discount", "cashBack", "free", "gift"):
        return amount
    return word(key, lang).format(amount=amount).strip()


def _stand(coupon: Coupon, ticket: Ticket | None, now: float, lang: str) -> str:
    if ticket is not None and not ticket.won:
        return word("coupon_lost", lang)
    if ticket is not None and ticket.used_at:
        return f"{word('coupon_used', lang)} {_moment(ticket.used_at[-1])}"
    if coupon.status(now) == "CLOSED":
        return word("coupon_over", lang)
    if now < coupon.body["startTimestamp"]:
        return word("coupon_early", lang)
    if ticket is None:
        return word("coupon_draw" if coupon.lottery else "coupon_new", lang)
    return word("coupon_yours", lang)


def _buttons(coupon: Coupon, ticket: Ticket | None, now: float, lang: str) -> Markup:
    over = coupon.status(now) == "CLOSED"
    used_up = ticket is not None and ticket.used_at and coupon.body["maxUseCountPerTicket"] == 1
    if ticket is None:
        act = "coupon_get"
        label, off = word("do_draw" if coupon.lottery else "do_get", lang), over
    else:
        early = now < coupon.body["startTimestamp"]
        act = "coupon_use"
        label, off = word("do_use", lang), over or early or not ticket.won or bool(used_up)
    return Markup(
        '<button type="button" class="main wide" data-coupon-act="{}"{}>{}</button>'
    ).format(act, Markup(" disabled") if off else "", label)
