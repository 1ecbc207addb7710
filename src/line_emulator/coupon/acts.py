"""What a person does with a coupon that arrived. The bot is told nothing."""

from __future__ import annotations

from ..acts import ActError, Actor, act
from ..groups.store import Groups
from ..model import Channel, Json, Sending, User
from .operations import described
from .store import Coupon, CouponError, Coupons, Ticket


def _coupon(actor: Actor, channel: Channel, user: User, act: Json) -> Coupon:
    """The coupon `coupon`; "last" is the one that arrived last."""
    wanted = act.get("coupon", "last")
    arrived = _arrived(actor, channel, user)
    if not arrived:
        raise ActError("no coupon has arrived at this phone")
    if wanted != "last" and wanted not in arrived:
        raise ActError(f"coupon {wanted} did not arrive at this phone")
    found = channel.store.of(Coupons).by_id.get(arrived[-1] if wanted == "last" else wanted)
    if found is None:
        raise ActError(f"there is no coupon {wanted}")
    return found


def _arrived(actor: Actor, channel: Channel, user: User) -> list[str]:
    """Ids of the coupons in the person's chat and groups with this account, oldest first."""
    sent: list[tuple[int, list[Json]]] = []
    phone = channel.phones.get(user.id)
    for entry in phone.entries if phone is not None else ():
        if isinstance(entry, Sending) and b'"coupon"' in entry.messages_json:
            sent.append((entry.at_ms, entry.messages()))
    for group in actor.platform.store.of(Groups).of_user(user.id):
        for one in group.entries:
            if one.channel_id == channel.id and b'"coupon"' in one.messages_json:
                sent.append((one.at_ms, one.messages()))
    sent.sort(key=lambda found: found[0])
    return [
        message["couponId"]
        for _, messages in sent
        for message in messages
        if message.get("type") == "coupon"
    ]


def shown(coupon: Coupon, ticket: Ticket | None, now: float) -> Json:
    """The coupon with what this person has of it: `won` is None before it was opened."""
    return {
        "coupon": described(coupon, now),
        "won": None if ticket is None else ticket.won,
        "used": 0 if ticket is None else len(ticket.used_at),
        "webhookEventIds": [],
    }


@act("coupon_get")
def get(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Open a coupon (`coupon` is its id or "last"): get it, or draw lots for it, once."""
    coupon = _coupon(actor, channel, user, act)
    now = actor.platform.clock.now()
    try:
        ticket = coupon.get(user.id, now, actor.platform.setup.seed)
    except CouponError as error:
        raise ActError(str(error)) from None
    return shown(coupon, ticket, now)


@act("coupon_use")
def use(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Use a coupon at the shop that was got before."""
    coupon = _coupon(actor, channel, user, act)
    now = actor.platform.clock.now()
    try:
        ticket = coupon.use(user.id, now)
    except CouponError as error:
        raise ActError(str(error)) from None
    return shown(coupon, ticket, now)
