"""What one person does when the time has come, by the same acts that the control API offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import orjson

from .. import tapping
from ..acts import Actor
from ..insight import links
from ..model import Channel, Friendship, Json, Phone, Sending, User
from ..platform import Platform
from ..richmenu.store import shown
from ..sending import find_message, last_sending
from .dice import Dice
from .errands import Errand
from .store import Behaviour, Living, Wave

IN_CHAT_SECONDS = 120.0
"""Who wrote so recently still looks at the chat."""
_BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 Safari Line/15.9.0"
)
_KINDS_OF_ACT = ("quick_reply", "coupon", "button", "link")
_PLAYED = (100, 100, 75, 50, 25, 0)
_OFFERS_KEPT = 64
_TALKS_OF_ITSELF = 0.3
"""How often who drops in writes something; the others tap the rich menu, if there is one."""


@dataclass(slots=True)
class Offers:
    """What a sending offers to do: acts by kind, and the ids of messages that can be played."""

    acts: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    media: list[str] = field(default_factory=list[str])

    def add(self, kind: str, act: Json) -> None:
        """One more thing to do."""
        self.acts.setdefault(kind, []).append(act)


_offers: dict[tuple[str, str], Offers] = {}


def offers_of(sending: Sending) -> Offers:
    """What there is to do; found once for a sending, since a hundred thousand may ask."""
    key = (sending.message_ids[0], sending.request_id)
    known = _offers.get(key)
    if known is None:
        known = _offers[key] = _find_offers(sending)
        if len(_offers) > _OFFERS_KEPT:
            del _offers[next(iter(_offers))]
    return known


def _find_offers(sending: Sending) -> Offers:
    offers = Offers()
    messages = sending.messages()
    for message_id, message in zip(sending.message_ids, messages, strict=True):
        if message.get("type") in ("video", "audio"):
            offers.media.append(message_id)
        if message.get("type") == "coupon":
            offers.add("coupon", {"type": "coupon_get", "coupon": message["couponId"]})
    for tappable in [*tapping.in_sending(sending), *links.tappable(sending)]:
        message_id = sending.message_ids[tappable.message_index]
        kind = "link" if links.url_of(tappable.action) else "button"
        if tappable.where == "quick_reply":
            kind = "quick_reply"
        offers.add(kind, {"type": "tap", "action": tappable.action, "message": message_id})
    return offers


class Person:
    """One person with one wave's occasion."""

    __slots__ = ("_actor", "_behaviour", "_channel", "_living", "_platform", "_user", "_wave")

    def __init__(
        self,
        platform: Platform,
        living: Living,
        channel: Channel,
        user: User,
        behaviour: Behaviour,
        wave: Wave,
    ) -> None:
        self._platform = platform
        self._living = living
        self._channel = channel
        self._user = user
        self._behaviour = behaviour
        self._wave = wave
        self._actor = Actor(platform)

    def begin(self) -> float | None:
        """Open what arrived, or do what the day brings; how long until `act`, if there will be one.

        Raises ActError when it turns out to be impossible, as do the other methods.
        """
        if self._wave.message is None:
            return self._come_or_go()
        sending = self._sending()
        if sending is None:
            return None
        self._do({"type": "read"}, "opened")
        dice = self._dice("play")
        for message_id in offers_of(sending).media:
            if dice.happens(self._behaviour.play):
                percent = dice.pick(_PLAYED)
                self._do({"type": "play", "message": message_id, "percent": percent}, "played")
        if self._intention(sending) is None and not self._buys():
            return None
        return self._dice("pause").pause(self._behaviour.before_acting)

    def act(self) -> None:
        """Do what the sending made the person do."""
        if self._wave.message is None:
            self._drop_in()
            return
        sending = self._sending()
        if sending is None:
            return
        if self._buys():
            self._order()
        intention = self._intention(sending)
        if intention is None:
            return
        kind, act = intention
        if kind == "quick_reply" and last_sending(self._phone()) is not sending:
            return  # quick replies are gone as soon as something else arrives
        result = self._do(act, kind)
        url = result.get("uri")
        if self._behaviour.visit and isinstance(url, str):
            self._visit(url)

    # What arrived

    def _phone(self) -> Phone:
        return self._channel.phone(self._user.id)

    def _sending(self) -> Sending | None:
        held = find_message(self._phone(), self._wave.message or "")
        return None if held is None else held[0]

    def _dice(self, occasion: str) -> Dice:
        return Dice(self._living.seed, self._user.index, f"{occasion}/{self._wave.name}")

    def _intention(self, sending: Sending) -> tuple[str, Json] | None:
        """What the person does about it: always the same, so it can be asked twice."""
        dice = self._dice("act")
        behaviour = self._behaviour
        if dice.happens(behaviour.block):
            return "block", {"type": "unfollow"}
        offers = offers_of(sending).acts
        for kind in _KINDS_OF_ACT:
            there = offers.get(kind)
            happens = dice.happens(cast(float, getattr(behaviour, kind)))
            if there and happens:
                return kind, dice.pick(there)
        if dice.happens(behaviour.menu):
            act = self._menu(dice)
            if act is not None:
                return "menu", act
        if dice.happens(behaviour.answer) and behaviour.answers:
            return "answer", {"type": "message", "text": dice.pick(behaviour.answers)}
        return None

    def _menu(self, dice: Dice) -> Json | None:
        menu = shown(self._platform, self._channel, self._user.id)
        if menu is None or not menu.areas:
            return None
        return {"type": "menu", "area": int(dice.throw() * len(menu.areas))}

    # Of their own accord

    def _come_or_go(self) -> float | None:
        friendship = self._channel.friendship(self._user.id)
        if friendship is Friendship.NOT_FRIEND:
            self._do({"type": "follow"}, "follow")
            return None
        if friendship is Friendship.BLOCKED:
            self._do({"type": "unblock"}, "unblock")
            return None
        self._do({"type": "read"}, "drop_in")
        return self._dice("pause").pause(self._behaviour.before_acting)

    def _drop_in(self) -> None:
        dice = self._dice("drop_in")
        talks = dice.happens(_TALKS_OF_ITSELF)
        act = self._menu(dice)
        if talks and self._behaviour.answers:
            self._do({"type": "message", "text": dice.pick(self._behaviour.answers)}, "answer")
        elif act is not None:
            self._do(act, "menu")

    def _do(self, act: Json, kind: str) -> Json:
        result = self._actor.do(act | {"user": self._user.id, "channel": self._channel.id})
        self._living.count(kind)
        done = self._living.done_today
        done[self._user.index] = done.get(self._user.index, 0) + 1
        return result

    # Elsewhere

    def _visit(self, url: str) -> None:
        if url.startswith(("http://", "https://")):
            headers = {"User-Agent": _BROWSER, "Accept-Language": self._user.language}
            self._run("GET", url, None, headers, "visit")

    def _buys(self) -> bool:
        buying = self._behaviour.buy
        return buying is not None and self._dice("buy").happens(buying.chance)

    def _order(self) -> None:
        buying = self._behaviour.buy
        assert buying is not None
        dice = self._dice("order")
        goods = list(buying.goods)
        items: list[Json] = []
        for _ in range(min(len(goods), 1 + int(dice.throw() * 3))):
            one = dice.pick(goods)
            goods.remove(one)
            quantity = 1 + int(dice.throw() * buying.most)
            items.append(
                {"sku": one.sku, "name": one.name, "price": one.price, "quantity": quantity}
            )
        order: Json = {
            "orderId": f"{self._wave.name}-{self._user.index}",
            "userId": self._user.id,
            "displayName": self._user.name,
            "channelId": self._channel.id,
            "orderedAt": self._platform.clock.now_ms(),
            "requestId": self._wave.request_id,
            "items": items,
            "total": sum(one["price"] * one["quantity"] for one in items),
        }
        headers = {"Content-Type": "application/json"} | buying.headers
        self._run("POST", buying.url, orjson.dumps(order | buying.fields), headers, "buy")

    def _run(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], kind: str
    ) -> None:
        living = self._living

        def tell(well: bool) -> None:
            living.count(kind if well else f"{kind}_failed")

        self._platform.errands.run(Errand(method, url, body, headers, tell))
